import keras


def linear(x, weight, bias=None):
    """F.linear: the weight has the shape (out, in)."""
    x = keras.ops.matmul(x, keras.ops.transpose(weight))
    return x if bias is None else x + bias
