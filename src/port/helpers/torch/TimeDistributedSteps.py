import torch
from torch import nn


class TimeDistributedSteps(nn.Module):
    """Apply a module to every step of axis 1 by itself: in training, a batch norm inside normalises each step alone."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return torch.stack([self.module(step) for step in x.unbind(1)], 1)
