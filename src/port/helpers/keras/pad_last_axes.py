import keras


def pad_last_axes(x, amounts, value=0.0):
    """F.pad: (before, after) of the last axis, then of the one before it, and so on."""
    pairs = list(zip(amounts[::2], amounts[1::2]))[::-1]
    return keras.ops.pad(x, [(0, 0)] * (len(x.shape) - len(pairs)) + pairs, constant_values=value)
