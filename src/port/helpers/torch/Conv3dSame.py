# needs: same_padding
import torch.nn.functional as F
from torch import nn


class Conv3dSame(nn.Conv3d):
    """Conv3d with TensorFlow's 'same' padding for any stride."""

    def forward(self, x):
        pad = same_padding(x, self.kernel_size, self.stride, self.dilation)
        if pad[::2] == pad[1::2]:  # the convolution can do it without a copy
            return F.conv3d(x, self.weight, self.bias, self.stride, pad[::-2], self.dilation, self.groups)
        return super().forward(F.pad(x, pad))
