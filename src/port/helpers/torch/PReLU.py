import torch
from torch import nn


class PReLU(nn.Module):
    """A learned slope for every feature, zero at the start; an axis of size 1 shares it."""

    def __init__(self, *shape):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))

    def forward(self, x):
        return x.clamp(min=0) + self.weight * x.clamp(max=0)
