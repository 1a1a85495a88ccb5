"""Attributes: of the framework, of shapes and dtypes, of layers, of a class's own Keras base."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind, Layout
from port.scopes import File
from port.tf2torch.calls import named_layers
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.expressions import members, own
from port.tf2torch.expressions.constants import constant
from port.tf2torch.infer.values import (
    Function,
    LayerCall,
    SelfValue,
    find_method,
)
from port.tree import changed, code


def _member(owner: cst.BaseExpression, path: str) -> cst.BaseExpression:
    """`owner.pointwise.bias`."""
    for name in path.split("."):
        owner = cst.Attribute(owner, cst.Name(name))
    return owner


def layer_weight(em: Emitter, node: cst.Attribute, layer: LayerCall) -> cst.BaseExpression:
    """`self.tokens.embeddings` -> `self.tokens.weight`; a transposed kernel is transposed back."""
    name = node.attr.value
    spec = layer.row.weights.get(name) if layer.row is not None else None
    owner = paren(em.expr(node.value))
    if isinstance(spec, str):
        return _member(owner, spec)
    if isinstance(spec, dict) and set(spec) == {"to", "permute"} and list(spec["permute"]) == [1, 0]:
        return cst.Attribute(_member(owner, spec["to"]), cst.Name("T"))
    if isinstance(spec, dict) and set(spec) <= {"to", "missing"}:
        return _member(owner, spec["to"])
    if isinstance(spec, dict) and "permute" in spec:
        raise Refused("P206", f"`{name}` of this layer has another order of axes in PyTorch", node)
    raise Refused("P204", f"`{name}` of a Keras layer", node)


def _is_forward(method: Any, owner: Any) -> bool:
    """Is `call`, of `self`, `super()` or a class, the method that is called `forward` in PyTorch?"""
    cls = owner.cls if isinstance(owner, SelfValue) else getattr(method, "owner", None)
    return cls is not None and cls.root in own.MODULES and find_method(cls, "call") is not None


def _forward(em: Emitter, node: cst.Attribute, method: Any) -> cst.BaseExpression:
    result = method.result if isinstance(method, Function) else None
    inside = em.fact(node.value).symbol == "super"
    if isinstance(method, Function) and not inside and (method.flipped or (
            result is not None and result.layout is not Layout.PLAIN)):
        raise Refused("P209", f"`{code(node)}` is called by name, and takes tensors channels last from outside", node)
    return changed(node, value=paren(em.expr(node.value)), attr=cst.Name("forward"))


def attribute(em: Emitter, node: cst.Attribute) -> cst.BaseExpression | None:
    """What PyTorch has for an attribute; None if it is spelled alike there."""
    payload = em.fact(node).payload
    if isinstance(payload, Function) and payload in em.classes and isinstance(em.fact(node.value).payload, File):
        return expression(em.classes[payload](payload).name)
    of_framework = members.dtype_attribute(em, node) or members.shape_attribute(em, node, em.fact(node.value))
    if of_framework is not None:
        return of_framework
    symbol = em.symbol(node)
    if symbol and symbol.split(".")[0] in ("tf", "keras"):
        return constant(em, node, symbol)
    if (found := named_layers.asked(em, node)) is not None:
        return found
    owner = em.fact(node.value)
    if node.attr.value == "call" and owner.kind in (Kind.LAYER, Kind.MODEL):
        return em.expr(node.value)
    if node.attr.value == "call" and _is_forward(payload, owner.payload):
        return _forward(em, node, payload)
    if isinstance(owner.payload, LayerCall):
        return layer_weight(em, node, owner.payload)
    if isinstance(owner.payload, SelfValue):
        if em.scope.names.get("self." + node.attr.value):
            return expression(em.scope.names["self." + node.attr.value])
        keras_own = own.attribute(em, node, owner.payload.cls)
        if keras_own is not None:
            return keras_own
    own.of_model(em, node)
    if owner.kind is Kind.TENSOR and node.attr.value == "shape" and owner.layout is Layout.FLIPPED:
        return build("{x}.shape", x=paren(em.expr(node.value, Layout.PLAIN)))
    return None
