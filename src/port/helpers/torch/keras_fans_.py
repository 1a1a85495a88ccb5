import math

from torch import nn


def keras_fans_(weight, initializer):
    """Fill a weight in Keras' axis order (..., in, out), which is where its initializers count the fans.

    initializer: a name, or the scale, mode and distribution of a VarianceScaling.
    """
    scale, mode, distribution = {
        'glorot_uniform': (1, 'fan_avg', 'uniform'), 'glorot_normal': (1, 'fan_avg', 'truncated_normal'),
        'he_uniform': (2, 'fan_in', 'uniform'), 'he_normal': (2, 'fan_in', 'truncated_normal'),
        'lecun_uniform': (1, 'fan_in', 'uniform'), 'lecun_normal': (1, 'fan_in', 'truncated_normal'),
    }.get(initializer, initializer)
    size = weight.numel()
    fan_in, fan_out = (size, size) if weight.ndim < 2 else (size // weight.shape[-1], size // weight.shape[-2])
    fan = {'fan_in': fan_in, 'fan_out': fan_out, 'fan_avg': (fan_in + fan_out) / 2}[mode]
    std = math.sqrt(scale / max(fan, 1))
    if distribution == 'uniform':
        return nn.init.uniform_(weight, -math.sqrt(3) * std, math.sqrt(3) * std)
    if distribution == 'untruncated_normal':
        return nn.init.normal_(weight, std=std)
    std /= 0.87962566103423978  # the part that is cut off, at two standard deviations
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
