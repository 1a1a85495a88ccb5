from torch import nn


class AxisLayerNorm(nn.LayerNorm):
    """LayerNorm over the axis `dim` instead of the last one."""

    def __init__(self, normalized_shape, dim, **kwargs):
        super().__init__(normalized_shape, **kwargs)
        self.dim = dim

    def forward(self, x):
        return super().forward(x.movedim(self.dim, -1)).movedim(-1, self.dim)
