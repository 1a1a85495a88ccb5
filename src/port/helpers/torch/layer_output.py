# needs: named
from torch.utils import _pytree as pytree


def layer_output(model, name):
    """What the layer of that name gives in a FunctionalModel."""
    if not isinstance(name, str):
        raise NotImplementedError('the layers of this model are known by their names, not by numbers')
    for symbol in (*pytree.tree_leaves(model.input), *model.steps):
        if name in (symbol.name, *vars(symbol).get('layer_names', ())):
            return symbol
    raise ValueError(f'no layer of this model was given the name {name!r}')
