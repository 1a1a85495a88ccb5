import keras


def expand(x, sizes):
    """Tensor.expand: axes of size 1 broadcast; -1 keeps a size."""
    sizes, own = list(sizes), keras.ops.shape(x)
    added = len(sizes) - len(own)
    return keras.ops.broadcast_to(x, [own[i - added] if isinstance(n, int) and n == -1 else n for i, n in enumerate(sizes)])
