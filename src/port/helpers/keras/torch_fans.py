import keras


def torch_fans(initializer):
    """The initialiser for a weight in torch's layout (out, in, cells), which sets its fans."""
    def initial(shape, dtype=None):
        n = len(shape)
        x = initializer((*shape[2:], shape[1], shape[0]), dtype)
        return keras.ops.transpose(x, (n - 1, n - 2, *range(n - 2)))
    return initial
