import keras


def leaky_relu(negative_slope=0.01, inplace=False):
    """nn.LeakyReLU."""
    return keras.layers.LeakyReLU(negative_slope)
