import keras


def functional_layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    """F.layer_norm: the last axes with mean 0 and variance 1."""
    axes = [-i for i in range(1, len(normalized_shape) + 1)]
    mean = keras.ops.mean(x, axes, keepdims=True)
    variance = keras.ops.mean(keras.ops.square(x - mean), axes, keepdims=True)
    x = (x - mean) / keras.ops.sqrt(variance + eps)
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
