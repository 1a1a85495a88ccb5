"""Operators on tensors: operands in one layout; dtypes and spelling are a matter of the rows."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Kind
from port.torch2tf import init_calls, probes, rows
from port.torch2tf.refused import Refused
from port.tree import code


def binary(w: Any, node: cst.BinaryOperation) -> Any:
    if Kind.TENSOR not in (w.fact(node.left).kind, w.fact(node.right).kind):
        return w.generic(node)
    return rows.write_binary(w, node)


def comparison(w: Any, node: cst.Comparison) -> Any:
    known = init_calls.has_weight(w, node)
    if known is not None:
        return known
    if (there := probes.settle(w, node)) is not None:
        return cst.Name(str(there))
    facts = [w.fact(node.left), *(w.fact(t.comparator) for t in node.comparisons)]
    kinds = {f.kind for f in facts}
    if Kind.TENSOR in kinds and not isinstance(node.comparisons[0].operator, cst.Is | cst.IsNot | cst.In | cst.NotIn):
        return rows.write_comparison(w, node)
    new = w.generic(node)
    for old, made in zip(_compared(node), _compared(new), strict=True):
        if type(made) is cst.Lambda and made is not old:
            raise Refused("P203", f"`{code(old)}` is compared, and is no one object in TensorFlow: ask isinstance", old)
    return new


def _compared(node: cst.Comparison) -> list[cst.BaseExpression]:
    """What is compared with one another, also as one of several."""
    sides = [node.left, *(t.comparator for t in node.comparisons)]
    return [one for s in sides for one in (
        [e.value for e in s.elements] if isinstance(s, cst.Tuple | cst.List | cst.Set) else [s])]


def unary(w: Any, node: cst.UnaryOperation) -> Any:
    if w.fact(node.expression).kind is Kind.TENSOR and not isinstance(node.operator, cst.Not):
        return rows.write_unary(w, node)
    return w.generic(node)
