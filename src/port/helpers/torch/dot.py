import torch
import torch.nn.functional as F


def dot(inputs, axes, normalize=False):
    """Contract one axis of each of two inputs, sample by sample, as keras.layers.Dot."""
    x, y = inputs
    x_axis, y_axis = (axes, axes) if isinstance(axes, int) else axes
    if normalize:
        x, y = F.normalize(x, dim=x_axis, eps=1e-6), F.normalize(y, dim=y_axis, eps=1e-6)
    x, y = x.movedim(x_axis, -1), y.movedim(y_axis, 1)
    result = torch.bmm(x.reshape(len(x), -1, x.shape[-1]), y.reshape(len(y), y.shape[1], -1))
    return result.reshape(len(x), *(x.shape[1:-1] + y.shape[2:] or (1,)))
