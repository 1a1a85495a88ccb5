# needs: Conv3dSame
from torch import nn


class LazyConv3dSame(nn.LazyConv3d):
    """Conv3dSame whose input channels show at the first call."""

    cls_to_become = Conv3dSame
    forward = Conv3dSame.forward
