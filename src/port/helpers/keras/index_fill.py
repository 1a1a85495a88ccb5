import keras


def index_fill(x, axis, index, value):
    """Tensor.index_fill: one value in the slices that index names."""
    places = keras.ops.arange(keras.ops.shape(x)[axis], dtype=index.dtype)
    hit = keras.ops.any(places[:, None] == keras.ops.reshape(index, [-1]), axis=1)
    sizes = [1] * len(x.shape)
    sizes[axis] = -1
    return keras.ops.where(keras.ops.reshape(hit, sizes), keras.ops.cast(value, x.dtype), x)
