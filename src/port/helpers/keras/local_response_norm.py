import keras


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0, axis=-1):
    """F.local_response_norm: divided by a power of the mean square of `size` neighbours along the channels."""
    axis = axis % len(x.shape)
    n = x.shape[axis]
    widths = [[0, 0] if i != axis else [size // 2, (size - 1) // 2] for i in range(len(x.shape))]
    squares = keras.ops.pad(keras.ops.square(x), widths)
    total = sum(keras.ops.take(squares, range(i, i + n), axis=axis) for i in range(size))
    return x / (total * (alpha / size) + k) ** beta
