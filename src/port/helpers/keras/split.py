import keras


def split(x, size, axis=0):
    """torch.split: parts of the given sizes, or all of one size but the last; keras.ops.split counts parts."""
    if isinstance(size, int):
        places = list(range(size, x.shape[axis], size))
    else:
        places = [sum(size[:i]) for i in range(1, len(size))]
    return keras.ops.split(x, places, axis)
