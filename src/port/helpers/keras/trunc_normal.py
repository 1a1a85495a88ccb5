import math

import keras
from keras import initializers


def trunc_normal(mean=0.0, std=1.0, a=-2.0, b=2.0):
    """nn.init.trunc_normal_ as an initialiser: normal, between the numbers a and b."""
    low, high = (math.erf((x - mean) / std / math.sqrt(2)) for x in (a, b))

    def initial(shape, dtype=None):
        x = initializers.RandomUniform(low, high)(shape, dtype)
        return keras.ops.clip(mean + std * math.sqrt(2) * keras.ops.erfinv(x), a, b)

    return initial
