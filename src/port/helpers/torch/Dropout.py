import torch
import torch.nn.functional as F
from torch import nn


class Dropout(nn.Module):
    """Dropout whose draws have the shape noise_shape (None: the size of x) and are broadcast over the rest."""

    def __init__(self, p, noise_shape):
        super().__init__()
        self.p = p
        self.noise_shape = noise_shape

    def forward(self, x):
        shape = [size if size is not None else n for size, n in zip(self.noise_shape, x.shape)]
        return x * F.dropout(torch.ones(shape, dtype=x.dtype, device=x.device), self.p, self.training)
