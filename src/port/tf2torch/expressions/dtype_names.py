"""`x.dtype == "float32"`: TensorFlow compares dtypes with their names, PyTorch's equal no string."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.facts import Kind
from port.tf2torch.calls.arrays import is_table
from port.tf2torch.calls.spelling import DTYPES
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.expressions.own import DTYPES as OF_LAYERS
from port.tree import changed, code, find

OPERATORS = (cst.Equal, cst.NotEqual, cst.In, cst.NotIn)


def compared(em: Emitter, node: cst.Comparison) -> cst.BaseExpression | None:
    """The comparison of a tensor's dtype with one name, or several; None for any other."""
    if len(node.comparisons) != 1 or not isinstance(node.comparisons[0].operator, OPERATORS):
        return None
    left, right = node.left, node.comparisons[0].comparator
    if _names(right) and (found := _dtype(em, left)) is not None:
        left, right = em.expr(found), _spelled(em, right)
    elif _names(left) and (found := _dtype(em, right)) is not None:
        left, right = _spelled(em, left), em.expr(found)
    else:
        return None
    return changed(node, left=left, comparisons=[changed(node.comparisons[0], comparator=right)])


def _names(node: Any) -> list[cst.SimpleString]:
    """A string, or those of a tuple, list or set of nothing else."""
    if type(node) is cst.SimpleString:
        return [node]
    inner = [e.value for e in node.elements] if isinstance(node, cst.Tuple | cst.List | cst.Set) else []
    strings = [e for e in inner if isinstance(e, cst.SimpleString)]
    return strings if len(strings) == len(inner) else []


def _dtype(em: Emitter, node: Any) -> cst.BaseExpression | None:
    """The expression that gives a dtype of PyTorch in its place; None if it is none, as that of an array."""
    if type(node) is cst.Call and em.symbol(node.func) == "keras.backend.dtype":
        return node
    if type(node) is cst.Name and em.scope.function is not None:
        held = [a for a in find(em.scope.function.node, cst.AssignTarget) if code(a.target) == node.value]
        lines = [a for a in find(em.scope.function.node, cst.Assign) if a.targets[0] in held]
        return node if len(held) == 1 and lines and _dtype(em, lines[0].value) is lines[0].value else None
    if type(node) is not cst.Attribute:
        return None
    if node.attr.value == "name":
        return _dtype(em, node.value)
    own = code(node.value) == "self" and em.scope.cls is not None
    if own and node.attr.value in OF_LAYERS:
        return node
    if node.attr.value != "dtype":
        return None
    fact = em.fact(node.value)
    if fact.kind in (Kind.UNKNOWN, Kind.PLAIN) and em.scope.stage == "forward" and not is_table(fact):
        raise Refused("P208", f"what `{code(node.value)}` is is not known, and its dtype is compared with a name", node)
    return node if fact.kind is Kind.TENSOR else None


def _spelled(em: Emitter, node: Any) -> cst.BaseExpression:
    if type(node) is not cst.SimpleString:
        return changed(node, elements=[changed(e, value=_spelled(em, e.value)) for e in node.elements])
    name = str(node.evaluated_value)
    if name not in DTYPES:
        raise Refused("P203", f"torch has no dtype like `{name}`", node)
    if name == "int32":
        em.report("P103", "int32 is written as int64, the whole numbers of PyTorch", None)
        name = "int64"
    em.need("torch")
    return expression(f"torch.{name}")
