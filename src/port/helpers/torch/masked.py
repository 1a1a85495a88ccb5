# needs: traced
import inspect

from torch import nn
from torch.utils import _pytree as pytree


def masked(function):
    """`traced`, and the masks that Keras hands on: to modules that read them, and to what `compute_mask` says."""
    def call(*args, **kwargs):
        masks = pytree.tree_map(lambda x: vars(x).get('mask') if hasattr(x, 'examples') else None, args[0])
        arriving = None if all(m is None for m in pytree.tree_leaves(masks)) else masks
        symbols = [x for x in pytree.tree_leaves(args) if hasattr(x, 'examples')]
        if not isinstance(function, nn.Module) or not symbols:
            return traced(function)(*args, **kwargs)
        if arriving is not None and 'mask' in inspect.signature(function.forward).parameters:
            kwargs.setdefault('mask', arriving)
        result, made = traced(function)(*args, **kwargs), None
        if hasattr(function, 'compute_mask'):
            made = function.compute_mask(args[0], arriving)
        elif arriving is not None and type(function).__module__.startswith('torch.'):
            raise NotImplementedError(f'whether {type(function).__name__} passes its mask on is not known here')
        elif getattr(function, 'supports_masking', False):
            made = arriving
        for symbol, mask in zip(pytree.tree_leaves(result), pytree.tree_leaves(made)):
            if hasattr(symbol, 'examples'):
                symbol.mask = mask
        return result

    return call
