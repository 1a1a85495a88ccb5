import keras


def normalize(x, p=2.0, dim=1, eps=1e-12):
    """F.normalize: x divided by its p-norm along dim, which counts as eps at least."""
    norm = keras.ops.sum(keras.ops.abs(x) ** p, axis=dim, keepdims=True) ** (1 / p)
    return x / keras.ops.maximum(norm, eps)
