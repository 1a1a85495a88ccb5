"""Attributes whose names code computes: `setattr(self, f"stage{i}", layer)`, `getattr(self, f"stage{i}")(x)`.

What is set so may be any attribute that is set nowhere else; what is read may be any whose name fits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.namepatterns import ANYTHING, meet, pattern
from port.tf2torch.infer.attributes import inherited
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.joins import alternatives
from port.tf2torch.infer.several import CALLED, either
from port.tf2torch.infer.values import EITHER, Class, SelfValue, line_of

COMPUTED = "*"  # before the pattern of names that something is set under
NOT_CALLED = ("call", "__init__")


def set_(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """setattr(self, name, value)"""
    if len(args) == 3 and isinstance(args[0].payload, SelfValue):
        attrs, name = args[0].payload.cls.attrs, args[1].literal(...)
        name = name if isinstance(name, str) else COMPUTED + pattern(node.args[1].value)
        attrs[name] = either(attrs.get(name), args[2]) or args[2]
    return it.plain(node)


def get(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """getattr(self, name): what it names, or one of several layers or methods."""
    if len(args) < 2 or not isinstance(args[0].payload, SelfValue):
        return it.plain(node)
    cls, values = args[0].payload.cls, args[1].values
    known = values is not None and all(isinstance(v, str) for v in values)
    forms = [re.escape(v) for v in values or ()] if known else [pattern(node.args[1].value)]
    found = held(cls, forms)
    return found if found is not None else it.plain(node)


def held(cls: Class, forms: Sequence[str]) -> Fact | None:
    """What has a name of such a form; None if nothing that is called has."""
    line = line_of(cls)
    names = dict.fromkeys(n for c in line for n in (*c.attrs, *c.methods) if n not in NOT_CALLED)
    fit = [n for n in names if any(
        meet(n.removeprefix(COMPUTED) if n.startswith(COMPUTED) else re.escape(n), f) for f in forms)]
    facts = [next((c.attrs[n] for c in line if n in c.attrs), None) or inherited(cls, n) or UNKNOWN for n in fit]
    called = [f for f in facts if f.kind in CALLED]
    one = called[0] if called else None
    for other in called[1:]:
        assert one is not None
        if other.payload is not one.payload or other.payload is None:
            one = alternatives(one, other) or either(one, other) or Fact(Kind.FUNCTION, symbol=EITHER + "it")
    return one


def computed(cls: Class, name: str) -> Fact | None:
    """`self.stage1`, which only a name that is computed may have set: `setattr(self, f"stage{i}", layer)`."""
    forms = [n.removeprefix(COMPUTED) for c in line_of(cls) for n in c.attrs if n.startswith(COMPUTED)]
    fit = any(meet(f, re.escape(name)) for f in forms if f != ANYTHING)
    return held(cls, [re.escape(name)]) if fit else None

