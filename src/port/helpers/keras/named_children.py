import keras
from keras import layers


def named_children(module, unfit=()):
    """named_children() of an nn.Module; those named in `unfit` take other axes than the rest: to call them raises."""
    def raises(*args, **kwargs):
        raise NotImplementedError("this part takes its axes in PyTorch's order, and others beside it do not")

    if isinstance(module, keras.Sequential):
        return [(str(i), layer) for i, layer in enumerate(module.layers)]
    found = {}
    for name, part in vars(module).items():
        if isinstance(part, layers.Layer):
            found.setdefault(id(part), (name, raises if name in unfit else part))
    return list(found.values())
