import keras


def pool_widths(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """(kernel, strides, widths): how F.max_pool2d and its like pad x, which has channels last; one entry per axis.

    ceil_mode adds a last window if it begins inside the image or its left padding.
    """
    axes = len(x.shape) - 2
    kernel, strides, pads, dilations = ([v] * axes if isinstance(v, int) else list(v) * (axes // len(v)) for v in (
        kernel_size, kernel_size if stride is None else stride, padding, dilation))
    widths = [[0, 0]]
    for i in range(axes):
        n, k, s, p = keras.ops.shape(x)[i + 1], dilations[i] * (kernel[i] - 1) + 1, strides[i], pads[i]
        more = 0
        if ceil_mode:
            last = -((k - n - 2 * p) // s)  # windows after the first, rounded up
            if isinstance(n, int):
                more = max((last - (last * s >= n + p)) * s + k - n - 2 * p, 0)
            else:
                last = last - keras.ops.cast(last * s >= n + p, "int32")
                more = keras.ops.maximum(last * s + k - n - 2 * p, 0)
        widths.append([p, p + more])
    return kernel, strides, [*widths, [0, 0]]
