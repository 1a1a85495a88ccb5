import math

from torch import nn


def keras_fans_(weight, name):
    """Fill a weight whose last axes are inputs and outputs with Keras' initialiser of that name ('he_normal')."""
    *positions, inputs, outputs = weight.shape if weight.ndim > 1 else weight.shape * 2
    fan_in, fan_out = math.prod(positions) * inputs, math.prod(positions) * outputs
    kind, distribution = name.split('_')
    std = math.sqrt({'he': 2 / fan_in, 'lecun': 1 / fan_in, 'glorot': 2 / (fan_in + fan_out)}[kind])
    if distribution == 'uniform':
        return nn.init.uniform_(weight, -math.sqrt(3) * std, math.sqrt(3) * std)
    std /= 0.87962566103423978  # the variance is restored after the cut at two standard deviations
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
