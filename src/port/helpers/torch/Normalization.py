import torch
from torch import nn


class Normalization(nn.Module):
    """Shift and scale by a known mean and variance, along the last axis if they are lists."""

    def __init__(self, mean, variance, invert=False):
        super().__init__()
        self.invert = invert
        self.register_buffer('mean', torch.tensor(mean, dtype=torch.get_default_dtype()), persistent=False)
        std = torch.tensor(variance, dtype=torch.get_default_dtype()).sqrt().clamp(min=1e-7)
        self.register_buffer('std', std, persistent=False)

    def forward(self, x):
        return x * self.std + self.mean if self.invert else (x - self.mean) / self.std
