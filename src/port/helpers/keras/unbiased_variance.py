import keras


def unbiased_variance(x, axis=None, keepdims=False):
    """Variance over n - 1, the default of torch.var; keras.ops.var divides by n."""
    mean = keras.ops.mean(x, axis, keepdims=True)
    count = keras.ops.cast(keras.ops.size(x) // keras.ops.size(mean), x.dtype)
    return keras.ops.sum(keras.ops.square(x - mean), axis, keepdims=keepdims) / (count - 1)
