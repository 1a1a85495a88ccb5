import keras


def pad_or_cut(x, pads, value=0.0):
    """Pads with a constant; a negative amount cuts off, as in F.pad."""
    x = x[tuple(slice(max(-before, 0), -max(-after, 0) or None) for before, after in pads)]
    return keras.ops.pad(x, [[max(before, 0), max(after, 0)] for before, after in pads], constant_values=value)
