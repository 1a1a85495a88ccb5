"""Operators on tensors: operands in one layout; dtypes and spelling are a matter of the rows."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Fact, Kind, Layout
from port.torch2tf import rows
from port.torch2tf.refused import Refused


def binary(w: Any, node: cst.BinaryOperation) -> Any:
    if Kind.TENSOR not in (w.fact(node.left).kind, w.fact(node.right).kind):
        return plain_binary(w, node)
    return rows.write_binary(w, node)


def plain_binary(w: Any, node: cst.BinaryOperation) -> Any:
    left, right = w.expr(node.left), w.expr(node.right)
    if left is node.left and right is node.right:
        return node
    return node.with_changes(left=_operand(node.left, left), right=_operand(node.right, right))


def _operand(old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
    return new if new is old or type(new) is type(old) else paren(new)


def comparison(w: Any, node: cst.Comparison) -> Any:
    facts = [w.fact(node.left), *(w.fact(t.comparator) for t in node.comparisons)]
    kinds = {f.kind for f in facts}
    if Kind.TENSOR in kinds and not isinstance(node.comparisons[0].operator, cst.Is | cst.IsNot | cst.In | cst.NotIn):
        return rows.write_comparison(w, node)
    return w.generic(node)


def unary(w: Any, node: cst.UnaryOperation) -> Any:
    if w.fact(node.expression).kind is Kind.TENSOR and not isinstance(node.operator, cst.Not):
        return rows.write_unary(w, node)
    return w.generic(node)


def operand(w: Any, node: cst.BaseExpression, whole: cst.CSTNode) -> Any:
    """One side of an element-by-element operation, in the layout that `whole` has."""
    want = w.it.wants.get(whole, Layout.PLAIN)
    fact: Fact = w.fact(node)
    if fact.kind is not Kind.TENSOR:
        return w.expr(node)
    if want is Layout.PLAIN:
        return w.expr(node, Layout.PLAIN)
    total = w.fact(whole).rank
    return aligned(w, node, fact, total)


def aligned(w: Any, node: cst.BaseExpression, fact: Fact, total: int | None) -> Any:
    """A tensor that is broadcast against a channels-last one of rank `total`."""
    if fact.layout is Layout.FLIPPED or fact.rank == 0:
        return w.expr(node)
    if fact.rank is None or total is None:
        raise Refused("P208", "the rank of one operand is not known, the other is channels last in Keras", node)
    if fact.rank == total:
        return w.expr(node, Layout.FLIPPED)
    new = w.expr(node, Layout.PLAIN)
    if all(size == 1 for size in fact.shape[:-1] or ()) and fact.shape[-1:] == (1,):
        return new
    if fact.rank == total - 1:  # (C, H, W) against (N, H, W, C)
        order = [*range(1, fact.rank), 0]
        return w.transposed(new, str(order))
    return build("{x}[..., None]", x=new) if fact.rank > 1 else build("{x}[:, None]", x=new)
