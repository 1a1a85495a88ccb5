import keras


def fill(variable, initializer):
    """Draw new values for a weight of the model's own, in torch's layout (out, in, cells), which sets its fans."""
    n = len(variable.shape)
    x = initializer((*variable.shape[2:], variable.shape[1], variable.shape[0]), variable.dtype)
    variable.assign(keras.ops.transpose(x, (n - 1, n - 2, *range(n - 2))))
