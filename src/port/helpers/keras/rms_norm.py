import keras


def rms_norm(x, weight=None, eps=1e-6):
    """F.rms_norm over the last axis."""
    x = x * keras.ops.rsqrt(keras.ops.mean(keras.ops.square(x), axis=-1, keepdims=True) + eps)
    return x if weight is None else x * weight
