import keras


def l2_normalize(x, dim=1, eps=1e-12):
    """F.normalize: x divided by its norm along dim, which counts as eps at least."""
    square = keras.ops.sum(keras.ops.square(x), axis=dim, keepdims=True)
    return x * keras.ops.rsqrt(keras.ops.maximum(square, eps * eps))
