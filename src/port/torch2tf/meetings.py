"""Places that several modules may reach: what they take and give there must have one order of axes.

A module that has channels last in Keras, at a place that others reach with the source's axes, is *enclosed*: it takes
and gives the source's axes, which the file sees as it sees any other module. So it is with a list: where tensors of
both orders are put into one, and code takes any of them, they are put there with the source's axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.torch2tf import alike, members, modshapes
from port.torch2tf.values import Chain, Instance, Items, Layer, can_flip, one_of, options

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def key(payload: Any) -> Any:
    """What stands for a module when the file is read again."""
    if isinstance(payload, Layer):
        return payload.node, payload.symbol
    return payload.cls.node if isinstance(payload, Instance) else payload.node if isinstance(payload, Chain) else None


def is_enclosed(it: Interp, payload: Any) -> bool:
    return bool(it.enclosed) and key(payload) in it.enclosed


def taken(it: Interp, payload: Any) -> Layout | None:
    """The layout in which a module takes its tensor; None if it does not care."""
    if is_enclosed(it, payload):
        return Layout.PLAIN
    if isinstance(payload, Layer):
        wish = modshapes.wish(payload.symbol)
        return None if wish is None else Layout.FLIPPED if wish else Layout.PLAIN
    if isinstance(payload, Chain):
        return payload.inputs[0].layout if payload.inputs else None
    if isinstance(payload, Instance):
        for method in members.called(payload, "forward"):
            if alike.taken(it, method):
                return None
            flipped = bool(method.arguments) and method.chooses and method.is_flipped(method.arguments[0])
            return Layout.FLIPPED if flipped else Layout.PLAIN
    return None


def given(it: Interp, payload: Any) -> Fact | None:
    """What a module gives, if that is one tensor."""
    result = payload.output if isinstance(payload, Layer | Chain) else None
    if isinstance(payload, Instance):
        for method in members.called(payload, "forward"):
            result = method.result if not alike.taken(it, method) else None  # as it comes
            if result is not None and not method.chooses:
                result = result.but(layout=Layout.PLAIN)
    return result if result is not None and result.kind is Kind.TENSOR else None


def agree(it: Interp, payloads: list[Any]) -> bool:
    """Do modules that reach one place take, and give, tensors in one order of axes?"""
    wanted = {t for p in payloads if not isinstance(p, Chain) and (t := taken(it, p)) is not None}
    results = [f for p in payloads if (f := given(it, p)) is not None]
    layouts = {f.layout for f in results if can_flip(f)}
    flat = any(not can_flip(f) for f in results)  # nn.Flatten beside nn.Identity: no place knows what it gets
    return len(wanted) <= 1 and len(layouts) <= 1 and not (flat and Layout.FLIPPED in layouts)


def places(it: Interp) -> Iterator[list[Any]]:
    """Modules that reach one place, for each such place of the file."""
    chains = [child for chain in it.objects.values() if isinstance(chain, Chain) for child in chain.children]
    for callee in (*it.receivers.values(), *chains):
        if isinstance(callee, Fact) and callee.kind is Kind.LAYER:
            payloads = [o.payload for o in options(callee)]
            if len(payloads) > 1:
                yield payloads


def built(it: Interp) -> frozenset[Any]:
    """Models that a function of the project builds for whoever calls it, though other modules may hold them too."""
    makers = [f for f in it.functions.values() if f.owner is None and isinstance(f.node, cst.FunctionDef)]
    inner = {f for f in makers if any(c is not None and c.owner is not None and c.owner.is_module for c in f.callers)}
    while more := {f for f in makers if f not in inner and inner & f.callers.keys()}:
        inner |= more
    found = [o.payload for f in makers if f not in inner and f.file is not None and f.env is f.file.env and f.result
             for o in options(f.result) if isinstance(o.payload, Instance) and o.payload.cls.is_module]
    forwards = [members.find_method(instance.cls, "forward") for instance in found]
    return frozenset(f.owner.node for f in forwards if f is not None and f.owner is not None)


def to_enclose(it: Interp) -> frozenset[Any]:
    """Modules with channels last, at places that others reach with the source's axes."""
    found: set[Any] = set()
    for payloads in places(it):
        if not agree(it, payloads):
            found.update(key(p) for p in payloads if _has_channels_last(it, p))
    return frozenset(found - {None}).union(_made_alike(it, found | it.enclosed))


def _made_alike(it: Interp, enclosed: set[Any] | frozenset[Any]) -> Iterator[Any]:
    """Modules that the same function will make in Keras: of one class or partial as a value, all or none are."""
    groups: dict[Any, set[Any]] = {}
    partials = {id(call): k[2] for k, call in it.objects.items() if isinstance(k, tuple) and k[0] == "partial"}
    for node, symbol in it.layers:
        if (maker := partials.get(id(node), "" if is_through_value(it, node) else None)) is not None:
            groups.setdefault((maker, symbol), set()).add((node, symbol))
    for group in groups.values():
        if group & enclosed:
            yield from group


def is_through_value(it: Interp, node: cst.CSTNode) -> bool:
    """Does it call a variable, not a name that an import of its file binds?"""
    name = it.homes[node].names.resolve(node.func) if node in it.homes and isinstance(node, cst.Call) else ""
    return not name or name.startswith(".")


def source_axes(it: Interp, modules: tuple[Fact, ...], args: list[Fact]) -> bool:
    """Where one of several modules is applied to what has channels last, and one of them takes tensors of any rank with
    the source's axes, all get them so."""
    if len(modules) < 2 or not args or not (can_flip(args[0]) and members.has_layout(args[0])) or not any(
            _takes_any_rank(it, m.payload) for m in modules):
        return False
    args[0] = args[0].but(layout=Layout.PLAIN, payload=None)
    return True


def _takes_any_rank(it: Interp, payload: Any) -> bool:
    """A module of the user's that gets tensors of several ranks, and looks at their axes."""
    forwards = members.called(payload, "forward") if isinstance(payload, Instance) else []
    return any((held := m.held.get(m.arguments[0])) is not None and held.kind is Kind.TENSOR and held.shape is None
               and held.layout is Layout.PLAIN and not alike.taken(it, m) for m in forwards if m.arguments)


def mixed_lists(it: Interp) -> frozenset[Any]:
    """Lists of which code takes any one element, where some of the tensors have channels last and others do not."""
    return frozenset(node for node, held in it.objects.items() if isinstance(held, Items) and (
        held.mixed or held.stores) and (element := one_of(_held(it, node, held))) is not None
        and element.layout is Layout.MIXED)


def _held(it: Interp, node: Any, held: Items) -> list[Fact]:
    """What a list holds; where elements are replaced, all that they are replaced by is one with them there."""
    if not held.stores or not isinstance(node, cst.List):
        return held.elements
    added = [site.args[0].value for site in held.sites if isinstance(site, cst.Call) and len(site.args) == 1]
    return [it.fact(place) for place in (*(e.value for e in node.elements), *added, *held.stores)]


def _has_channels_last(it: Interp, payload: Any) -> bool:
    result = given(it, payload)
    last = result is not None and can_flip(result) and result.layout is Layout.FLIPPED
    return last or (not isinstance(payload, Chain) and taken(it, payload) is Layout.FLIPPED)


def all_enclosed(it: Interp, layers: Iterable[Layer]) -> bool | None:
    """Are these modules, which one expression makes, enclosed? None if only some of them are."""
    found = {is_enclosed(it, layer) for layer in layers}
    return None if len(found) > 1 else True in found
