# needs: default_init, cells
import keras
from keras import layers


def conv3d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
           *, device=None, dtype=None):
    """nn.Conv3d, on channels last; where it lies is TensorFlow's affair."""
    settings = dict(default_init(in_channels // groups * cells(kernel_size, 3)), dtype=dtype)
    if isinstance(padding, str):
        return layers.Conv3D(out_channels, kernel_size, stride, padding, dilation_rate=dilation, groups=groups,
                             use_bias=bias, **settings)
    return keras.Sequential([
        layers.ZeroPadding3D(padding),
        layers.Conv3D(out_channels, kernel_size, stride, dilation_rate=dilation, groups=groups, use_bias=bias,
                      **settings),
    ])
