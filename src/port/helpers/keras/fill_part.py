import keras


def fill_part(variable, index, initializer):
    """Draw new values for variable[index] alone, in torch's layout (out, in, cells), which sets its fans."""
    values = keras.ops.convert_to_numpy(variable).copy()
    n = values[index].ndim
    order = (n - 1, n - 2, *range(n - 2)) if n > 1 else tuple(range(n))
    shape = values[index].shape
    x = initializer((*shape[2:], *shape[1::-1]), variable.dtype)
    values[index] = keras.ops.convert_to_numpy(keras.ops.transpose(x, order))
    variable.assign(values)
