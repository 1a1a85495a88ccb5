import keras


def pixel_shuffle(x, r):
    """nn.PixelShuffle on NHWC; the channel order differs from that of depth_to_space."""
    n, h, w, c = keras.ops.shape(x)
    x = keras.ops.transpose(keras.ops.reshape(x, (n, h, w, c // r**2, r, r)), [0, 1, 4, 2, 5, 3])
    return keras.ops.reshape(x, (n, h * r, w * r, c // r**2))
