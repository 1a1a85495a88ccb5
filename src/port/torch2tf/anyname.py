"""Attributes whose names are computed: `setattr(self, f"stage{i}", module)`, `self.add_module(name, module)`.

What is set so may be any attribute that is set nowhere else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.namepatterns import ANYTHING, pattern
from port.torch2tf import assignments, members
from port.torch2tf.values import BOTTOM, Class, Instance, SelfOf, join, options

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

ANY = "*"


def put(it: Interp, cls: Class, name: Fact, value: Fact, site: cst.CSTNode) -> None:
    """Note what an attribute of this name, which may not be known, is set to."""
    known = name.literal(...)
    assignments.set_attribute(it, cls, known if isinstance(known, str) else ANY, value, site)


def held(it: Interp, cls: Class) -> Fact | None:
    """What is set under names that are not known; None if nothing is."""
    if it.current:
        cls.readers.setdefault(ANY, {})[it.current[-1]] = None
    return cls.attrs.get(ANY)


def is_pair(node: cst.Call) -> bool:
    """`self.add_module(*pair)`: a name and a module."""
    return len(node.args) == 1 and node.args[0].star == "*"


def set_(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """setattr(owner, name, value)"""
    for option in options(args[0]) if len(args) == 3 else ():
        if isinstance(option.payload, SelfOf | Instance):
            put(it, option.payload.cls, args[1], args[2], node)
    return UNKNOWN


def get(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """getattr(owner, name), of a name that is known or of those that are not."""
    payload = args[0].payload if len(args) >= 2 else None
    if not isinstance(payload, SelfOf | Instance) or not payload.cls.is_module:
        return UNKNOWN
    name, cls = args[1].literal(...), payload.cls
    found = held(it, cls)
    for attribute in _matching(it, node.args[1].value, args[1], cls):
        found = join(found, members.of_class(it, args[0], payload, attribute))
    if isinstance(name, str) and name in cls.attrs:
        cls.readers.setdefault(name, {}).update(dict.fromkeys(it.current[-1:]))
        found = cls.attrs[name]
    if found is None:  # of a name in parts, nothing yet
        return BOTTOM if pattern(node.args[1].value) != ANYTHING else UNKNOWN
    return join(found, args[2]) if len(args) == 3 else found


def _matching(it: Interp, node: cst.BaseExpression, name: Fact, cls: Class) -> list[str]:
    """Attributes that hold modules, and methods, which have such a name."""
    known = name.values is not None and all(isinstance(v, str) for v in name.values)
    form = pattern(node)
    if not known and form == ANYTHING:
        return []
    parts = [n for n, fact in cls.attrs.items() if fact.kind is Kind.LAYER and n != ANY]
    line = [c for c in it.classes.values() if cls.is_below(c)]
    return [n for n in dict.fromkeys([*parts, *(m for c in line for m in c.methods)]) if (
        n in (name.values or ()) if known else re.fullmatch(form, n))]
