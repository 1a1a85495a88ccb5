"""Lists of tensors that functions of the user's take: each tensor in the layout that is expected at its place."""

from __future__ import annotations

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Function, tensors_in


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


def _as_taken(given: Fact, taken: Fact) -> bool:
    return given.layout is taken.layout or given.rank in (0, 1, 2)
