def n_tuple(value, n):
    """The values of a sequence, or one value `n` times."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n
