import keras


def fmod(x, y):
    """torch.fmod of floats: the rest has the sign of x, and the gradient of x - n * y."""
    rest = keras.ops.stop_gradient(keras.ops.sign(x) * (abs(x) % abs(y)))
    times = keras.ops.stop_gradient(keras.ops.trunc(x / y))
    linear = keras.ops.where(times == 0, x, x - times * y)
    return rest + (linear - keras.ops.stop_gradient(linear))
