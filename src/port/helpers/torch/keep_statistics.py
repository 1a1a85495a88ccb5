def keep_statistics(norm, inputs):
    """Before each call of a batch norm: a frozen one works as in `eval()`."""
    if norm.frozen:
        norm.eval()
