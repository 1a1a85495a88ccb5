from torch import nn
from torch.utils import _pytree as pytree


def traced(function):
    """A module that becomes a part of the model that is being built, if it is called with tensors of that."""
    def call(*args, **kwargs):
        symbols = [x for x in pytree.tree_leaves((args, kwargs)) if hasattr(x, 'examples')]
        noted = isinstance(function, nn.Module) and symbols
        return symbols[0].record(function, args, kwargs) if noted else function(*args, **kwargs)

    return call
