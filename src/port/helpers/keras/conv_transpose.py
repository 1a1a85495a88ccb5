import keras


def conv_transpose(x, kernel, stride=1, padding=0, output_padding=0, dilation=1):
    """F.conv_transpose on channels-last tensors; kernel as torch has it: (in, out, ...)."""
    n = len(x.shape) - 2
    padding, output_padding = ([v] * n if isinstance(v, int) else list(v) for v in (padding, output_padding))
    kernel = keras.ops.transpose(kernel, [*range(2, n + 2), 1, 0])
    y = keras.ops.conv_transpose(x, kernel, stride, "valid", dilation_rate=dilation)
    y = keras.ops.pad(y, [[0, 0], *[[0, extra] for extra in output_padding], [0, 0]])
    crop = [slice(p, size - p) for p, size in zip(padding, keras.ops.shape(y)[1:-1])]
    return y[(slice(None), *crop)]
