import numpy as np


def part_of(initializer, key, value):
    """The initialiser, but with what another one, `value`, gives where the key picks."""
    def initial(shape, dtype=None):
        x = np.array(initializer(shape, dtype))
        x[key] = value(x[key].shape, dtype)
        return x

    return initial
