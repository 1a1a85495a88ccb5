"""Loops, with the sizes that change from turn to turn."""

from __future__ import annotations

from itertools import count

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout, Sym
from port.scopes import Env
from port.tf2torch.infer import turnwise
from port.tf2torch.infer.assignments import assign
from port.tf2torch.infer.carried import Carry, carry
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.joins import is_lost
from port.tf2torch.infer.keyed import Keyed, joined
from port.tf2torch.infer.mirrors import carries, mirror_name, note_mirror, rename_stale, singular
from port.tf2torch.infer.values import Grown, Items, ShapeOf, Size, common, has_tensor, tensors_in
from port.tree import children, find, kinds, memo, target_names

FOLLOWED = ("zip", "enumerate", "reversed")  # whose elements a loop knows


def element_of(it: Interp, node: cst.BaseExpression, env: Env) -> Fact:
    """What one turn of a loop over this value gets."""
    fact = it.ev(node, env)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        name = node.func.value
        if name in FOLLOWED:
            it.followed.add(node)
        if name == "zip":
            return Fact(Kind.PLAIN, payload=Items([_element(it, a.value, env) for a in node.args], "tuple"))
        if name == "enumerate" and node.args:
            return Fact(Kind.PLAIN, payload=Items(
                [Fact(Kind.PLAIN, symbol="="), _element(it, node.args[0].value, env)], "tuple"))
        if name == "reversed" and node.args:
            return _element(it, node.args[0].value, env)
    return _element_fact(fact)


def _element(it: Interp, node: cst.BaseExpression, env: Env) -> Fact:
    if isinstance(node, cst.Call):
        return element_of(it, node, env)
    return _element_fact(it.facts.get(node, UNKNOWN))


def _element_fact(fact: Fact) -> Fact:
    if isinstance(fact.payload, Grown):
        return fact.payload.element
    if isinstance(fact.payload, ShapeOf):
        return Fact(Kind.PLAIN, payload=Size(None, fact.payload.name))
    if isinstance(fact.payload, Items) and fact.payload.elements:
        first = fact.payload.elements[0]
        if has_tensor(fact):
            return common(tensors_in(fact)) if len(fact.payload.elements) > 1 else fact.payload.elements[0]
        if first.kind in (Kind.LAYER, Kind.MODEL, Kind.FUNCTION):
            return first
        if all(e.values is not None and isinstance(e.literal(), str) for e in fact.payload.elements):
            return Fact(Kind.PLAIN, symbol="=", values=frozenset(e.literal() for e in fact.payload.elements))
        if all(isinstance(e.payload, Keyed) for e in fact.payload.elements):
            return joined(fact.payload.elements)
        if isinstance(first.payload, Items) and all(_same_layers(first, e) for e in fact.payload.elements):
            return first
        if isinstance(first.payload, Items):
            return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, symbol="=") for _ in first.payload.elements]))
    if fact.kind is Kind.TENSOR:
        return fact.but(shape=fact.shape[1:] if fact.shape else None, payload=None)
    return Fact(Kind.PLAIN, symbol="=")


def _same_layers(one: Fact, other: Fact) -> bool:
    """Lists that one line of a loop made, turn by turn: of layers from the same places."""
    a, b = one.payload, other.payload
    return isinstance(a, Items) and isinstance(b, Items) and len(a.elements) == len(b.elements) and all(
        p.kind in (Kind.LAYER, Kind.MODEL) and p.payload is q.payload is not None
        for p, q in zip(a.elements, b.elements, strict=True))


_AROUND = kinds(cst.BaseSuite, cst.If, cst.Else, cst.For, cst.While, cst.With, cst.Try, cst.SimpleStatementLine,
                cst.ExceptHandler, cst.Finally)


@memo
def _assigned(node: cst.CSTNode) -> frozenset[str]:
    """Names that statements below may bind."""
    found: set[str] = set()
    if type(node) is cst.Assign:
        for target in node.targets:
            found |= target_names(target.target)
    elif isinstance(node, cst.AugAssign | cst.AnnAssign | cst.For | cst.NamedExpr):
        found |= target_names(node.target)
    if type(node) in _AROUND:
        for child in children(node):
            found |= _assigned(child)
    return frozenset(found)


