# needs: pool_widths
import keras


def avg_pool(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """F.avg_pool1d, 2d and 3d, of x with channels last. Cells beyond the padding are never counted."""
    kernel, strides, widths = pool_widths(x, kernel_size, stride, padding, ceil_mode=ceil_mode)
    inside = keras.ops.ones_like(x[:1, ..., :1])
    if count_include_pad:
        pads = [padding] * len(kernel) if isinstance(padding, int) else list(padding) * (len(kernel) // len(padding))
        inside = keras.ops.pad(inside, [[0, 0], *[[p, p] for p in pads], [0, 0]], constant_values=1)
        rest = [[0, after - p] for (_, after), p in zip(widths[1:-1], pads)]
        inside = keras.ops.pad(inside, [[0, 0], *rest, [0, 0]])
    else:
        inside = keras.ops.pad(inside, widths)
    total = keras.ops.average_pool(keras.ops.pad(x, widths), kernel, strides)
    if divisor_override is not None:
        cells = 1
        for k in kernel:
            cells *= k
        return total * (cells / divisor_override)
    return total / keras.ops.average_pool(inside, kernel, strides)
