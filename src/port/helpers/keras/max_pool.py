# needs: pool_widths
import keras


def max_pool(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """F.max_pool1d, 2d and 3d, of x with channels last."""
    kernel, strides, widths = pool_widths(x, kernel_size, stride, padding, dilation, ceil_mode)
    x = keras.ops.pad(x, widths, constant_values=float("-inf"))
    if dilation in (1, (1,) * len(kernel), [1] * len(kernel)):
        return keras.ops.max_pool(x, kernel, strides)
    for axis, (k, s) in enumerate(zip(kernel, strides), 1):  # the maximum over a window is one over each axis in turn
        d = dilation if isinstance(dilation, int) else dilation[(axis - 1) % len(dilation)]
        count = (keras.ops.shape(x)[axis] - d * (k - 1) - 1) // s + 1
        best, *cells = [keras.ops.take(x, keras.ops.arange(count) * s + i * d, axis=axis) for i in range(k)]
        for cell in cells:
            best = keras.ops.where(cell > best, cell, best)
        x = best
    return x
