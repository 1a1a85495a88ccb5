"""Facts of attributes."""

from __future__ import annotations

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, tensor
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Class, Grown, Instance, Items, ShapeOf, find_method, has_tensor


# ---------------------------------------------------------------- attributes and subscripts
def tensor_attribute(owner: Fact, name: str, variable: str = "") -> Fact:
    if name == "shape":
        return Fact(Kind.SHAPE, payload=ShapeOf(owner, variable))
    if name == "dtype":
        return Fact(Kind.PLAIN, symbol="=")
    if name == "T":
        return tensor(None if owner.shape is None else tuple(reversed(owner.shape)), owner.dtype)
    return Fact(Kind.UNKNOWN, symbol=f"tensor.{name}", payload=owner)


def inherited(cls: Class, name: str) -> Fact | None:
    method = find_method(cls, name)
    if method is not None:
        return Fact(Kind.FUNCTION, payload=method)
    for base in cls.bases:
        if isinstance(base.payload, Class) and name in base.payload.attrs:
            return base.payload.attrs[name]
    return None


def of_super(it: Interp, name: str) -> Fact | None:
    """`super().call`: the method of a base class of the file; None for one of the framework's."""
    cls = it.current[-1].owner if it.current else None
    for base in cls.bases if cls is not None else ():
        method = find_method(base.payload, name) if isinstance(base.payload, Class) else None
        if method is not None and method.owner is not None:
            method.owner.extended = True
            return Fact(Kind.FUNCTION, payload=method)
    return None


def object_attribute(owner: Fact, name: str) -> Fact | None:
    payload = owner.payload
    if isinstance(payload, Instance) and not payload.cls.root:
        held = payload.cls.attrs.get(name) or UNKNOWN  # of a class that is no layer
        if has_tensor(held):
            bare = None if held.shape is None else (None,) * len(held.shape)  # sizes have other names there
            return held if held.kind is not Kind.TENSOR else held.but(shape=bare, last=None, payload=None)
    if isinstance(payload, Items) or owner.kind is Kind.PLAIN or isinstance(payload, Grown):
        return Fact(Kind.FUNCTION, symbol=f"list.{name}", payload=owner) if owner.kind is Kind.PLAIN else None
    if owner.kind in (Kind.LAYER, Kind.MODEL):
        if name == "call":  # without hooks and scopes, which the numbers do not know
            return owner
        return Fact(Kind.FUNCTION, symbol=f"layer.{name}", payload=owner)
    if isinstance(payload, Class):
        return inherited(payload, name)
    return None


def variable_of(node: cst.BaseExpression) -> str:
    """The name that an expression is, if it is one."""
    return node.value if isinstance(node, cst.Name) else ""
