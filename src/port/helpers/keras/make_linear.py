# needs: default_init
from keras import layers


def linear(in_features, out_features, bias=True, *, device=None, dtype=None):
    """nn.Linear; where it lies is TensorFlow's affair."""
    return layers.Dense(out_features, use_bias=bias, dtype=dtype, **default_init(in_features))
