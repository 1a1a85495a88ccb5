"""Values that are unpacked into several variables: shapes, and results of which one part is read."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind, Layout
from port.torch2tf import methods, rows
from port.torch2tf.refused import Refused
from port.torch2tf.values import ShapeOf
from port.tree import find


def one_part(w: Any, node: cst.Assign, target: Any, place: Any) -> Any:
    """`values, _ = x.max(1)`: the part that is used, alone."""
    without = unused(target)
    if len(node.targets) != 1 or not without or len(target.elements) != 2 or len(without) != 1:
        return None
    if isinstance(node.value, cst.Call) and w.fact(node.value.func).symbol in methods.FUNCTIONS:
        return None
    at = 1 - next(iter(without))
    part = rows.write_part(w, node.value, at)
    if part is None:
        return None
    alone = node.targets[0].with_changes(target=place(w, target.elements[at].value))
    return node.with_changes(targets=[alone], value=part)


def unused(target: Any) -> frozenset[int]:
    """Places of a target whose value nothing reads."""
    if type(target) not in (cst.Tuple, cst.List):
        return frozenset()
    return frozenset(i for i, e in enumerate(target.elements) if type(e.value) is cst.Name
                     and e.value.value == "_")


def whole_shape(w: Any, node: cst.Assign) -> list[Any] | None:
    """`b, c, h, w = x.shape`: the sizes come in the order that the tensor has in the target."""
    target, payload = node.targets[0].target, w.fact(node.value).payload
    if not isinstance(payload, ShapeOf) or type(target) is not cst.Tuple:
        return None
    of = payload.of
    if of.layout is not Layout.FLIPPED or payload.start or payload.stop is not None:
        return None
    elements = list(target.elements)
    if of.rank != len(elements) or any(isinstance(e, cst.StarredElement) for e in elements):
        return None
    values = [e.value for e in elements]
    values = [values[0], *values[2:], values[1]]
    made = [e.with_changes(value=v) for e, v in zip(elements, values, strict=True)]
    x = shape_owner(node.value)
    w.need("keras")
    shape = build("keras.ops.shape({x})", x=w.expr(x))
    return [node.with_changes(targets=[node.targets[0].with_changes(target=target.with_changes(elements=made))],
                              value=shape)]


def shape_owner(node: cst.BaseExpression) -> cst.BaseExpression:
    """`x` of `x.shape` and `x.size()`."""
    if isinstance(node, cst.Call):
        node = node.func
    if not isinstance(node, cst.Attribute):
        raise Refused("P206", "the shape of a channels-last tensor, by an unusual way", node)
    return node.value


def check_parts(w: Any, node: cst.Assign) -> None:
    """`x[0], x[1] = x[1], x[0]`: what TensorFlow writes into a part is another tensor, to be bound to the name."""
    for each in node.targets:
        apart = isinstance(each.target, cst.Tuple | cst.List)
        for part in find(each.target, cst.Subscript) if apart or len(node.targets) > 1 else ():
            if w.fact(part.value).kind is Kind.TENSOR:
                raise Refused("P206", "parts of a tensor are written together with others: write one assignment each",
                              part)
