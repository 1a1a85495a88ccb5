import keras


def unflatten(x, dim, sizes):
    """nn.Unflatten: one axis as several."""
    shape = keras.ops.shape(x)
    dim = dim % len(shape)
    return keras.ops.reshape(x, (*shape[:dim], *sizes, *shape[dim + 1:]))
