"""Facts of what methods of dicts give and do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.torch2tf import users
from port.torch2tf.values import (
    BOTTOM,
    PLAIN,
    Items,
    Mapping,
    is_none,
    join,
    literal,
    one_of,
    same,
)

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def method(it: Interp, node: cst.Call, mapping: Mapping, name: str, args: list[Fact]) -> Fact:
    element = one_of(mapping.every) or BOTTOM
    if name == "values":
        return Fact(Kind.PLAIN, payload=Items([element], open=True))
    if name == "items":
        return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, payload=Items([PLAIN, element], "tuple"))], open=True))
    if name in ("get", "pop") and args:
        key = args[0].literal(...)
        found = mapping.values.get(key, element) if key is not ... else element
        if key in mapping.values and (mapping.of is not None or mapping.any is not None):  # not by all callers
            found = join(users.general(found), users.general(args[1]) if len(args) == 2 else literal(None))
        return _optional(args[1]) if len(args) == 2 and found is UNKNOWN else found
    if name == "setdefault" and len(args) == 2 and isinstance(key := args[0].literal(...), str):
        mapping.values[key] = join(mapping.values.get(key), args[1])
        return mapping.values[key]
    if name == "copy":
        return Fact(Kind.PLAIN, payload=it.renewed_dict(node, Mapping(dict(mapping.values), mapping.any)))
    if name == "update":
        _update(it, node, mapping, args)
    return PLAIN


def _update(it: Interp, node: cst.Call, mapping: Mapping, args: list[Fact]) -> None:
    news = False
    for arg, fact in zip(node.args, args, strict=True):
        if arg.keyword is not None:
            news |= _put(mapping, arg.keyword.value, fact)
        elif isinstance(fact.payload, Mapping):
            for key, value in fact.payload.values.items():
                news |= _put(mapping, key, value)
            news |= fact.payload.any is not None and _put(mapping, ..., fact.payload.any)
        else:
            news |= _put(mapping, ..., UNKNOWN)
    if news:
        it.touched(mapping)


def _put(mapping: Mapping, key: Any, value: Fact) -> bool:
    """Whatever was there before may be there still; `...`: under a key that is not known."""
    old = mapping.any if key is ... else mapping.values.get(key)
    new = join(old, value)
    if key is ...:
        mapping.any = new
    else:
        mapping.values[key] = new
    return not same(old, new)


def _optional(default: Fact) -> Fact:
    """`kwargs.pop("norm", nn.BatchNorm2d)` of arguments that come from outside: a parameter with that default."""
    if default.kind is Kind.PLAIN and not is_none(default):
        whole = type(default.literal(...)) is int
        return Fact(Kind.PLAIN, payload=default.payload, dtype="int" if whole else None)
    return default if default.kind in (Kind.FUNCTION, Kind.LAYER) else UNKNOWN
