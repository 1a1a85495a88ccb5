# needs: default_init
import keras


def linear(in_features, out_features, bias=True):
    """nn.Linear."""
    return keras.layers.Dense(out_features, use_bias=bias, **default_init(in_features))
