import keras


def channel_shuffle(x, groups):
    """nn.ChannelShuffle on the last axis."""
    *shape, c = keras.ops.shape(x)
    x = keras.ops.swapaxes(keras.ops.reshape(x, (*shape, groups, c // groups)), -1, -2)
    return keras.ops.reshape(x, (*shape, c))
