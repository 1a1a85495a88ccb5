from torch import nn


class Permute(nn.Module):
    """Reorder the axes of a tensor."""

    def __init__(self, *dims):
        super().__init__()
        self.dims = dims

    def forward(self, x):
        return x.permute(self.dims)
