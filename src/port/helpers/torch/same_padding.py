import math


def same_padding(x, kernel_size, stride, dilation=(1, 1)):
    """F.pad amounts of TensorFlow's 'same' padding: they depend on the size of x, odd cells go to the end."""
    pad = []
    for n, k, s, d in zip(x.shape[:1:-1], kernel_size[::-1], stride[::-1], dilation[::-1]):
        total = max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pad += [total // 2, total - total // 2]
    return pad
