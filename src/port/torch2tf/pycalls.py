"""Facts of calls of Python's builtins and containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.torch2tf import members
from port.torch2tf.values import PLAIN, Items, Mapping, Size, literal

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def _sequence(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if not args:
        return it.fresh(Items())
    payload = args[0].payload
    if isinstance(payload, Items):
        return it.fresh(Items(list(payload.elements), open=payload.open)).but(values=args[0].values)
    if args[0].kind is Kind.SHAPE:
        return args[0]
    return it.fresh(Items([members.element_of(it, args[0])], open=True))


def _zip(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    payloads = [a.payload for a in args]
    if payloads and all(isinstance(p, Items) and not p.open for p in payloads):
        rows = zip(*(p.elements for p in payloads), strict=False)
        return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, payload=Items(list(r), "tuple")) for r in rows]))
    row = Items([members.element_of(it, a) for a in args], "tuple")
    return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, payload=row)], open=True))


def _enumerate(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    row = Items([PLAIN, members.element_of(it, args[0])], "tuple") if args else Items([], "tuple")
    return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, payload=row)], open=True))


def _len(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if args and isinstance(args[0].payload, Items) and not args[0].payload.open:
        return literal(len(args[0].payload.elements))
    if args and args[0].kind is Kind.TENSOR:
        return Fact(Kind.PLAIN, payload=Size(args[0].shape[0] if args[0].shape else None, True))
    return PLAIN


def _int(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    if len(args) == 1 and (isinstance(args[0].payload, Size) or type(args[0].literal(...)) is int):
        return args[0]
    return Fact(Kind.PLAIN, dtype="int")


def _same_or_plain(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    return next((a for a in args if a.kind is Kind.TENSOR), PLAIN)


def _dict(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    found = Mapping()
    for arg, fact in zip(node.args, args, strict=True):
        if arg.keyword is not None:
            found.values[arg.keyword.value] = fact
        elif isinstance(fact.payload, Mapping):
            found.values.update(fact.payload.values)
            found.any = fact.payload.any
        elif isinstance(fact.payload, Items):
            for element in fact.payload.elements:  # OrderedDict([("name", module), ...])
                pair = element.payload
                if isinstance(pair, Items) and len(pair.elements) == 2:
                    found.values[pair.elements[0].literal(str(len(found.values)))] = pair.elements[1]
    return Fact(Kind.PLAIN, payload=it.renewed_dict(node, found))


def _sum(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    element = members.element_of(it, args[0]) if args else PLAIN
    return element.but(payload=None) if element.kind is Kind.TENSOR else PLAIN


def _default_dict(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    """`defaultdict(set)`: whatever key is asked for, something is there."""
    factory = args[0].symbol if args else ""
    made = it.objects.setdefault(("default", node), Items(open=True)) if factory == "builtins.list" else None
    found = Mapping(any=Fact(Kind.PLAIN, payload=made) if factory.startswith("builtins.") else UNKNOWN)
    return Fact(Kind.PLAIN, payload=it.renewed_dict(node, found))


SPECIAL: dict[str, Any] = {
    "builtins.list": _sequence, "builtins.tuple": _sequence, "builtins.reversed": _sequence,
    "builtins.sorted": _sequence, "builtins.zip": _zip, "builtins.enumerate": _enumerate,
    "builtins.len": _len, "builtins.int": _int, "builtins.dict": _dict, "builtins.sum": _sum,
    "builtins.max": _same_or_plain, "builtins.min": _same_or_plain, "builtins.abs": _same_or_plain,
    "collections.OrderedDict": _dict, "collections.defaultdict": _default_dict,
}
