"""What calls of the user's functions give, in the terms of their callers."""

from __future__ import annotations

from typing import Any

from port.facts import Dim, Fact, Kind, Layout
from port.torch2tf import members
from port.torch2tf.values import BOTTOM, Function, Items, Origin, Origins, made_of


def outside(function: Function, result: Fact | None, bound: dict[str, Fact]) -> Fact:
    """What a call gives, in the caller's terms: a tensor with the shape of a parameter has that of the argument."""
    if result is None:
        return BOTTOM
    if not function.chooses:
        result = as_public(result)
    if isinstance(result.payload, Items):
        return result.but(payload=result.payload.mapped(lambda e: outside(function, e, bound)))
    origin = members.origin_of(result)
    if origin is not None and origin.function is function:
        given = bound.get(origin.name)
        if given is not None and given.kind is Kind.TENSOR and given.layout is result.layout:
            return given.but(dtype=result.dtype or given.dtype, values=result.values)
        brought = given is not None and given.kind is Kind.TENSOR and result.layout is Layout.PLAIN
        known = given.shape if brought and given is not None else None  # the caller brings its argument to these axes
        return result.but(shape=result.shape if known is None else known, payload=None)
    if isinstance(result.payload, Origin | Origins):
        shape = _shape_by_rank(function, result, bound) if result.kind is Kind.TENSOR else result.shape
        return result.but(shape=shape, payload=_in_callers_terms(function, result.payload, bound))
    return result


def _shape_by_rank(function: Function, result: Fact, bound: dict[str, Fact]) -> tuple[Dim, ...] | None:
    """That of the result, or as many unknown sizes as the arguments have axes that its rank is that of."""
    if result.shape is not None or result.layout is not Layout.PLAIN:
        return result.shape
    parts = (result.payload,) if isinstance(result.payload, Origin) else result.payload.parts
    ranks = {given.rank + part.more if part.function is function and (given := bound.get(part.name)) is not None
             and given.rank is not None else None for part in parts}
    return (None,) * rank if len(ranks) == 1 and (rank := ranks.pop()) is not None else None


def _in_callers_terms(function: Function, payload: Origin | Origins, bound: dict[str, Fact]) -> Any:
    """What a result is made of: the arguments in the place of the function's own parameters."""
    parts = (payload,) if isinstance(payload, Origin) else payload.parts
    found: set[Origin] = set()
    for part in parts:
        if part.function is not function:
            found.add(part)
        elif part.name in bound:
            made = made_of(bound[part.name], more=part.more, moved=part.moved)
            found |= made.parts if made is not None else set()
    return Origins(frozenset(found)) if found else None


def as_public(fact: Fact) -> Fact:
    """A root gives its results in the source's layout."""
    if isinstance(fact.payload, Items):
        return fact.but(payload=fact.payload.mapped(as_public))
    return fact.but(layout=Layout.PLAIN) if fact.kind is Kind.TENSOR else fact
