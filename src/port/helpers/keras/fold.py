import keras


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """F.fold: overlapping blocks (N, C * cells, positions) added up; the image has channels last."""
    output, kernel, dilation, padding, stride = ([v] * 2 if isinstance(v, int) else v for v in (
        output_size, kernel_size, dilation, padding, stride))
    h, w = (o + 2 * p for o, p in zip(output, padding))
    rows, columns = ((size - d * (k - 1) - 1) // s + 1 for size, k, d, s in zip((h, w), kernel, dilation, stride))
    n, c = keras.ops.shape(x)[0], x.shape[1] // (kernel[0] * kernel[1])
    x = keras.ops.reshape(x, (n, c, kernel[0], kernel[1], rows, columns))
    total = 0.0
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            part = keras.ops.transpose(x[:, :, i, j], [0, 2, 3, 1])
            for axis, count, step, start, size in ((1, rows, stride[0], i * dilation[0], h),
                                                   (2, columns, stride[1], j * dilation[1], w)):
                places = keras.ops.one_hot(keras.ops.arange(count) * step + start, size, dtype=part.dtype)
                part = keras.ops.moveaxis(keras.ops.tensordot(part, places, axes=[[axis], [0]]), -1, axis)
            total = total + part
    return total[:, padding[0]:h - padding[0], padding[1]:w - padding[1]]
