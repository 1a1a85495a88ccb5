import keras


def index_copy(x, axis, index, source):
    """Tensor.index_copy: the slices of source in the place of those of x that index names."""
    moved = keras.ops.moveaxis(x, axis, 0)
    new = keras.ops.scatter_update(moved, keras.ops.expand_dims(index, -1), keras.ops.moveaxis(source, axis, 0))
    return keras.ops.moveaxis(new, 0, axis)
