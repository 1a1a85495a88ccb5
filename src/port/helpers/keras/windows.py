import keras


def windows(x, axis, size, step):
    """Tensor.unfold: slices of `size` along an axis, one each `step`; they form a new last axis."""
    axis = axis % len(x.shape)
    count = (keras.ops.shape(x)[axis] - size) // step + 1
    places = keras.ops.arange(count)[:, None] * step + keras.ops.arange(size)
    return keras.ops.moveaxis(keras.ops.take(x, places, axis=axis), axis + 1, -1)
