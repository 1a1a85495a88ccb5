# needs: same_padding
import math

import torch.nn.functional as F


def max_pool3d_same(x, kernel_size, stride=None):
    """Maximum pooling with TensorFlow's 'same' padding."""
    kernel_size = (kernel_size,) * 3 if isinstance(kernel_size, int) else kernel_size
    stride = (stride,) * 3 if isinstance(stride, int) else stride or kernel_size
    x = F.pad(x, same_padding(x, kernel_size, stride, (1, 1, 1)), value=-math.inf)
    return F.max_pool3d(x, kernel_size, stride)
