import math

from torch import nn


def glorot_normal_(weight):
    """Keras' GlorotNormal: a normal cut at two standard deviations, its variance restored."""
    fan_in, fan_out = weight[0].numel(), weight[:, 0].numel()
    std = math.sqrt(2 / (fan_in + fan_out)) / 0.87962566103423978
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
