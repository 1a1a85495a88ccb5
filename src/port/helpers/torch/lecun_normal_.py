import math

from torch import nn


def lecun_normal_(weight):
    """Keras' LecunNormal: a normal cut at two standard deviations, its variance restored."""
    std = math.sqrt(1 / weight[0].numel()) / 0.87962566103423978
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)
