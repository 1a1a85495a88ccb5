"""Dicts of layers whose keys are literal strings."""

from __future__ import annotations

from dataclasses import dataclass, field

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind

LAYERS = (Kind.LAYER, Kind.MODEL)


@dataclass(eq=False)
class Keyed:
    """A dict that only holds layers; a key that may hold one of several is not known."""

    values: dict[str, Fact] = field(default_factory=dict)
    open: bool = False  # it holds something else too


def of_literal(node: cst.Dict, values: list[Fact]) -> Fact | None:
    """`{}`, or a literal with layers under strings."""
    found = Keyed()
    for element, value in zip(node.elements, values, strict=True):
        key = element.key if isinstance(element, cst.DictElement) else None
        if not isinstance(key, cst.SimpleString) or value.kind not in LAYERS:
            return None
        found.values[str(key.evaluated_value)] = value
    return Fact(Kind.PLAIN, payload=found)


def put(keyed: Keyed, key: object, value: Fact) -> None:
    """`d[key] = value`."""
    if not isinstance(key, str) or value.kind not in LAYERS:
        keyed.open = True
        return
    old = keyed.values.get(key)
    keyed.values[key] = value if old is None or old.payload is value.payload else UNKNOWN


def get(keyed: Keyed, key: object) -> Fact | None:
    """`d[key]`; None if nothing is known of it."""
    found = keyed.values.get(key) if isinstance(key, str) and not keyed.open else None
    return found if found is not None and found is not UNKNOWN else None


def joined(facts: list[Fact]) -> Fact:
    """Any one of the dicts that one line of a loop made, turn by turn."""
    whole = Keyed()
    for fact in facts:
        whole.open |= fact.payload.open
        for key, value in fact.payload.values.items():
            put(whole, key, value)
    return Fact(Kind.PLAIN, payload=whole)


def holds_layers(fact: Fact) -> bool:
    """Is this a dict of layers, and of nothing else?"""
    return isinstance(fact.payload, Keyed) and bool(fact.payload.values) and not fact.payload.open
