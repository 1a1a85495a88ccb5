"""Assignments: to names, attributes of self, and their like in tuples."""

from __future__ import annotations

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout, Sym, tensor
from port.scopes import Env
from port.tf2torch.infer import several
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.keyed import Keyed, put
from port.tf2torch.infer.mirrors import carries, note_mirror, rename_stale, settle
from port.tf2torch.infer.values import Grown, Items, Origin, SelfValue, ShapeOf, Size, common, has_tensor, tensors_in


def assign(it: Interp, target: cst.BaseExpression, value: Fact, env: Env, line: cst.CSTNode | None = None,
           source: cst.BaseExpression | None = None) -> None:
    if type(target) is cst.StarredElement:
        target = target.value
    it.facts[target] = value
    if type(target) is cst.Name:
        same = isinstance(value.payload, Size) and isinstance(value.payload.dim, Sym) and (
            value.payload.dim.text == target.value)
        if not same:
            rename_stale(it, target.value, env, line)
        if value.kind is Kind.PLAIN and value.symbol.startswith("="):
            value = value.but(symbol="=" + target.value)
        if isinstance(value.payload, Grown) and value.payload.elsewhere:
            value = it.facts[target] = _sliced(it, target.value, value, env, line)
        if value.kind is Kind.TENSOR:
            value = it.facts[target] = settle(it, target.value, value, env, line)
        env.names[target.value] = value
    elif type(target) is cst.Tuple or type(target) is cst.List:
        parts = it.unpack(value) if source is not None or value.payload is not None else None
        elements = [e if isinstance(e, cst.StarredElement) else e.value for e in target.elements]
        starred = any(isinstance(e, cst.StarredElement) for e in target.elements)
        if isinstance(value.payload, ShapeOf) and value.payload.of.shape is None and not starred and isinstance(
                origin := value.payload.of.payload, Origin):
            it.ranks.setdefault((origin.owner, origin.name), len(elements))  # as many axes as variables
        for i, element in enumerate(elements):
            known = parts is not None and len(parts) == len(elements) and not starred
            part = parts[i] if known and parts is not None else _part(value, element)
            assign(it, element, part, env, line)
    elif type(target) is cst.Attribute:
        owner = it.ev(target.value, env)
        if isinstance(owner.payload, SelfValue):
            old = owner.payload.cls.attrs.get(target.attr.value)
            if old is None or old.kind in (Kind.PLAIN, Kind.UNKNOWN) or value.kind not in (Kind.PLAIN, Kind.UNKNOWN):
                owner.payload.cls.attrs[target.attr.value] = _either(old, _attr_fact(it, value, source))
            it.facts[target] = value
    elif type(target) is cst.Subscript:
        owner = it.ev(target.value, env)
        for part_ in target.slice:
            it.ev(part_.slice, env)
        if isinstance(owner.payload, Keyed):
            index = target.slice[0].slice if len(target.slice) == 1 else None
            put(owner.payload, it.facts.get(index.value, UNKNOWN).literal() if isinstance(
                index, cst.Index) else None, value)
        if isinstance(owner.payload, ShapeOf) and owner.payload.form == "list":
            owner.payload.of = tensor(None if owner.payload.of.rank is None else (None,) * owner.payload.of.rank)
        if isinstance(owner.payload, Items):
            _stored(it, owner.payload, target, value)


def _sliced(it: Interp, name: str, value: Fact, env: Env, line: cst.CSTNode | None) -> Fact:
    """`skips = skips[::-1]`: `__init__` does the same to the list of their counts."""
    counts = f"{name}_channels"
    rename_stale(it, counts, env, line)
    note_mirror(it, counts)
    return value.but(payload=Grown(value.payload.element, counts if carries(it) else "?", value.payload.nested))


def _part(value: Fact, element: cst.BaseExpression) -> Fact:
    """One of several targets of a value whose elements are not known one by one."""
    if isinstance(value.payload, ShapeOf):
        one_size = Fact(Kind.PLAIN, payload=Size(None, value.payload.name))
        return Fact(Kind.PLAIN, payload=ShapeOf(tensor(), value.payload.name, "list")) if isinstance(
            element, cst.StarredElement) else one_size
    if not has_tensor(value):
        return Fact(Kind.PLAIN, symbol="=")
    if value.kind is Kind.TENSOR:  # of several tensors that a parameter holds, or a row of one
        known = value.layout is Layout.PLAIN
        return tensor(value.shape[1:] if value.shape else None, value.dtype) if known else UNKNOWN
    one = common(tensors_in(value))
    return Fact(Kind.PLAIN, payload=Grown(one, "?")) if isinstance(element, cst.StarredElement) else one


def _stored(it: Interp, items: Items, target: cst.Subscript, value: Fact) -> None:
    """`items[i] = value`: of an index that is not known, each element may be it."""
    index = target.slice[0].slice if len(target.slice) == 1 else None
    at = it.facts.get(index.value, UNKNOWN).literal(...) if isinstance(index, cst.Index) else ...
    if isinstance(at, int) and -len(items.elements) <= at < len(items.elements):
        items.elements[at] = value
        return
    if value.kind in (Kind.LAYER, Kind.MODEL) and all(e.literal(...) is None for e in items.elements):
        items.elements[:] = [value] * len(items.elements)
        return
    tensors = [t for e in (*items.elements, value) for t in tensors_in(e)]
    if tensors:
        items.elements[:] = [common(tensors)] * len(items.elements)


def _either(old: Fact | None, new: Fact) -> Fact:
    """A weight or a layer made in one of two branches: only what both are is known."""
    if (held := several.either(old, new)) is not None:
        return held
    if old is None or old.kind is not Kind.TENSOR or new.kind is not Kind.TENSOR or old.layout is not new.layout:
        return new
    if old.shape is None or new.shape is None or old.rank != new.rank:
        return new.but(shape=None)
    return new.but(shape=tuple(p if p == q else None for p, q in zip(old.shape, new.shape, strict=True)))


def _attr_fact(it: Interp, value: Fact, source: cst.BaseExpression | None) -> Fact:
    if value.kind is Kind.PLAIN and value.literal(...) is ... and source is not None and value.payload is None:
        return value.but(symbol="=" + it.text(source))
    return value
