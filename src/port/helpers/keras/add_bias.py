def add_bias(y, bias):
    """y + bias, where there is one."""
    return y if bias is None else y + bias
