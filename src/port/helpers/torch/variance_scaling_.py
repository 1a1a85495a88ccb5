import math

from torch import nn


def variance_scaling_(weight, scale=1.0, mode='fan_in', distribution='truncated_normal'):
    """Keras' VarianceScaling: the variance is scale / fan."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    fan = {'fan_in': fan_in, 'fan_out': fan_out, 'fan_avg': (fan_in + fan_out) / 2}[mode]
    std = math.sqrt(scale / max(fan, 1))
    if distribution == 'uniform':
        return nn.init.uniform_(weight, -math.sqrt(3) * std, math.sqrt(3) * std)
    if distribution == 'untruncated_normal':
        return nn.init.normal_(weight, std=std)
    std /= 0.87962566103423978  # cut at two standard deviations, the variance restored
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
