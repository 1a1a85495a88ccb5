from torch import nn


def truncated_normal_(weight, mean=0.0, std=0.05):
    """Keras' TruncatedNormal: a normal cut at two standard deviations."""
    return nn.init.trunc_normal_(weight, mean, std, a=mean - 2 * std, b=mean + 2 * std)
