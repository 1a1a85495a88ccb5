from keras import layers


def dropout(p=0.5, inplace=False):
    """nn.Dropout."""
    return layers.Dropout(p)
