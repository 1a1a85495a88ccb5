# needs: default_init
from keras import layers


def linear(in_features, out_features, bias=True):
    """nn.Linear."""
    return layers.Dense(out_features, use_bias=bias, **default_init(in_features))
