import keras


def flatten(x, start_dim=0, end_dim=-1):
    """torch.flatten: the axes from start_dim to end_dim as one."""
    shape = keras.ops.shape(x)
    start, end = start_dim % len(shape), end_dim % len(shape)
    size = 1
    for n in shape[start:end + 1]:
        size = size * n
    return keras.ops.reshape(x, (*shape[:start], size, *shape[end + 1:]))
