"""Where two paths meet: facts are joined, and sizes that differ become mirrors.

A *mirror* is a variable that `__init__` assigns on each path (`in_channels = filters`), as the tensor was. Mirrors that
nothing uses are removed by the rules.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import libcst as cst

from port.facts import LONGEST, UNKNOWN, Dim, Fact, Kind, Layout, Sym, tensor
from port.scopes import Env
from port.tf2torch.infer import choices, masks
from port.tf2torch.infer.conditions import joined_number
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.mirrors import ABSENT, carries, mirror_name, note_mirror, singular
from port.tf2torch.infer.values import (
    EITHER,
    Alternatives,
    Function,
    Grown,
    Items,
    MixedRank,
    Origin,
    SameRank,
    common,
    has_tensor,
    may_flip,
    tensors_in,
)
from port.tree import find

CALLED = (Kind.LAYER, Kind.FUNCTION, Kind.MODEL)


def _functions(fact: Fact) -> list[Fact]:
    """Functions of the user that this may be, if they are only applied to tensors: they make no layers with weights."""
    found = list(fact.payload.functions) if isinstance(fact.payload, Alternatives) else [fact]
    known = all(isinstance(f.payload, Function) and not f.payload.stateful and f.payload.inner is None for f in found)
    return found if known else []


def _either(a: Fact, b: Fact) -> list[Fact]:
    found = _functions(a)
    return found + [f for f in _functions(b) if all(f.payload is not known.payload for known in found)]


def alternatives(a: Fact, b: Fact) -> Fact | None:
    """One of two classes of the user's layers, or of functions that are only applied to tensors."""
    if a.kind is b.kind is Kind.FUNCTION and _functions(a) and _functions(b) and a.payload is not b.payload:
        return Fact(Kind.FUNCTION, payload=Alternatives(_either(a, b)))
    return choices.of_classes(a, b)


def _join(it: Interp, name: str, a: Fact | None, b: Fact | None) -> Fact:
    if a is None or b is None:
        return a or b or UNKNOWN
    if a == b and a.payload is b.payload and a.mask is b.mask:
        return a
    if a.kind is Kind.TENSOR and b.kind is Kind.TENSOR:
        return _join_tensors(it, name, a, b)
    if a.kind is Kind.PLAIN and b.kind is Kind.PLAIN:
        if isinstance(a.payload, Items) and isinstance(b.payload, Items) and len(a.payload.elements) == len(
                b.payload.elements):
            parts = [_join(it, name, x, y) for x, y in zip(a.payload.elements, b.payload.elements, strict=True)]
            return Fact(Kind.PLAIN, payload=Items(parts, a.payload.kind))
        if has_tensor(a) and has_tensor(b) and any(map(may_flip, [*tensors_in(a), *tensors_in(b)])):
            return Fact(Kind.PLAIN, payload=Grown(common([*tensors_in(a), *tensors_in(b)]), "?"))
        if has_tensor(a) or has_tensor(b):
            return a if has_tensor(a) else b
        values = a.values | b.values if a.values is not None and b.values is not None else None
        return Fact(Kind.PLAIN, values=values, symbol="=" + name, dtype=joined_number(a, b))
    if Kind.TENSOR in (a.kind, b.kind):
        if any(map(may_flip, tensors_in(b if a.kind is Kind.TENSOR else a))):
            return tensor(None, None, Layout.MIXED)  # or a container of such
        return (a if a.kind is Kind.TENSOR else b).but(symbol="?")
    if (choice := alternatives(a, b) or choices.joined(a, b)) is not None:
        return choice
    if a.kind in CALLED and b.kind in CALLED:
        return a if (a.symbol, a.payload) == (b.symbol, b.payload) else Fact(a.kind, symbol=EITHER + name)
    if a.kind in CALLED or b.kind in CALLED:
        called, other = (a, b) if a.kind in CALLED else (b, a)
        certain = other.kind is Kind.UNKNOWN or other.literal(...) is None
        return called if certain else Fact(called.kind, symbol=EITHER + name)
    return b if b.kind is not Kind.UNKNOWN else a


def _join_tensors(it: Interp, name: str, a: Fact, b: Fact) -> Fact:
    """Layouts must agree where both have axes to reorder; a vector beside an image is told apart when it runs."""
    payload = a.payload if a.payload == b.payload else None
    if payload is None and isinstance(a.payload, Origin | SameRank) and isinstance(b.payload, Origin | SameRank) and (
            (a.payload.owner, a.payload.name) == (b.payload.owner, b.payload.name)):
        payload = SameRank(a.payload.owner, a.payload.name)
    if a.layout is not b.layout:
        flipped, other = (a, b) if a.layout is Layout.FLIPPED else (b, a)
        if other.rank is not None and other.rank < 3:
            payload = flipped.payload if isinstance(flipped.payload, MixedRank) else MixedRank(flipped.rank)
        elif other.rank is None or flipped.rank is None or isinstance(flipped.payload, MixedRank):
            it.conflicts.setdefault(it.merging, set()).add(name)
        a = flipped
    elif a.layout is Layout.FLIPPED and (isinstance(a.payload, MixedRank) or isinstance(b.payload, MixedRank)):
        payload = a.payload if isinstance(a.payload, MixedRank) else b.payload
    return a.but(payload=payload, dtype=a.dtype if a.dtype == b.dtype else None, mask=masks.joined(a, b),
                 last=a.last if a.width == b.width else None, symbol="?" if "?" in (a.symbol, b.symbol) else "")


