import math
import re

import torch
from torch import nn


class EinsumDense(nn.Module):
    """A learned einsum: `weight` is the second operand of the equation, `bias` has the axes named in bias_axes.

    Shapes are given without the batch; an ellipsis may stand at the beginning only.
    """

    def __init__(self, input_shape, equation, output_shape, bias_axes=None):
        super().__init__()
        self.equation = equation
        output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        inputs, kernel, outputs = re.split(',|->', equation.replace(' ', ''))
        named = [*zip(inputs[::-1], input_shape[::-1]), *zip(outputs[::-1], output_shape[::-1])]
        size = {axis: n for axis, n in named if n is not None}
        self.weight = nn.Parameter(torch.empty([size[axis] for axis in kernel]))
        self.bias = None
        if bias_axes:
            axes = outputs[min(outputs.index(axis) for axis in bias_axes):]
            self.bias = nn.Parameter(torch.zeros([size[axis] if axis in bias_axes else 1 for axis in axes]))
        fans = [math.prod(size[axis] for axis in kernel if axis not in other) for other in (outputs, inputs)]
        self.limit = math.sqrt(6 / sum(fans))
        self.reset_parameters()

    def reset_parameters(self):
        nn.init.uniform_(self.weight, -self.limit, self.limit)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x):
        x = torch.einsum(self.equation, x, self.weight)
        return x if self.bias is None else x + self.bias