def for_(it: Interp, node: cst.For, env: Env) -> None:
    element = _named_counts(node.target, element_of(it, node.iter, env))
    known = turnwise.followed(it, node, env)
    loop(it, node, node.body, env, (node.target, element))
    turnwise.told(known, env, set(_assigned(node.body)) | _appended(node.body))
    if node.orelse is not None:
        it.run(node.orelse.body.body, env)


def _named_counts(target: cst.BaseExpression, element: Fact) -> Fact:
    """A loop over a list of tensors: `__init__` loops over their counts, under a name of the loop variable's."""
    if isinstance(target, cst.Tuple | cst.List) and isinstance(element.payload, Items) and len(
            target.elements) == len(element.payload.elements):
        parts = [_named_counts(t.value, e) for t, e in zip(target.elements, element.payload.elements, strict=True)]
        return element.but(payload=Items(parts, element.payload.kind))
    if isinstance(target, cst.Name) and element.kind is Kind.TENSOR and element.shape and isinstance(
            element.shape[-1], Sym) and element.shape[-1].text.endswith("_channels"):
        return element.but(shape=(*element.shape[:-1], Sym(f"{target.value}_channels")))
    return element


def loop(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env,
          header: tuple[cst.BaseExpression, Fact] | None) -> None:
    """Turns until it is known which sizes change from one to the next; the last one records facts."""
    it.depth += 1
    try:
        _turns(it, node, body, env, header)
    finally:
        it.depth -= 1


def _turns(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env,
           header: tuple[cst.BaseExpression, Fact] | None) -> None:
    changed = sorted(_assigned(body))
    it.conflicts.pop(node, None)
    for name in {*changed, *(target_names(header[0]) if header is not None else ())}:
        if (before := env.names.get(name)) is not None and before.kind is Kind.PLAIN:
            rename_stale(it, name, env, node)
    _growing(it, node, body, env)
    turn = _before_loop(env)
    saved = (it.before.saved(), it.after.saved())
    for name in changed:
        fact = turn.names.get(name)
        if fact is not None and fact.kind is Kind.PLAIN and fact.payload is None:
            turn.names[name] = Fact(Kind.PLAIN, symbol="=" + name)
    entry = {n: turn.names[n] for n in changed if n in turn.names}
    state = Carry(node, dict(entry), entry)
    for attempt in count():
        _turn(it, node, body, turn, header)
        shown = _shown(it, state)
        if not carry(it, state, turn, env) and attempt and not shown:
            break
        it.before.restore(saved[0])
        it.after.restore(saved[1])
        if state.starts:
            it.before.setdefault(node, {}).update(state.starts)
        turn = env.copy()
        turn.names.update(entry)
    _same_layouts(it, state, body, turn, changed)
    for (name, axis), mirror in state.mirrors.items():
        end = turn.names.get(name)
        size = end.shape[axis] if end is not None and end.shape is not None and axis < len(end.shape) else None
        if size is not None and not (isinstance(size, Sym) and size.text == mirror):
            it.after.setdefault(body, {})[mirror] = size
    _leave(it, body, env, turn, state.mirrors, header)


def _shown(it: Interp, state: Carry) -> bool:
    """Tensors of open rank that a layer takes in every turn: it says how many axes they enter with.

    Once for each: where a turn ends with a tensor of open rank nevertheless, `carry` opens its rank again.
    """
    found = {name: it.shown[id(fact)][1] for name, fact in state.entry.items()
             if id(fact) in it.shown and name not in state.shown}
    state.shown |= found.keys()
    for name, rank in found.items():
        state.entry[name] = state.entry[name].but(shape=(*[None] * (rank - 1), state.entry[name].last))
    return bool(found)


def _same_layouts(it: Interp, state: Carry, body: cst.BaseSuite, turn: Env, changed: list[str]) -> None:
    """What enters a turn channels first leaves it so."""
    node = state.node
    for name in changed:
        entered, end, start = it.entered.get((node, name)), turn.names.get(name), state.entry.get(name)
        if start is not None and end is not None and start.kind is Kind.TENSOR and (
                (is_lost(end) and start.layout is Layout.FLIPPED) or (end.kind is Kind.TENSOR and (
                end.layout is not start.layout and (start.rank is None or end.rank is None)))):
            it.conflicts.setdefault(node, set()).add(name)
        it.relayout.get(body, {}).pop(name, None)
        if entered is Layout.FLIPPED and end is not None and (
                end.kind is Kind.TENSOR and end.layout is Layout.PLAIN and (end.rank or 0) > 2):
            it.relayout.setdefault(body, {})[name] = end.rank or 4
            turn.names[name] = end.but(layout=Layout.FLIPPED)


