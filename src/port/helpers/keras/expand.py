import keras


def expand(x, sizes):
    """Tensor.expand: axes of size 1 broadcast; -1 keeps a size."""
    sizes, own = list(sizes), keras.ops.shape(x)
    added = len(sizes) - len(own)
    kept = [isinstance(n, int) and n == -1 for n in sizes]
    return keras.ops.broadcast_to(x, [own[i - added] if k else sizes[i] for i, k in enumerate(kept)])
