"""Lists of tensors that functions of the user's take: each tensor in the layout that is expected at its place."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Function, Grown, Items, tensors_in
from port.tree import code, find, memo


def several(em: Emitter, node: cst.BaseExpression, function: Function, name: str) -> cst.BaseExpression | None:
    """The list with its tensors permuted where other calls give them otherwise; None where it may stay as it is."""
    known, fact = function.tensors.get(name), em.fact(node)
    given = list(tensors_in(fact))
    if known is None or fact.kind is Kind.TENSOR:
        return None
    if em.it.plain_axes(function) or (known.kind is Kind.TENSOR and name not in function.flipped):
        return em.plain(node) if any(t.layout is not Layout.PLAIN for t in given) else None
    taken = list(tensors_in(known))
    alike = len(given) == len(taken) or len({t.layout for t in taken}) == 1
    wants = taken if len(given) == len(taken) else taken[:1] * len(given)
    if not given or not taken or (alike and all(map(_as_taken, given, wants))):
        return None
    if not isinstance(node, cst.Tuple | cst.List) or len(node.elements) != len(wants):
        raise Refused("P209", f"`{name}` of `{function.name}` takes tensors that are channels first at other places; "
                      "write the list out", node)
    return node.with_changes(elements=[
        e.with_changes(value=em.expr(e.value, None if g.rank in (0, 1, 2) else w.layout))
        for e, g, w in zip(node.elements, given, wants, strict=True)])


def together(em: Emitter, node: cst.BaseExpression, want: Layout | None) -> cst.BaseExpression | None:
    """A list that a layer takes, its tensors in the layout that is wanted; None where they are, or it is no list."""
    fact = em.fact(node)
    one_order(fact, node)
    others = [t for t in tensors_in(fact) if t.layout is not want and t.rank not in (0, 1, 2)]
    if fact.kind is Kind.TENSOR or want is None or not others:
        return None
    if not isinstance(node, cst.Tuple | cst.List) or any(isinstance(e, cst.StarredElement) for e in node.elements):
        raise Refused("P209", "a list of tensors in another layout than this needs; write the list out", node)
    return node.with_changes(elements=[
        e.with_changes(value=em.expr(e.value, None if em.fact(e.value).rank in (0, 1, 2) else want))
        for e in node.elements])


def one_order(fact: Fact, node: cst.BaseExpression) -> None:
    """Refuse a list to which a loop appends tensors that are channels first, where the others are not."""
    if fact.kind is not Kind.TENSOR and any(t.layout is Layout.MIXED for t in tensors_in(fact)):
        raise Refused("P209", f"some tensors of `{code(node)}` are channels first in PyTorch, and others are not", node)


def check_filled(em: Emitter, node: cst.Call, function: Function, args: Sequence[tuple[cst.Arg, str]]) -> None:
    """Refuse to hand over a list or dict that the function puts images into: facts of the caller's do not see them."""
    filled = _filled(function.node) if not em.it.plain_axes(function) else {}
    given = [(name, em.fact(arg.value)) for arg, name in args] if filled else []
    images = bool(function.flipped) or any(
        t.layout is Layout.FLIPPED and t.rank not in (0, 1, 2) for _, fact in given for t in tensors_in(fact))
    for name, fact in given if images else ():
        holds = filled.get(name) or isinstance(fact.payload, Items | Grown)  # `n += 1` may be of a number
        if name in filled and fact.kind is not Kind.TENSOR and holds:
            raise Refused("P209", f"`{function.name}` puts tensors into `{name}`, and which order of axes they have is "
                          "not followed: let it return them", node)


@memo
def _filled(node: cst.CSTNode) -> dict[str, bool]:
    """Names of which a function changes what they hold; False: perhaps, by `+=`."""
    added = [n.target for n in find(node, cst.AugAssign)]
    owners = [c.func.value for c in find(node, cst.Call) if isinstance(c.func, cst.Attribute)
              and c.func.attr.value in ("append", "extend", "insert", "update", "setdefault")]
    owners += [t.target.value for t in find(node, cst.AssignTarget) if isinstance(t.target, cst.Subscript)]
    return {n.value: False for n in added if isinstance(n, cst.Name)} | {
        n.value: True for n in owners if isinstance(n, cst.Name)}


def _as_taken(given: Fact, taken: Fact) -> bool:
    return given.layout is taken.layout or given.rank in (0, 1, 2)
