import keras


def squeeze(x, axis):
    """torch.squeeze: an axis of size 1 is taken out, one of another size stays."""
    return keras.ops.squeeze(x, axis) if x.shape[axis] == 1 else x
