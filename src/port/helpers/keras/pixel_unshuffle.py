import keras


def pixel_unshuffle(x, r):
    """nn.PixelUnshuffle on NHWC; the channel order differs from that of space_to_depth."""
    n, h, w, c = keras.ops.shape(x)
    x = keras.ops.transpose(keras.ops.reshape(x, (n, h // r, r, w // r, r, c)), [0, 1, 3, 5, 2, 4])
    return keras.ops.reshape(x, (n, h // r, w // r, c * r**2))
