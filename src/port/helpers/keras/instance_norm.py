import keras


def instance_norm(x, weight=None, bias=None, eps=1e-5):
    """F.instance_norm on channels-last tensors: each channel of each example with mean 0 and variance 1."""
    axes = list(range(1, len(x.shape) - 1))
    mean = keras.ops.mean(x, axes, keepdims=True)
    variance = keras.ops.mean(keras.ops.square(x - mean), axes, keepdims=True)
    x = (x - mean) / keras.ops.sqrt(variance + eps)
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
