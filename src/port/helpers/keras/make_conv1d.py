# needs: default_init, cells
import keras
from keras import layers


def conv1d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
           *, device=None, dtype=None):
    """nn.Conv1d, on channels last; where it lies is TensorFlow's affair."""
    settings = dict(default_init(in_channels // groups * cells(kernel_size, 1)), dtype=dtype)
    if isinstance(padding, str):
        return layers.Conv1D(out_channels, kernel_size, stride, padding, dilation_rate=dilation, groups=groups,
                             use_bias=bias, **settings)
    return keras.Sequential([
        layers.ZeroPadding1D(padding if isinstance(padding, int) else padding[0]),
        layers.Conv1D(out_channels, kernel_size, stride, dilation_rate=dilation, groups=groups, use_bias=bias,
                      **settings),
    ])
