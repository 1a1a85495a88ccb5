import keras


def channel_dropout(x, rate):
    """F.dropout2d on channels-last tensors: whole channels are dropped."""
    sizes = keras.ops.shape(x)
    noise = (sizes[0], *[1] * (len(sizes) - 2), sizes[-1])
    return keras.random.dropout(x, rate, noise_shape=noise) if rate > 0 else x
