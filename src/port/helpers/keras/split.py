import keras


def split(x, size, axis=0):
    """torch.split: parts of the given sizes, or all of one size but the last; keras.ops.split counts parts."""
    total = x.shape[axis]
    sizes = [size] * (total // size) if isinstance(size, int) else list(size)
    places = [sum(sizes[:i]) for i in range(1, len(sizes) + 1)]
    return keras.ops.split(x, [place for place in places if place < total], axis)
