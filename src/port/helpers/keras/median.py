import keras


def median(x):
    """torch.median of all elements: the lower of the two in the middle."""
    ordered = keras.ops.sort(keras.ops.reshape(x, [-1]))
    return ordered[(keras.ops.size(x) - 1) // 2]
