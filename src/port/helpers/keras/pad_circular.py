import keras


def pad_circular(x, widths):
    """Continue each axis with its other end: padding_mode="circular"; widths as for keras.ops.pad."""
    for axis, (before, after) in enumerate(widths):
        if before or after:
            n = keras.ops.shape(x)[axis]
            x = keras.ops.take(x, keras.ops.arange(-before, n + after) % n, axis=axis)
    return x