def _before_loop(env: Env) -> Env:
    """The scope of a turn: lists that the loop appends tensors to stand for any length."""
    inside = env.copy()
    for name, fact in list(inside.names.items()):
        if isinstance(fact.payload, Items) and not fact.payload.elements and fact.payload.kind == "list":
            inside.names[name] = fact.but(payload=Items([], "list"))
    return inside


def _growing(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env) -> None:
    """Lists of tensors that the loop appends to: in later turns they have more elements than in the first one."""
    for name in sorted(_appended(body)):
        held = env.names[name].payload if name in env.names else None
        if not isinstance(held, Items) or held.kind != "list" or not held.elements or not all(
                e.kind is Kind.TENSOR for e in held.elements):
            continue
        fact = _grown(name, env.names[name])
        shared = any(f.payload is held for other, f in env.names.items() if other != name)
        widths = [e.width for e in held.elements]
        if not carries(it) or ((shared or not held.counted) and None in widths):
            fact = fact.but(payload=Grown(fact.payload.element, "?"))
        elif shared or not held.counted:
            it.before.setdefault(node, {})[fact.payload.counts] = Sym(f"[{', '.join(map(str, widths))}]")
        env.names[name] = fact


def _appended(body: cst.BaseSuite) -> set[str]:
    """Lists that the body appends to."""
    return {c.func.value.value for c in find(body, cst.Call) if type(c.func) is cst.Attribute
            and c.func.attr.value == "append" and type(c.func.value) is cst.Name}


def _turn(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env,
          header: tuple[cst.BaseExpression, Fact] | None) -> None:
    if header is not None:
        assign(it, header[0], header[1], env, node)
    it.run(body.body, env)


def _leave(it: Interp, body: cst.BaseSuite, env: Env, inside: Env, mirrors: dict[tuple[str, int], str],
           header: tuple[cst.BaseExpression, Fact] | None) -> None:
    """After the loop: carried sizes are their mirrors; lists that grew stand for any length."""
    bound = target_names(header[0]) if header is not None else set()
    local = bound | set(_assigned(body)) | set(mirrors.values())
    for name, fact in inside.names.items():
        before = env.names.get(name)
        if fact.kind is Kind.TENSOR and fact.shape is not None:
            shape = list(fact.shape)
            for axis, dim in enumerate(shape):
                if (name, axis) in mirrors:
                    shape[axis] = Sym(mirrors[name, axis])
                elif isinstance(dim, Sym) and dim.names & local and not carries(it):
                    shape[axis] = None
                elif isinstance(dim, Sym) and dim.names & local and name not in env.names:
                    note_mirror(it, mirror_name(it, name, axis, len(shape)))
                    mirror = mirror_name(it, name, axis, len(shape))
                    it.after.setdefault(body, {})[mirror] = dim
                    shape[axis] = Sym(mirror)
            fact = fact.but(shape=tuple(shape))
        elif isinstance(fact.payload, Items) and isinstance(before, Fact) and isinstance(before.payload, Items):
            fact = _grown(name, fact)
        elif fact.kind is Kind.PLAIN and name in local:
            fact = Fact(Kind.PLAIN, symbol="=" + name)
        env.names[name] = fact


def _grown(name: str, fact: Fact) -> Fact:
    """A list that a loop appended tensors to."""
    elements = fact.payload.elements
    if fact.payload.kind != "list" or not elements or not has_tensor(elements[-1]):
        return fact
    if isinstance(elements[-1].payload, Items):
        return fact.but(payload=Grown(common(tensors_in(fact)).but(shape=None), "?", nested=True))
    element = elements[-1].but(layout=common(tensors_in(fact)).layout)
    shape = element.shape
    spatial = None if shape is None else (*[None] * (len(shape) - 1), Sym(f"{singular(name)}_channels"))
    return Fact(Kind.PLAIN, payload=Grown(element.but(shape=spatial, payload=None), f"{name}_channels"))