def chosen(it: Interp, test: cst.BaseExpression, a: Fact, b: Fact) -> Fact:
    """`a if test else b`, one of them a tensor at least; sizes that differ are chosen alike."""
    if a.kind is not b.kind:
        return (a if a.kind is Kind.TENSOR else b).but(symbol="?", mask=masks.joined(a, b))
    flipped, other = (a, b) if a.layout is Layout.FLIPPED else (b, a)
    payload = a.payload if a.payload == b.payload else None
    if flipped.layout is not other.layout and other.rank is not None and other.rank < 3:
        payload = MixedRank(flipped.rank)
    dims: tuple[Dim, ...] | None = None
    if a.shape is not None and b.shape is not None and len(a.shape) == len(b.shape):
        on_tensors = any(it.facts.get(n, UNKNOWN).kind is Kind.TENSOR for n in find(test, cst.Name))
        condition = "" if on_tensors else it.text(test)
        dims = tuple(_chosen_size(condition, x, y) for x, y in zip(a.shape, b.shape, strict=True))
    return flipped.but(shape=dims, last=a.last if a.last == b.last else None, payload=payload,
                       dtype=a.dtype if a.dtype == b.dtype else None, mask=masks.joined(a, b),
                       symbol="?" if "?" in (a.symbol, b.symbol) else "")


def _chosen_size(condition: str, a: Dim, b: Dim) -> Dim:
    if a == b:
        return a
    text = f"{a} if {condition} else {b}"
    return None if a is None or b is None or not condition or len(text) > LONGEST else Sym(text)


def merge(it: Interp, env: Env, branches: list[tuple[Env, cst.CSTNode | None]], node: cst.CSTNode) -> None:
    """Join the ends of branches into env; sizes that differ become mirrors, assigned at the end of each."""
    it.merging = node
    it.conflicts.pop(node, None)
    scopes = [branch.names for branch, _ in branches]
    for name in dict.fromkeys(chain(*scopes)):
        facts = [names.get(name) for names in scopes]
        first = facts[0]
        if first is not None and first.layout is Layout.PLAIN and len(set(map(id, facts))) == 1:
            env.names[name] = first
            continue
        lists = _merge_lists(it, name, facts, branches, node)
        if lists is not None:
            env.names[name] = lists
            continue
        if (apart := _of_several_ranks(facts)) is not None:
            _to_source(it, name, facts, branches, node)
            env.names[name] = apart
            continue
        joined = facts[0]
        for other in facts[1:]:
            joined = _join(it, name, joined, other)
        tensors = [f for f in facts if f is not None and f.kind is Kind.TENSOR]
        if joined is not None and joined.kind is Kind.TENSOR and joined.layout is Layout.FLIPPED:
            if was_tensor(env.names.get(name)) and any(map(is_lost, facts)):
                it.conflicts.setdefault(node, set()).add(name)
            _relayout(it, name, facts, branches, node)
        if joined is not None and joined.kind is Kind.TENSOR and tensors:
            joined = _merge_shape(it, name, joined, facts, branches, node)
        if joined is not None:
            env.names[name] = joined


def was_tensor(before: Fact | None) -> bool:
    return before is not None and before.kind is Kind.TENSOR


def is_lost(fact: Fact | None) -> bool:
    """What a call that is not followed gave to the variable of a tensor: a tensor with the source's axes, likely."""
    return fact is not None and fact.kind in (Kind.PLAIN, Kind.UNKNOWN) and fact.values is None and (
        fact.payload is None and fact.dtype is None)


def _merge_lists(it: Interp, name: str, facts: list[Fact | None], branches: list[tuple[Env, cst.CSTNode | None]],
                 node: cst.CSTNode) -> Fact | None:
    """Lists of tensors that differ from path to path: `__init__` carries the list of their counts."""
    kept = [f for f in facts if f is not None]
    if len(kept) < 2 or len(kept) != len(facts) or not carries(it):
        return None
    counts = f"{name}_channels"
    plain = [f for f in kept if isinstance(f.payload, Items)]
    if not plain or not all(isinstance(f.payload, Items) or (
                                isinstance(f.payload, Grown) and f.payload.counts == counts)
                            for f in kept):
        return None
    if not all(f.payload.elements and all(e.kind is Kind.TENSOR for e in f.payload.elements) for f in plain):
        return None
    shapes = [[e.shape for e in f.payload.elements] for f in plain]
    if len(plain) == len(kept) and all(s == shapes[0] for s in shapes):
        return None
    for fact, (_, where) in zip(kept, branches, strict=True):
        if not isinstance(fact.payload, Items):
            continue
        widths = [e.width for e in fact.payload.elements]
        if None in widths:
            counts = "?"
            break
        place = it.after if where is not None else it.before
        place.setdefault(where if where is not None else node, {})[counts] = Sym(f"[{', '.join(map(str, widths))}]")
    first = plain[0].payload.elements[0]
    layouts = {e.layout for f in plain for e in f.payload.elements}
    if len(layouts) > 1:
        it.conflicts.setdefault(node, set()).add(name)
    shape = None if first.shape is None else (*[None] * (len(first.shape) - 1), Sym(f"{singular(name)}_channels"))
    note_mirror(it, counts)
    return Fact(Kind.PLAIN, payload=Grown(first.but(shape=shape, payload=None), counts))


