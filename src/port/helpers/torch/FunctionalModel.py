from torch import nn
from torch.utils import _pytree as pytree


class FunctionalModel(nn.Module):
    """The model that computes `outputs` from `inputs`; `layers` are its modules, in the order of the calls."""

    def __init__(self, inputs, outputs):
        if '_modules' not in self.__dict__:  # a class that derives may have made its own before
            super().__init__()
        found, open_ = {}, [x for x in pytree.tree_leaves((inputs, outputs)) if hasattr(x, 'examples')]
        given = {id(x) for x in pytree.tree_leaves(inputs)}
        while open_:
            symbol = open_.pop()
            if id(symbol) not in found:
                found[id(symbol)] = symbol
                if id(symbol) not in given:
                    open_ += [x for x in pytree.tree_leaves(symbol.call[1:]) if hasattr(x, 'examples')]
        steps = sorted((x for x in found.values() if id(x) not in given), key=lambda x: x.number)
        outputs = outputs[0] if isinstance(outputs, (list, tuple)) and len(outputs) == 1 else outputs  # as Keras does
        inputs, outputs = pytree.tree_map(lambda x: x, (inputs, outputs))  # lists as they are now: they may grow
        self.steps, self.input, self.output = steps, inputs, outputs  # in this order: copies need no recursion
        self.layers = nn.ModuleList(dict.fromkeys(x.call[0] for x in steps if isinstance(x.call[0], nn.Module)))

    def forward(self, *inputs):
        given = inputs[0] if len(inputs) == 1 else inputs
        wanted = pytree.tree_leaves(self.input)
        if isinstance(self.input, dict):
            given = [given[key] for key in self.input]
        elif isinstance(given, dict):
            given = [given[symbol.name] for symbol in wanted]
        known = dict(zip(map(id, wanted), pytree.tree_leaves(given)))

        def value(x):
            return known[id(x)] if hasattr(x, 'examples') else x

        for step in self.steps:
            function, args, kwargs = step.call
            known[id(step)] = function(*pytree.tree_map(value, args), **pytree.tree_map(value, kwargs))
        return pytree.tree_map(value, self.output)
