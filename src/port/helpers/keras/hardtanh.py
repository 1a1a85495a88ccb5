import keras


def hardtanh(x, min_val=-1.0, max_val=1.0):
    """F.hardtanh: a clip without a gradient at its bounds."""
    inside = keras.ops.logical_and(x > min_val, x < max_val)
    return keras.ops.where(inside, x, keras.ops.clip(keras.ops.stop_gradient(x), min_val, max_val))
