from keras import initializers


def uniform(fan_in):
    """PyTorch's default initialiser: uniform in +-1/sqrt(fan_in)."""
    bound = fan_in ** -0.5
    return initializers.RandomUniform(-bound, bound)
