import inspect

import torch
from torch import nn
from torch.utils import _pytree as pytree


class BuiltOnCall(nn.modules.lazy.LazyModuleMixin, nn.Module):
    """A module that makes its weights at the first call: `build` is told the shapes of the inputs, None for the batch.

    Call it once before its parameters are given to an optimizer, or weights are loaded.
    """

    def __init__(self):
        super().__init__()
        self.register_buffer('moved', torch.empty(0), persistent=False)  # knows the device and dtype of the module

    def initialize_parameters(self, *args, **kwargs):
        inputs = next(iter(inspect.signature(self.forward).bind(*args, **kwargs).arguments.values()))

        def known(x):
            if not hasattr(x, 'shape'):
                return None
            return (None, *x.shape[1:]) if x.shape[:1] == batch else tuple(x.shape)  # a table has its own first size

        batch = next((x.shape[:1] for x in pytree.tree_leaves(inputs) if hasattr(x, 'shape')), ())
        shapes = pytree.tree_map(known, inputs)
        self.build(list(shapes) if isinstance(inputs, tuple) else shapes)
        self.to(self.moved).train(self.training)
        if getattr(self, 'frozen', False):  # by set_trainable, before there were weights
            self.requires_grad_(False)
