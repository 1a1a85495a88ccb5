"""Truth values that are multiplied or added.

PyTorch takes them for 0 and 1. Where one of TensorFlow's operands holds truth values, `*` takes the other one for such
as well, without a word: `x * (x > 0)` is true and false. So they are cast, also where the other dtype is not known.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind
from port.torch2tf import dtypes
from port.torch2tf.jobs import bare

_TIMES = (cst.Multiply, cst.MultiplyAssign)
_OPERATORS = (*_TIMES, cst.Add, cst.AddAssign)
FUNCTIONS = frozenset("mul multiply add".split())


def cast(w: Any, node: cst.BaseExpression, other: cst.BaseExpression, at: cst.CSTNode) -> Any:
    """The dtype that truth values take from the tensor that they meet; None where nothing need be cast."""
    if not isinstance(getattr(at, "operator", None), _OPERATORS):
        return None
    if isinstance(at, cst.AugAssign) and w.fact(other).dtype is None:  # what is written in place keeps its dtype
        return dtypes.dtype_of(w, other) if other is at.target and _may_hold(w, node) else None
    return of_other(w, node, other)


def of_other(w: Any, node: cst.BaseExpression, other: cst.BaseExpression) -> Any:
    """The same of two arguments of a function."""
    mine, theirs = w.fact(node), w.fact(other)
    if theirs.kind is not Kind.TENSOR or not _may_hold(w, node):
        return None
    if theirs.dtype is None:
        return dtypes.dtype_of(w, other) if mine.dtype == "bool" else None
    is_float = dtypes.category(theirs.dtype) == 2
    return dtypes.expressed(w, theirs.dtype, [other], node) if mine.dtype is None and is_float else None


def _may_hold(w: Any, node: cst.BaseExpression) -> bool:
    """A tensor of truth values, or a mask of which nothing but the name is known."""
    fact = w.fact(node)
    return fact.kind is Kind.TENSOR and (fact.dtype == "bool" or (fact.dtype is None and "mask" in _name(node).lower()))


def _name(node: cst.BaseExpression) -> str:
    """`mask` of `~mask`, `mask[..., None]` and `self.mask.unsqueeze(1)`."""
    while not isinstance(node, cst.Name):
        if isinstance(node, cst.Subscript):
            node = node.value
        elif isinstance(node, cst.UnaryOperation):
            node = node.expression
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and (
                node.func.attr.value in dtypes.KEEPING):
            node = node.func.value
        else:
            return node.attr.value if isinstance(node, cst.Attribute) else ""
    return node.value


def multiplied(w: Any, node: cst.BinaryOperation, casts: list[Any], left: Any, right: Any) -> Any:
    """Both dtypes are open, and one may be that of truth values: Keras' product promotes as PyTorch's does."""
    sides = (node.left, node.right)
    facts = [w.fact(n) for n in sides]
    if not isinstance(node.operator, _TIMES) or any(c is not None for c in casts) or (
            any(f.kind is not Kind.TENSOR for f in facts)) or all(f.dtype is not None for f in facts) or (
            not any(_may_hold(w, n) for n in sides)):
        return None
    w.need("keras")
    return build("keras.ops.multiply({a}, {b})", a=bare(left), b=bare(right))
