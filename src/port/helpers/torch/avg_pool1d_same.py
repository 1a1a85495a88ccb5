# needs: same_padding
import torch
import torch.nn.functional as F


def avg_pool1d_same(x, kernel_size, stride=None):
    """Average pooling with TensorFlow's 'same' padding: the mean of the real cells in each window."""
    kernel_size = (kernel_size,) * 1 if isinstance(kernel_size, int) else kernel_size
    stride = (stride,) * 1 if isinstance(stride, int) else stride or kernel_size
    pad = same_padding(x, kernel_size, stride, (1,))
    real = F.avg_pool1d(F.pad(torch.ones_like(x[:1, :1]), pad), kernel_size, stride)
    return F.avg_pool1d(F.pad(x, pad), kernel_size, stride) / real
