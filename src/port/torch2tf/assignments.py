"""What assignments bind: names, attributes of modules, elements of containers and of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import Fact, Kind
from port.scopes import Env
from port.torch2tf import changing, members, overwritten, shapes
from port.torch2tf.values import Chain, Instance, Items, Mapping, Places, SelfOf, join, options, put, same

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def assign(it: Interp, target: cst.CSTNode, fact: Fact, env: Env, value: cst.CSTNode | None = None) -> None:
    if type(target) is cst.Name:
        env.names[target.value] = fact
        it.note(target, fact)
    elif type(target) is cst.Attribute:
        owner = it.ev(target.value, env)
        it.note(target, fact)
        if fact.kind is Kind.PLAIN and overwritten.is_lost(it, target):
            return
        for option in options(owner):
            if isinstance(option.payload, SelfOf | Instance) and not changing.kept(it, option.payload, target):
                set_attribute(it, option.payload.cls, target.attr.value, fact, target)
    elif isinstance(target, cst.Tuple | cst.List):
        _unpack(it, target, fact, env, value)
    elif type(target) is cst.Subscript:
        _store(it, target, fact, env)
    elif type(target) is cst.StarredElement:
        assign(it, target.value, fact, env)


def _unpack(it: Interp, target: cst.Tuple | cst.List, fact: Fact, env: Env, value: cst.CSTNode | None) -> None:
    elements = target.elements
    star = next((i for i, e in enumerate(elements) if type(e) is cst.StarredElement), None)
    if star is None:
        parts = _spread(it, value, len(elements)) or members.unpack(it, fact, len(elements))
    else:
        payload = fact.payload
        after = len(elements) - star - 1
        if isinstance(payload, Items) and not payload.open and len(payload.elements) >= len(elements) - 1:
            middle = payload.elements[star:len(payload.elements) - after]
            parts = [*payload.elements[:star], Fact(Kind.PLAIN, payload=Items(list(middle))),
                     *payload.elements[len(payload.elements) - after:]]
        else:
            one = members.element_of(it, fact)
            parts = [one] * len(elements)
            parts[star] = Fact(Kind.PLAIN, payload=Items([one], open=True))
    for element, part in zip(elements, parts, strict=True):
        assign(it, element.value, part, env)


def _spread(it: Interp, value: cst.CSTNode | None, count: int) -> list[Fact] | None:
    """The parts of `*x.shape, self.heads`, which say how many axes x has; None of a value without one star."""
    if type(value) is not cst.Tuple and type(value) is not cst.List:
        return None
    stars = [e for e in value.elements if type(e) is cst.StarredElement]
    hidden = count - len(value.elements) + 1
    if len(stars) != 1 or hidden < 0:
        return None
    parts: list[Fact] = []
    for element in value.elements:
        fact = it.fact(element.value)
        parts += members.unpack(it, fact, hidden) if element is stars[0] else [fact]
    return parts


def _store(it: Interp, target: cst.Subscript, fact: Fact, env: Env) -> None:
    owner = it.ev(target.value, env)
    for element in target.slice:
        it.ev(element.slice, env)
    it.note(target, fact)
    payload = owner.payload
    index = target.slice[0].slice
    at = it.fact(index.value).literal(...) if isinstance(index, cst.Index) else ...
    if isinstance(payload, Mapping):
        old = payload.any if at is ... else payload.values.get(at)
        if at is ...:
            payload.any = join(old, fact)
        else:
            payload.values[at] = join(old, fact)
        if not same(old, payload.any if at is ... else payload.values[at]):
            it.touched(payload)
    elif isinstance(payload, Items) and payload.elements:
        payload.written = True
        payload.stores.add(target)
        for i, held in enumerate(payload.elements):
            if at is ... or payload.open or at in (i, i - len(payload.elements)):
                payload.elements[i] = join(held, payload.put(fact))
    elif isinstance(payload, Chain):
        payload.open = True
    elif owner.kind is Kind.TENSOR:
        shapes.written(it, target, owner)


def set_attribute(it: Interp, cls: Any, name: str, fact: Fact, site: cst.CSTNode) -> None:
    if it.dead and fact.kind is Kind.UNKNOWN:
        return
    places = cls.places.setdefault(name, Places())
    old, before = cls.attrs.get(name), places.get(site)
    new = put(places, site, fact)
    cls.setters[site] = cls
    if not same(old, new) or (cls.bases and not same(before, fact)):
        cls.attrs[name] = new
        for reader in cls.readers.get(name, ()):
            it.enqueue(reader)
