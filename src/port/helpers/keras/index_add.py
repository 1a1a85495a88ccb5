import keras


def index_add(x, axis, index, source, alpha=1):
    """Tensor.index_add: the slices of source added to those of x that index names."""
    moved = keras.ops.moveaxis(source, axis, 0)
    size = keras.ops.shape(keras.ops.moveaxis(x, axis, 0))
    added = keras.ops.scatter(keras.ops.expand_dims(index, -1), moved, size)
    return x + alpha * keras.ops.moveaxis(added, 0, axis)
