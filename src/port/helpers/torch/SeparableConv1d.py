# needs: Conv1dSame
from torch import nn


class SeparableConv1d(nn.Module):
    """A convolution of each channel by itself, then one over the channels; no bias between them."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding='valid', dilation=1,
                 depth_multiplier=1, bias=True):
        super().__init__()
        hidden_channels = in_channels * depth_multiplier
        conv = Conv1dSame if padding == 'same' else nn.Conv1d
        self.depthwise = conv(in_channels, hidden_channels, kernel_size, stride=stride, dilation=dilation,
                              groups=in_channels, bias=False)
        self.pointwise = nn.Conv1d(hidden_channels, out_channels, 1, bias=bias)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))
