import math

import keras


def view(x, shape):
    """x.view of (batch, ...): the number that -1 stands for is static if x's sizes are, however large the batch is."""
    sizes, known = shape[1:], x.shape[1:]
    if None not in known and all(isinstance(n, int) for n in sizes):
        rest = math.prod(known) // -math.prod(sizes)
        shape = (shape[0], *(rest if n == -1 else n for n in sizes))
    return keras.ops.reshape(x, shape)
