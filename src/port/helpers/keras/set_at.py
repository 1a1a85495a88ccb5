import keras


def set_at(x, key, value):
    """Copy of x after `x[key] = value`; key is a basic index such as np.s_[:, 0]."""
    index = keras.ops.reshape(keras.ops.arange(keras.ops.size(x)), keras.ops.shape(x))[key]
    value = keras.ops.broadcast_to(keras.ops.cast(value, x.dtype), keras.ops.shape(index))
    flat = keras.ops.scatter_update(
        keras.ops.reshape(x, [-1]), keras.ops.reshape(index, [-1, 1]), keras.ops.reshape(value, [-1]))
    return keras.ops.reshape(flat, keras.ops.shape(x))
