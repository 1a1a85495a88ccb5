"""What a function gives that gives a tensor or a tuple, as a setting says: `return (x, weights) if verbose else x`.

Both have the source's axes (statements.py writes them so). Which of them it is, its use tells: a tuple has no `mean`,
and only a tuple is unpacked behind `if verbose:`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.torch2tf.values import Alternatives, Items, is_either, join, options

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

OF_TUPLES = ("count", "index")


def returned(old: Fact | None, new: Fact) -> Fact:
    """What a function gives that has given the old so far."""
    if old is not None and {_sort(old), _sort(new)} in ({"tensor", "tuple"}, {"either", "tuple"}, {"either", "tensor"}):
        old, new = _public(old), _public(new)
        if not is_either(old) and not is_either(new):
            return Fact(Kind.UNKNOWN, payload=Alternatives((old, new) if _sort(old) == "tensor" else (new, old)))
    return join(old, new)


def _sort(fact: Fact) -> str:
    if fact.kind is Kind.TENSOR:
        return "tensor"
    if fact.kind is Kind.PLAIN and isinstance(fact.payload, Items) and fact.payload.kind == "tuple":
        return "tuple"
    return "either" if is_either(fact) else ""


def _public(fact: Fact) -> Fact:
    if fact.kind is Kind.TENSOR:
        return fact.but(layout=Layout.PLAIN, payload=None, symbol="")
    return fact.but(payload=fact.payload.mapped(_public), values=None) if isinstance(fact.payload, Items) else fact


def parts(it: Interp, node: cst.CSTNode | None) -> tuple[Fact, ...]:
    """What `(x, y) if verbose else x` may be; nothing of what is of one kind."""
    if type(node) is not cst.IfExp or it.fact(node.test).literal(...) in (True, False):
        return ()
    found = it.fact(node.body), it.fact(node.orelse)
    return found if found[0].kind is not found[1].kind else ()


def part(fact: Fact, sort: str) -> Fact | None:
    """The tensor, or the tuple, that this may be; None if it is not one of the two."""
    return next((o for o in options(fact) if _sort(o) == sort), None) if is_either(fact) else None


def used(it: Interp, node: cst.BaseExpression, fact: Fact, as_tensor: bool) -> Fact:
    """The fact of an expression at a place that only a tensor can stand at."""
    tensor = part(fact, "tensor") if as_tensor else None
    if tensor is None:
        return fact
    it.note(node, tensor)
    return tensor
