import keras


def pad_replicate(x, widths):
    """Repeat the first and last cell of each axis: padding_mode="replicate"; widths as for keras.ops.pad."""
    for axis, (before, after) in enumerate(widths):
        if before or after:
            n = keras.ops.shape(x)[axis]
            index = keras.ops.clip(keras.ops.arange(-before, n + after), 0, n - 1)
            x = keras.ops.take(x, index, axis=axis)
    return x
