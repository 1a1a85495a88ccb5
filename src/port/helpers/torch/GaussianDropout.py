import math

import torch
from torch import nn


class GaussianDropout(nn.Module):
    """Multiplies by normal noise around one while training, with the variance of dropout at rate p."""

    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return x * (1 + math.sqrt(self.p / (1 - self.p)) * torch.randn_like(x)) if self.training else x