def _of_several_ranks(facts: list[Fact | None]) -> Fact | None:
    """What images on one path and a sequence on another are together, in one of which layouts none could be turned."""
    kept = [f for f in facts if f is not None and f.kind is Kind.TENSOR and (f.rank or 0) > 2]
    if len(kept) < len(facts) or len({f.rank for f in kept}) == 1 or {f.layout for f in kept} != {
            Layout.PLAIN, Layout.FLIPPED} or any(isinstance(f.payload, MixedRank) for f in kept):
        return None
    return tensor(None, kept[0].dtype if len({f.dtype for f in kept}) == 1 else None, Layout.PLAIN)


def _to_source(it: Interp, name: str, facts: list[Fact | None], branches: list[tuple[Env, cst.CSTNode | None]],
               node: cst.CSTNode) -> None:
    """Paths that end channels first are brought channels last at their end: the ranks are noted as negative."""
    for fact, (_, where) in zip(facts, branches, strict=True):
        if fact is not None and fact.layout is Layout.FLIPPED:
            it.relayout.setdefault(where if where is not None else ("else", node), {})[name] = -(fact.rank or 4)


def _relayout(it: Interp, name: str, facts: list[Fact | None], branches: list[tuple[Env, cst.CSTNode | None]],
              node: cst.CSTNode) -> None:
    """Paths that end channels last are brought channels first at their end."""
    for fact, (_, where) in zip(facts, branches, strict=True):
        place = where if where is not None else ("else", node)
        it.relayout.get(place, {}).pop(name, None)
        if fact is not None and fact.kind is Kind.TENSOR and fact.layout is Layout.PLAIN and (fact.rank or 0) > 2:
            it.relayout.setdefault(place, {})[name] = fact.rank or 4


def _merge_shape(it: Interp, name: str, joined: Fact, facts: list[Fact | None],
                 branches: list[tuple[Env, cst.CSTNode | None]], node: cst.CSTNode) -> Fact:
    missing = _is_missing(it, joined)
    shapes = [_sizes(f, joined) for f in facts if f is not None and (f.kind is Kind.TENSOR or missing(f))]
    if any(s is None for s in shapes) or len({len(s) for s in shapes if s is not None}) != 1:
        return joined.but(shape=None)
    rank = len(shapes[0])  # type: ignore[arg-type]
    dims: list[Dim] = []
    for axis in range(rank):
        column = [s[axis] for s in shapes if s is not None]
        if all(d == column[0] for d in column):
            dims.append(column[0])
            continue
        if any(d is None for d in column) or axis == 0 or not carries(it):
            dims.append(None)
            continue
        mirror = mirror_name(it, name, axis, rank)
        for fact, (_, where) in zip(facts, branches, strict=True):
            if fact is None or not (fact.kind is Kind.TENSOR or missing(fact)):
                continue
            if sizes := _sizes(fact, joined):
                place = it.after if where is not None else it.before
                place.setdefault(where if where is not None else node, {})[mirror] = sizes[axis]
        dims.append(Sym(mirror))
        note_mirror(it, mirror)
        _save_users(it, mirror, name, branches, node)
    return joined.but(shape=tuple(dims))


def _is_missing(it: Interp, joined: Fact) -> Callable[[Fact], bool]:
    """Is it None, where other paths bring a tensor whose sizes are carried along?"""
    return lambda fact: fact.values == frozenset([None]) and carries(it) and joined.shape is not None


def _sizes(fact: Fact, joined: Fact) -> tuple[Dim, ...] | None:
    """The sizes on one path; where the tensor is None there, they are None too."""
    if fact.kind is Kind.TENSOR or joined.shape is None:
        return fact.shape
    return (*joined.shape[:1], *[ABSENT] * (len(joined.shape) - 1))


def _save_users(it: Interp, mirror: str, name: str, branches: list[tuple[Env, cst.CSTNode | None]],
                node: cst.CSTNode) -> None:
    """Other tensors whose size is written with this mirror get their own before it changes."""
    for branch, _ in branches:
        for var, fact in list(branch.names.items()):
            if var == name or fact.kind is not Kind.TENSOR or fact.shape is None:
                continue
            shape = list(fact.shape)
            for axis, dim in enumerate(shape):
                if isinstance(dim, Sym) and mirror in dim.names:
                    own = mirror_name(it, var, axis, len(shape))
                    if own != mirror:
                        it.before.setdefault(node, {}).setdefault(own, dim)
                        shape[axis] = Sym(own, dim.known)
            branch.names[var] = fact.but(shape=tuple(shape))
