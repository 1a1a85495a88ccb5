import math


def fans(weight):
    """(fan_in, fan_out) of a weight of the model's own, in torch's layout (out, in, cells)."""
    cells = math.prod(weight.shape[2:])
    return weight.shape[1] * cells, weight.shape[0] * cells
