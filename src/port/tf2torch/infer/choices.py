"""A variable that holds one of several layers, each of which is a whole module: any of them may be called alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from port.facts import Fact, Kind, Layout
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.rowcalls import FLIPS
from port.tf2torch.infer.values import Alternatives, Class, Function, Instance, LayerCall, find_method, is_module


@dataclass(frozen=True, eq=False)
class OneOf:
    """Payload of such a variable."""

    layers: tuple[Fact, ...]


def of_builders(a: Fact, b: Fact) -> Fact | None:
    """One of two functions of the user's that make layers; None for anything else."""
    return _any_of(a, b, lambda held: isinstance(held, Function) and (held.stateful or held.inner is not None))


def of_classes(a: Fact, b: Fact) -> Fact | None:
    """One of two classes of the user's layers; None for anything else."""
    return _any_of(a, b, lambda held: isinstance(held, Class) and is_module(held))


def _any_of(a: Fact, b: Fact, fits: Callable[[Any], bool]) -> Fact | None:
    """One of all that the two may be; None if one of these does not fit."""
    found = [f for x in (a, b) for f in (x.payload.functions if isinstance(x.payload, Alternatives) else [x])]
    if a.payload is b.payload or a.kind is not b.kind or not all(fits(f.payload) for f in found):
        return None
    return Fact(Kind.FUNCTION, payload=Alternatives(list({id(f.payload): f for f in found}.values())))


def joined(a: Fact, b: Fact) -> Fact | None:
    """One of two layers of the user's classes, or activations, or what is not known; None for anything else."""
    if a.payload is b.payload or not (_may_be(a) or _is_open(a)) or not (_may_be(b) or _is_open(b)):
        return None
    layers = [x for f in (a, b) for x in (f.payload.layers if isinstance(f.payload, OneOf) else (f,))]
    different = {id(x.payload): x for x in layers if x.payload is not None}
    return Fact(Kind.LAYER, payload=OneOf(tuple(different.values()))) if different else None


def _is_open(fact: Fact) -> bool:
    return fact.kind is Kind.PLAIN and fact.payload is None and fact.values is None and fact.dtype is None


def _may_be(fact: Fact) -> bool:
    if isinstance(fact.payload, Instance | OneOf):
        return True
    return isinstance(fact.payload, LayerCall) and fact.payload.symbol == "keras.layers.Activation"


def gets_images(it: Interp, function: Function) -> bool:
    """Is it given tensors channels first?"""
    return not it.plain_axes(function) and (bool(function.flipped) or any(
        t.layout is Layout.FLIPPED and t.rank not in (0, 1, 2) for t in function.tensors.values()))


def takes_images(it: Interp, choice: OneOf) -> bool:
    """Do all of them take images channels first?"""
    methods = [find_method(f.payload.cls, "call") if isinstance(f.payload, Instance) else None for f in choice.layers]
    return all(m is not None and m.flipped and not it.plain_axes(m) for m in methods)


def takes_plain(it: Interp, choice: OneOf) -> bool:
    """Do all of them take tensors with the source's axes?"""
    for fact in choice.layers:
        payload = fact.payload
        if isinstance(payload, Instance):
            method = find_method(payload.cls, "call")
            if method is None or (method.flipped and not it.plain_axes(method)):
                return False
        elif payload.row is None or payload.row.layout == FLIPS:
            return False
    return True
