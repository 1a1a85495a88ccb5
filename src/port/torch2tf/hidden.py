"""Modules and weights in plain lists, tuples and dicts of a module: PyTorch does not find them, Keras does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import libcst as cst

from port.facts import Fact, Kind
from port.torch2tf.layer_signatures import signatures
from port.torch2tf.values import Chain, Instance, Items, Layer, Mapping, SelfOf, options
from port.tree import find

WITHOUT_DEVICE = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "RReLU", "TransformerEncoder", "TransformerDecoder")
PARAMETER = "torch.nn.Parameter"
REGISTERED = "registered"  # in the notes: modules that PyTorch finds by another way as well


def check(w: Any, node: cst.Assign | cst.AnnAssign) -> None:
    """Tell of `self.parts = [nn.Linear(4, 4)]`, unless a module has each of them elsewhere too."""
    for target in [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]:
        if isinstance(target, cst.Attribute) and node.value is not None and _is_module(w.fact(target.value)) and any(
                _hides(w, fact) for fact in _values(w, node.value)):
            w.report("P101", "what a plain list, tuple or dict holds is hidden from PyTorch's parameters() and eval(); "
                     "Keras finds and trains it", node)


def _is_module(owner: Fact) -> bool:
    return any(isinstance(o.payload, SelfOf | Instance) and o.payload.cls.is_module for o in options(owner))


def _values(w: Any, value: cst.BaseExpression) -> Iterable[Fact]:
    """What is assigned; of a parameter what each call passes, as some may pass an nn.ModuleList."""
    function = w.function
    passed = function.places.get(value.value) if function is not None and isinstance(value, cst.Name) else None
    return [*passed.values()] if passed else [w.fact(value)]


def _hides(w: Any, fact: Fact) -> bool:
    plain = [p for o in options(fact) for p in _plain(o)]
    inside = [o for p in plain for part in _parts(p) for o in options(part)]
    found = [o.payload for o in inside if o.kind is Kind.LAYER and isinstance(o.payload, Layer | Chain | Instance)]
    return any(_has_state(p) and id(p) not in _registered(w) for p in found) or (
        any(o.symbol == "weight" for o in inside) and any(_makes_weights(w, p) for p in plain))


def _plain(fact: Fact) -> Iterator[Items | Mapping]:
    """A list, tuple or dict of Python, and such in it."""
    payload = fact.payload
    if isinstance(payload, Items | Mapping) and payload.kind != "modules":
        yield payload
        for part in _parts(payload):
            for option in options(part):
                yield from _plain(option)


def _makes_weights(w: Any, plain: Items | Mapping) -> bool:
    """Is an nn.Parameter made right where it is put into a list or dict, so that nothing else has it?"""
    places = [node for node, held in w.it.objects.items() if held is plain and isinstance(node, cst.CSTNode)]
    places += [s for s in plain.sites if isinstance(s, cst.CSTNode)] if isinstance(plain, Items) else []
    return any(w.it.names.resolve(call.func) == PARAMETER for place in places for call in find(place, cst.Call))


def _parts(payload: Items | Mapping) -> list[Fact]:
    return payload.elements if isinstance(payload, Items) else payload.every


def _has_state(module: Any) -> bool:
    """Does training it, or its mode, change what it computes? No for an activation or a pooling."""
    if isinstance(module, Chain):
        return module.open or any(_has_state(o.payload) for c in module.children for o in options(c))
    known = signatures().get(module.symbol) if isinstance(module, Layer) else None
    # What has weights has a device for them.
    return known is None or "device" in known.by_name or module.symbol.rpartition(".")[2].startswith(WITHOUT_DEVICE)


def _registered(w: Any) -> set[int]:
    """Modules that attributes of modules hold, or that the containers of PyTorch do that they hold."""
    notes = w.it.notes
    if REGISTERED not in notes:
        notes[REGISTERED] = set()
        for cls in w.it.classes.values():
            for fact in cls.attrs.values() if cls.is_module else ():
                _register(fact, notes[REGISTERED])
    return notes[REGISTERED]  # type: ignore[no-any-return]


def _register(fact: Fact, found: set[int]) -> None:
    for payload in (o.payload for o in options(fact)):
        if id(payload) in found or not isinstance(payload, Layer | Chain | Instance | Items | Mapping):
            continue
        if isinstance(payload, Items | Mapping) and payload.kind != "modules":
            continue
        found.add(id(payload))
        inside = payload.children if isinstance(payload, Chain) else _parts(payload) if isinstance(
            payload, Items | Mapping) else ()
        for part in inside:
            _register(part, found)
