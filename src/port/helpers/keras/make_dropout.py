import keras


def dropout(p=0.5, inplace=False):
    """nn.Dropout."""
    return keras.layers.Dropout(p)
