def calculate_gain(nonlinearity, param=None):
    """nn.init.calculate_gain: the factor that keeps a signal's variance through a nonlinearity."""
    if nonlinearity == "leaky_relu":
        return (2 / (1 + (0.01 if param is None else param) ** 2)) ** 0.5
    gains = {"relu": 2 ** 0.5, "tanh": 5 / 3, "selu": 3 / 4, "linear": 1, "sigmoid": 1}
    return 1 if nonlinearity.startswith("conv") else gains[nonlinearity]
