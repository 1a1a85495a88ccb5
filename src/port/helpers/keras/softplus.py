import keras


def softplus(x, beta=1.0, threshold=20.0):
    """F.softplus: log(1 + e^(beta x)) / beta, and x itself where beta x is beyond the threshold."""
    curve = keras.ops.softplus(beta * keras.ops.minimum(x, threshold / beta)) / beta
    return keras.ops.where(beta * x > threshold, x, curve)
