from keras import layers


def leaky_relu(negative_slope=0.01, inplace=False):
    """nn.LeakyReLU."""
    return layers.LeakyReLU(negative_slope)
