"""Operands that meet element by element: their axes in the order of the tensor that they meet."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Fact, Kind, Layout
from port.torch2tf.refused import Refused


def operand(w: Any, node: cst.BaseExpression, whole: cst.CSTNode) -> Any:
    """One side of an element-by-element operation, in the layout that `whole` has."""
    want = w.it.wants.get(whole, Layout.PLAIN)
    fact: Fact = w.fact(node)
    if fact.kind is not Kind.TENSOR:
        return w.expr(node)
    if want is Layout.PLAIN:
        return w.expr(node, Layout.PLAIN)
    return aligned(w, node, fact, w.fact(whole).rank)


def aligned(w: Any, node: cst.BaseExpression, fact: Fact, total: int | None) -> Any:
    """A tensor that is broadcast against a channels-last one of rank `total`."""
    if fact.layout is Layout.FLIPPED or fact.rank == 0:
        return w.expr(node)
    if fact.rank is None or total is None:
        raise Refused("P208", "the rank of one operand is not known, the other is channels last in Keras", node)
    if fact.rank == total:
        return w.expr(node, Layout.FLIPPED)
    new = w.expr(node, Layout.PLAIN)
    if all(size == 1 for size in fact.shape or ()):
        return new
    if fact.rank == total - 1:  # (C, H, W) against (N, H, W, C)
        return w.transposed(new, str([*range(1, fact.rank), 0]))
    return build("{x}[..., None]", x=new)  # (H, W): the same for all channels
