"""Where a tensor came from: what its use says of the parameter or Input that it was."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Items, Origin, SameRank, tensors_in


def join_origin(facts: tuple[Fact, ...]) -> Any:
    return next((f.payload for f in facts if isinstance(f.payload, Origin)), None)


def same_rank(facts: tuple[Fact, ...]) -> SameRank | None:
    """The parameter or Input whose rank these tensors share."""
    return next((SameRank(f.payload.owner, f.payload.name) for f in facts
                 if isinstance(f.payload, Origin | SameRank)), None)


def want_flipped(it: Interp, facts: tuple[Fact, ...]) -> None:
    """A spatial op: parameters and Inputs that reach it arrive channels first."""
    for fact in facts:
        for t in tensors_in(fact):
            if isinstance(t.payload, Origin) and t.layout is Layout.PLAIN and not _is_straight(it, t.payload.owner):
                it.flips.add((t.payload.owner, t.payload.name))
            if isinstance(t.payload, Origin) and t.shape is None:
                it.ranks.setdefault((t.payload.owner, t.payload.name), 4)


def _is_straight(it: Interp, owner: Any) -> bool:
    return owner is not None and owner.node in it.straight


def as_source(fact: Fact) -> Fact:
    """What a public interface gives: axes as in the source."""
    if isinstance(fact.payload, Items):
        return fact.but(payload=Items([as_source(e) for e in fact.payload.elements], fact.payload.kind))
    return fact.but(layout=Layout.PLAIN, payload=None) if fact.kind is Kind.TENSOR else fact


def proves_rank(it: Interp, node: cst.BaseExpression, rank: int) -> None:
    """A use that only a tensor of this rank has: what a parameter that is never assigned to must be."""
    function = it.current[-1] if it.current else None
    fact = it.facts.get(node, UNKNOWN)
    if rank and isinstance(fact.payload, Origin) and fact.payload.owner is function and fact.shape is None:
        it.ranks.setdefault((function, fact.payload.name), rank)
    elif rank and function is not None and isinstance(node, cst.Name) and node.value in function.params and (
            node.value not in function.assigned) and fact.kind is Kind.TENSOR and fact.shape is None:
        it.ranks.setdefault((function, node.value), rank)
