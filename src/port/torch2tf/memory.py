"""What may give the memory of its argument instead of new memory: functions, methods and modules of PyTorch."""

from __future__ import annotations

from port.facts import Fact, Kind
from port.torch2tf.values import Items, Layer, Mapping, tensors_in

# Functions and methods whose result may be the memory of their tensor.
VIEWS = frozenset("""
    view reshape transpose permute squeeze unsqueeze expand expand_as narrow select flatten t chunk split tensor_split
    detach view_as contiguous unbind diagonal swapaxes swapdims movedim moveaxis unflatten ravel to type float double
    half long int bool type_as cpu cuda requires_grad_ as_strided broadcast_to view_as_real view_as_complex rearrange
    data T mT dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout identity hsplit vsplit
    dsplit""".split())
CASTS = {"float": "float", "double": "float", "half": "float", "long": "int64", "int": "int32", "bool": "bool"}
SAME = frozenset("""
    Identity Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout Flatten Unflatten""".split())
HOLDERS = frozenset("list tuple reversed zip enumerate sorted iter next dict set map filter".split())
GROW = ("append", "extend", "insert", "add", "update", "setdefault", "appendleft")


def is_memory(fact: Fact) -> bool:
    """A tensor, or what may be or hold one."""
    return fact.kind in (Kind.TENSOR, Kind.UNKNOWN) or any(True for _ in tensors_in(fact)) or is_holder(fact)


def is_holder(fact: Fact) -> bool:
    """A container that is followed."""
    return isinstance(fact.payload, Items | Mapping)


def writes(layer: Layer) -> bool:
    """Does it change its argument: `inplace=True`?"""
    fact = layer.facts.get("inplace")
    return fact is not None and fact.literal() is not False
