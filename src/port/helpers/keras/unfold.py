import keras


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """F.unfold of x with channels last: (N, C * cells, positions), as torch gives it."""
    kernel, dilation, padding, stride = ([v] * 2 if isinstance(v, int) else v for v in (
        kernel_size, dilation, padding, stride))
    x = keras.ops.pad(x, [[0, 0], [padding[0]] * 2, [padding[1]] * 2, [0, 0]])
    n, h, w, c = keras.ops.shape(x)
    rows, columns = ((size - d * (k - 1) - 1) // s + 1 for size, k, d, s in zip((h, w), kernel, dilation, stride))
    parts = [x[:, i * dilation[0]:i * dilation[0] + (rows - 1) * stride[0] + 1:stride[0],
               j * dilation[1]:j * dilation[1] + (columns - 1) * stride[1] + 1:stride[1]]
             for i in range(kernel[0]) for j in range(kernel[1])]
    x = keras.ops.transpose(keras.ops.stack(parts, axis=1), [0, 4, 1, 2, 3])
    return keras.ops.reshape(x, (n, c * kernel[0] * kernel[1], rows * columns))
