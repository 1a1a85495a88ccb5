import keras


def prelu(x, weight):
    """F.prelu on channels-last tensors."""
    return keras.ops.where(x > 0, x, weight * x)
