import keras


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    """F.group_norm on channels-last images: each group of channels with mean 0 and variance 1."""
    sizes = keras.ops.shape(x)
    x = keras.ops.reshape(x, (sizes[0], -1, num_groups, sizes[-1] // num_groups))
    mean = keras.ops.mean(x, (1, 3), keepdims=True)
    variance = keras.ops.mean(keras.ops.square(x - mean), (1, 3), keepdims=True)
    x = keras.ops.reshape((x - mean) / keras.ops.sqrt(variance + eps), sizes)
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
