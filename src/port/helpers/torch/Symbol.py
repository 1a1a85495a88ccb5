import itertools
import operator

import torch
from torch import nn
from torch.utils import _pytree as pytree


class Symbol:
    """A tensor, or a size, of a model that is being built: the call that gives it, and two examples of what it gives.

    Sizes in which the examples differ are free, as that of the batch is; all others are plain numbers.
    """

    numbers = itertools.count()

    def __init__(self, call, examples, name=None):
        self.call, self.examples, self.name = call, examples, name
        self.number = next(self.numbers)  # in the order of the calls

    @classmethod
    def record(cls, function, args, kwargs):
        """What `function` gives, in symbols where it depends on them; modules are in evaluation mode meanwhile."""
        args, kwargs = pytree.tree_map(lambda x: x, (args, kwargs))  # lists as they are now: they may grow
        modules = list(function.modules()) if isinstance(function, nn.Module) else []
        modes = [module.training for module in modules]
        for module in modules:
            module.eval()
        with torch.no_grad():
            examples = [function(*cls.example(args, i), **cls.example(kwargs, i)) for i in range(2)]
        for module, mode in zip(modules, modes):
            module.training = mode
        return cls.parted((function, args, kwargs), examples)

    @classmethod
    def example(cls, values, index):
        return pytree.tree_map(lambda x: x.examples[index] if isinstance(x, cls) else x, values)

    @classmethod
    def parted(cls, call, examples):
        first, second = examples
        if type(first) in (int, float, bool, str) and first == second:
            return first
        whole = cls(call, examples)
        if type(first) is dict:
            return {key: cls.record(operator.getitem, (whole, key), {}) for key in first}
        if type(first) in (list, tuple, torch.Size):
            parts = [cls.record(operator.getitem, (whole, i), {}) for i in range(len(first))]
            return parts if type(first) is list else tuple(parts)
        return whole

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return cls.record(function, args, kwargs or {})

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        if callable(getattr(self.examples[0], name)):
            method = getattr(type(self.examples[0]), name)
            return lambda *args, **kwargs: self.record(method, (self, *args), kwargs)
        return self.record(getattr, (self, name), {})

    def __bool__(self):
        raise TypeError('a condition on the values of a tensor of a model that is being built')

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __len__(self):
        if len(self.examples[0]) != len(self.examples[1]):
            raise TypeError('this size is not known while the model is being built')
        return len(self.examples[0])


def _operator(name, swapped):
    function = getattr(operator, name)
    if swapped:
        return lambda self, other: self.record(function, (other, self), {})
    return lambda self, *other: self.record(function, (self, *other), {})


for _name in ('add', 'sub', 'mul', 'truediv', 'floordiv', 'mod', 'pow', 'matmul', 'and', 'or', 'xor'):
    setattr(Symbol, f'__{_name}__', _operator(f'__{_name}__', False))
    setattr(Symbol, f'__r{_name}__', _operator(f'__{_name}__', True))
for _name in ('neg', 'abs', 'invert', 'lt', 'le', 'gt', 'ge', 'eq', 'ne', 'getitem'):
    setattr(Symbol, f'__{_name}__', _operator(f'__{_name}__', False))


def symbolic_input(shape, dtype=torch.float32, name=None):
    """An input of a model that is being built. shape: without the batch; None where a size is free.

    Of a row of steps, the examples are short: a model may have a table of so many positions.
    """
    dtype = torch.get_default_dtype() if dtype.is_floating_point else dtype  # as the weights have
    sizes = (12, 16) if len(shape) == 1 else (64, 96)
    examples = [torch.zeros(batch, *(free if n is None else n for n in shape), dtype=dtype)
                for batch, free in zip((2, 3), sizes)]
    return Symbol(None, examples, name)
