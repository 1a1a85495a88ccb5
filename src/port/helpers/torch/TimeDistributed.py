from torch import nn


class TimeDistributed(nn.Module):
    """Apply a module to every step of axis 1."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.flatten(0, 1)).unflatten(0, x.shape[:2])
