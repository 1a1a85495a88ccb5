"""Statements: assignments, branches and loops, with the sizes that `__init__` must carry along as variables.

Where two paths meet and a size differs between them, a *mirror* is made: a variable that `__init__` assigns on
each path (`in_channels = filters`), as the tensor was. Mirrors that nothing uses are removed by the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym
from port.tf2torch.infer import masks
from port.tf2torch.infer.conditions import joined_number
from port.tf2torch.infer.given import Given
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.origins import Origin, SameRank, SelfValue
from port.tf2torch.infer.values import OPEN, Class, Env, Function, Grown, Items, MixedRank, Size, has_tensor, tensors_in
from port.tree import children, memo

_SPATIAL = {1: ["length"], 2: ["height", "width"], 3: ["depth", "height", "width"]}


def run(it: Interp, body: Sequence[cst.CSTNode], env: Env) -> bool:
    """Interpret statements in order; True if the end cannot be reached (return, raise)."""
    for node in body:
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                if _small(it, small, env, node):
                    return True
        elif compound(it, node, env):
            return True
    return False


def _small(it: Interp, node: cst.CSTNode, env: Env, line: cst.CSTNode) -> bool:
    if isinstance(node, cst.Assign):
        value = it.ev(node.value, env)
        for target in node.targets:
            assign(it, target.target, value, env, line, node.value)
    elif isinstance(node, cst.AnnAssign):
        if node.value is not None:
            assign(it, node.target, it.ev(node.value, env), env, line, node.value)
    elif isinstance(node, cst.AugAssign):
        _augmented(it, node, env, line)
    elif isinstance(node, cst.Expr):
        it.ev(node.value, env)
        _grow(it, node.value, env)
    elif isinstance(node, cst.Return):
        fact = it.ev(node.value, env) if node.value is not None else UNKNOWN
        if it.current:
            it.current[-1].returns.append(fact)
            it.facts[node] = fact
        return True
    elif isinstance(node, cst.Raise):
        return True
    elif isinstance(node, cst.Import | cst.ImportFrom):
        for name in list(env.names):
            if name in it.names.bound and name not in it.file.links and env.names[name].payload is None:
                env.names.pop(name, None)
    elif isinstance(node, cst.Del | cst.Assert):
        for child in node.children:
            if isinstance(child, cst.BaseExpression):
                it.ev(child, env)
    return isinstance(node, cst.Continue | cst.Break) and False


def _augmented(it: Interp, node: cst.AugAssign, env: Env, line: cst.CSTNode) -> None:
    a, b = it.ev(node.target, env), it.ev(node.value, env)
    if Kind.TENSOR in (a.kind, b.kind):
        from port.tf2torch.infer import shapes

        both = tuple(f for f in (a, b) if f.kind is Kind.TENSOR)
        result = shapes.broadcast(Given(both, lambda n: None, lambda n: None, lambda n: UNKNOWN, ()))
        if a.kind is Kind.TENSOR and b.kind is Kind.TENSOR and a.shape is not None and b.shape is None and (
                a.layout is b.layout is Layout.PLAIN):
            result = a  # in place: PyTorch refuses what would not have the left side's shape
        result = result.but(mask=None)
    elif isinstance(a.payload, Items) and isinstance(b.payload, Items):
        a.payload.elements += b.payload.elements
        result = a
    else:
        result = Fact(Kind.PLAIN, symbol="=")
    assign(it, node.target, result, env, line, node.value)


def _grow(it: Interp, node: cst.BaseExpression, env: Env) -> None:
    """`skips.append(x)` inside a loop whose list is a Grown one: nothing to record but the element."""


def assign(it: Interp, target: cst.BaseExpression, value: Fact, env: Env, line: cst.CSTNode | None = None,
           source: cst.BaseExpression | None = None) -> None:
    it.facts[target] = value
    if isinstance(target, cst.Name):
        same = isinstance(value.payload, Size) and isinstance(value.payload.dim, Sym) and (
            value.payload.dim.text == target.value)
        if not same:
            _rename_stale(it, target.value, env, line)
        if value.kind is Kind.PLAIN and value.symbol.startswith("="):
            value = value.but(symbol="=" + target.value)
        env.names[target.value] = value
    elif isinstance(target, cst.Tuple | cst.List):
        parts = it.unpack(value, source) if source is not None or value.payload is not None else None
        elements = [e.value for e in target.elements]
        starred = any(isinstance(e, cst.StarredElement) for e in target.elements)
        for i, element in enumerate(elements):
            known = parts is not None and len(parts) == len(elements) and not starred
            part = parts[i] if known and parts is not None else UNKNOWN if has_tensor(value) else Fact(
                Kind.PLAIN, symbol="=")
            assign(it, element, part, env, line)
    elif isinstance(target, cst.Attribute):
        owner = it.ev(target.value, env)
        if isinstance(owner.payload, SelfValue):
            old = owner.payload.cls.attrs.get(target.attr.value)
            if old is None or old.kind in (Kind.PLAIN, Kind.UNKNOWN) or value.kind not in (Kind.PLAIN, Kind.UNKNOWN):
                owner.payload.cls.attrs[target.attr.value] = _either(old, _attr_fact(it, value, source))
            it.facts[target] = value
    elif isinstance(target, cst.Subscript):
        it.ev(target.value, env)
        for element in target.slice:
            it.ev(element.slice, env)


def _either(old: Fact | None, new: Fact) -> Fact:
    """A weight made in one of two branches: only what both are is known."""
    if old is None or old.kind is not Kind.TENSOR or new.kind is not Kind.TENSOR or old.layout is not new.layout:
        return new
    if old.shape is None or new.shape is None or old.rank != new.rank:
        return new.but(shape=None)
    return new.but(shape=tuple(p if p == q else None for p, q in zip(old.shape, new.shape, strict=True)))


def _attr_fact(it: Interp, value: Fact, source: cst.BaseExpression | None) -> Fact:
    if value.kind is Kind.PLAIN and value.literal(...) is ... and source is not None and value.payload is None:
        return value.but(symbol="=" + it.text(source))
    return value


# ---------------------------------------------------------------- mirrors
def mirror_name(it: Interp, var: str, axis: int, rank: int) -> str:
    """Name of the variable that carries a size of tensor `var` in `__init__`; never one of the user's."""
    name = _mirror_name(it, var, axis, rank)
    function = it.current[-1] if it.current else None
    taken = (function.assigned | set(function.params)) if function is not None else set(it.globals.names)
    if name in taken and name.startswith("in_"):
        name = f"{var}_{name.removeprefix('in_')}"
    while name in taken:
        name += "_"
    return name


def _mirror_name(it: Interp, var: str, axis: int, rank: int) -> str:
    if axis == rank - 1:
        function = it.current[-1] if it.current else None
        main = function is None or var == "x" or var in function.params[:1]
        kind = "channels" if rank != 2 else "features"
        return f"in_{kind}" if main else f"{var}_{kind}"
    names = _SPATIAL.get(rank - 2, [])
    return f"{var}_{names[axis - 1]}" if 1 <= axis <= len(names) else f"{var}_size{axis}"


def carries(it: Interp) -> bool:
    """Can sizes be carried along in `__init__`? Not from a method of a class: its layers are made elsewhere."""
    return not it.current or it.current[-1].owner is None


def note_mirror(it: Interp, name: str) -> None:
    """The variable of a size gets a new value: what was written with it means something else from here on."""
    if it.current:
        it.current[-1].reassigned.add(name)


def _rename_stale(it: Interp, name: str, env: Env, line: cst.CSTNode | None) -> None:
    """`name` is about to change: sizes written with it are saved under names of their own."""
    for var, fact in list(env.names.items()):
        if fact.kind is not Kind.TENSOR or fact.shape is None or var == name:
            continue
        shape = list(fact.shape)
        for axis, dim in enumerate(shape):
            if isinstance(dim, Sym) and name in dim.text and name in dim.names:
                mirror = mirror_name(it, var, axis, len(shape))
                if line is not None and mirror != name and carries(it):
                    it.before.setdefault(line, {})[mirror] = dim
                    note_mirror(it, mirror)
                    shape[axis] = Sym(mirror, dim.known)
                else:
                    shape[axis] = None
        if tuple(shape) != fact.shape:
            env.names[var] = fact.but(shape=tuple(shape))


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
        if has_tensor(a) or has_tensor(b):
            return a if has_tensor(a) else b
        values = a.values | b.values if a.values is not None and b.values is not None else None
        return Fact(Kind.PLAIN, values=values, symbol="=" + name, dtype=joined_number(a, b))
    if Kind.TENSOR in (a.kind, b.kind):
        return (a if a.kind is Kind.TENSOR else b).but(symbol="?")
    if a.kind in (Kind.LAYER, Kind.FUNCTION, Kind.MODEL):
        return a
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
    return a.but(payload=payload, dtype=a.dtype if a.dtype == b.dtype else None, mask=masks.joined(a, b))


def _merge(it: Interp, env: Env, branches: list[tuple[Env, cst.CSTNode | None]], node: cst.CSTNode) -> None:
    """Join the ends of branches into env; sizes that differ become mirrors, assigned at the end of each."""
    names = {n for branch, _ in branches for n in branch.names}
    it.merging = node
    it.conflicts.pop(node, None)
    for name in names:
        facts = [branch.names.get(name) for branch, _ in branches]
        first = facts[0]
        if first is not None and first.layout is Layout.PLAIN and all(f is first for f in facts):
            env.names[name] = first
            continue
        lists = _merge_lists(it, name, facts, branches, node)
        if lists is not None:
            env.names[name] = lists
            continue
        joined = facts[0]
        for other in facts[1:]:
            joined = _join(it, name, joined, other)
        tensors = [f for f in facts if f is not None and f.kind is Kind.TENSOR]
        if joined is not None and joined.kind is Kind.TENSOR and joined.layout is Layout.FLIPPED:
            _relayout(it, name, facts, branches, node)
        if joined is not None and joined.kind is Kind.TENSOR and tensors:
            joined = _merge_shape(it, name, joined, facts, branches, node)
        if joined is not None:
            env.names[name] = joined


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
    shapes = [f.shape for f in facts if f is not None and f.kind is Kind.TENSOR]
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
            if fact is None or fact.shape is None:
                continue
            place = it.after if where is not None else it.before
            place.setdefault(where if where is not None else node, {})[mirror] = fact.shape[axis]
        dims.append(Sym(mirror))
        note_mirror(it, mirror)
        _save_users(it, mirror, name, branches, node)
    return joined.but(shape=tuple(dims))


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


# ---------------------------------------------------------------- compound statements
def compound(it: Interp, node: cst.CSTNode, env: Env) -> bool:
    if isinstance(node, cst.If):
        return _if(it, node, env)
    if isinstance(node, cst.For):
        _for(it, node, env)
    elif isinstance(node, cst.While):
        it.ev(node.test, env)
        _loop(it, node, node.body, env, None)
    elif isinstance(node, cst.With):
        for item in node.items:
            fact = it.ev(item.item, env)
            if item.asname is not None and isinstance(item.asname.name, cst.Name):
                env.names[item.asname.name.value] = fact
        return run(it, node.body.body, env)
    elif isinstance(node, cst.Try):
        run(it, node.body.body, env)
        for handler in node.handlers:
            run(it, handler.body.body, env.copy())
        if node.orelse is not None:
            run(it, node.orelse.body.body, env)
        if node.finalbody is not None:
            run(it, node.finalbody.body.body, env)
    elif isinstance(node, cst.FunctionDef | cst.ClassDef):
        from port.tf2torch.infer import users

        users.define(it, node, env)
    return False


def _if(it: Interp, node: cst.If, env: Env) -> bool:
    test = it.ev(node.test, env)
    known = test.literal(...)
    it.facts[node] = test if known is not ... else UNKNOWN
    if known is ...:
        known = _absent_test(it, node.test)
        if known is not ...:
            it.facts[node] = it.value(known)
    if known is not ...:
        if known:
            return run(it, node.body.body, env)
        return _orelse(it, node.orelse, env) if node.orelse is not None else False
    then, other = env.copy(), env.copy()
    _narrow(it, node.test, then, other)
    ended = run(it, node.body.body, then)
    ended_other = _orelse(it, node.orelse, other) if node.orelse is not None else False
    branches: list[tuple[Env, cst.CSTNode | None]] = []
    if not ended:
        branches.append((then, node.body))
    if not ended_other:
        branches.append((other, _else_key(node)))
    if branches:
        _merge(it, env, branches, node)
    return ended and ended_other


def _else_key(node: cst.If) -> cst.CSTNode | None:
    if node.orelse is None:
        return None
    return node.orelse if isinstance(node.orelse, cst.If) else node.orelse.body


def _narrow(it: Interp, test: cst.BaseExpression, then: Env, other: Env) -> None:
    """`if p is None`: p is None in one branch and a tensor in the other."""
    if not (isinstance(test, cst.Comparison) and isinstance(test.left, cst.Name) and len(test.comparisons) == 1):
        return
    target = test.comparisons[0]
    if it.facts.get(target.comparator, UNKNOWN).literal(...) is not None:
        return
    fact = then.get(test.left.value)
    if fact is None or fact.symbol != "?":
        return
    none, some = (then, other) if isinstance(target.operator, cst.Is) else (other, then)
    none.names[test.left.value] = Fact(Kind.PLAIN, values=frozenset([None]))
    some.names[test.left.value] = fact.but(symbol="")


def _absent_test(it: Interp, test: cst.BaseExpression) -> Any:
    """`input_tensor is None` holds where Keras tensors cannot be passed in."""
    function = it.current[-1] if it.current else None
    if function is None or not isinstance(test, cst.Comparison) or not isinstance(test.left, cst.Name):
        return ...
    if test.left.value not in function.absent or len(test.comparisons) != 1:
        return ...
    operator = test.comparisons[0].operator
    return isinstance(operator, cst.Is) if isinstance(operator, cst.Is | cst.IsNot) else ...


def _orelse(it: Interp, orelse: cst.If | cst.Else, env: Env) -> bool:
    return _if(it, orelse, env) if isinstance(orelse, cst.If) else run(it, orelse.body.body, env)


def element_of(it: Interp, node: cst.BaseExpression, env: Env) -> Fact:
    """What one turn of a loop over this value gets."""
    fact = it.ev(node, env)
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name):
        name = node.func.value
        if name == "zip":
            return Fact(Kind.PLAIN, payload=Items([_element(it, a.value, env) for a in node.args], "tuple"))
        if name == "enumerate" and node.args:
            return Fact(Kind.PLAIN, payload=Items(
                [Fact(Kind.PLAIN, symbol="="), _element(it, node.args[0].value, env)], "tuple"))
        if name == "reversed" and node.args:
            return _element(it, node.args[0].value, env)
    return _element_fact(it, fact)


def _element(it: Interp, node: cst.BaseExpression, env: Env) -> Fact:
    if isinstance(node, cst.Call):
        return element_of(it, node, env)
    return _element_fact(it, it.facts.get(node, UNKNOWN))


def _element_fact(it: Interp, fact: Fact) -> Fact:
    if isinstance(fact.payload, Grown):
        return fact.payload.element
    if isinstance(fact.payload, Items) and fact.payload.elements:
        first = fact.payload.elements[0]
        if has_tensor(fact):
            return tensors_in(fact)[0].but(shape=None, payload=None) if len(
                fact.payload.elements) > 1 else fact.payload.elements[0]
        if first.kind in (Kind.LAYER, Kind.MODEL, Kind.FUNCTION):
            return first
        if isinstance(first.payload, Items):
            return Fact(Kind.PLAIN, payload=Items([Fact(Kind.PLAIN, symbol="=") for _ in first.payload.elements]))
    if fact.kind is Kind.TENSOR:
        return fact.but(shape=fact.shape[1:] if fact.shape else None, payload=None)
    return Fact(Kind.PLAIN, symbol="=")


@memo
def _assigned(node: cst.CSTNode) -> frozenset[str]:
    """Names that statements below may bind."""
    found: set[str] = set()
    if isinstance(node, cst.Assign):
        for target in node.targets:
            found |= _names(target.target)
    elif isinstance(node, cst.AugAssign | cst.AnnAssign | cst.For | cst.NamedExpr):
        found |= _names(node.target)
    if isinstance(node, cst.BaseSuite | cst.If | cst.Else | cst.For | cst.While | cst.With | cst.Try
                  | cst.SimpleStatementLine | cst.ExceptHandler | cst.Finally):
        for child in children(node):
            found |= _assigned(child)
    return frozenset(found)


def _names(target: cst.CSTNode) -> set[str]:
    if isinstance(target, cst.Name):
        return {target.value}
    if isinstance(target, cst.Tuple | cst.List):
        return {n for e in target.elements for n in _names(e.value)}
    return set()


def _for(it: Interp, node: cst.For, env: Env) -> None:
    element = _named_counts(node.target, element_of(it, node.iter, env))
    _loop(it, node, node.body, env, (node.target, element))
    if node.orelse is not None:
        run(it, node.orelse.body.body, env)


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


def _loop(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env,
          header: tuple[cst.BaseExpression, Fact] | None) -> None:
    """Two passes: the first finds which sizes change from turn to turn, the second records facts."""
    it.depth += 1
    try:
        _two_passes(it, node, body, env, header)
    finally:
        it.depth -= 1


def _two_passes(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env,
                header: tuple[cst.BaseExpression, Fact] | None) -> None:
    changed = _assigned(body)
    it.conflicts.pop(node, None)
    trial = _before_loop(it, env, changed, body)
    saved = (it.before.saved(), it.after.saved())
    for name in changed:
        fact = trial.names.get(name)
        if fact is not None and fact.kind is Kind.PLAIN and fact.payload is None:
            trial.names[name] = Fact(Kind.PLAIN, symbol="=" + name)
    entry = trial.copy()
    _turn(it, node, body, trial, header)
    it.before.restore(saved[0])
    it.after.restore(saved[1])
    second = env.copy()
    second.names.update({n: entry.names[n] for n in changed if n in entry.names})
    mirrors: list[tuple[str, int, str]] = []
    for name in sorted(changed):
        start, end = entry.names.get(name), trial.names.get(name)
        if start is None or end is None or start.kind is not Kind.TENSOR or end.kind is not Kind.TENSOR:
            continue
        second.names[name] = _carried(it, name, start, end, node, mirrors)
        it.entered[node, name] = second.names[name].layout
    _turn(it, node, body, second, header)
    for name in sorted(changed):
        start, end = it.entered.get((node, name)), second.names.get(name)
        it.relayout.get(body, {}).pop(name, None)
        if start is Layout.FLIPPED and end is not None and end.kind is Kind.TENSOR and end.layout is Layout.PLAIN and (
                end.rank or 0) > 2:
            it.relayout.setdefault(body, {})[name] = end.rank or 4
            second.names[name] = end.but(layout=Layout.FLIPPED)
    for name, axis, mirror in mirrors:
        end = second.names.get(name)
        size = end.shape[axis] if end is not None and end.shape is not None and axis < len(end.shape) else None
        if size is not None and not (isinstance(size, Sym) and size.text == mirror):
            it.after.setdefault(body, {})[mirror] = size
    _leave(it, node, body, env, second, mirrors, header)


def _before_loop(it: Interp, env: Env, changed: set[str], body: cst.CSTNode) -> Env:
    """The scope of a turn: lists that the loop appends tensors to stand for any length."""
    inside = env.copy()
    for name, fact in list(inside.names.items()):
        if isinstance(fact.payload, Items) and not fact.payload.elements and fact.payload.kind == "list":
            inside.names[name] = fact.but(payload=Items([], "list"))
    return inside


def _turn(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env,
          header: tuple[cst.BaseExpression, Fact] | None) -> None:
    if header is not None:
        assign(it, header[0], header[1], env, node)
    run(it, body.body, env)


def _carried(it: Interp, name: str, start: Fact, end: Fact, node: cst.CSTNode,
             mirrors: list[tuple[str, int, str]]) -> Fact:
    if start.shape is None or end.shape is None or len(start.shape) != len(end.shape):
        return start.but(last=start.width if start.width == end.width else None, shape=None,
                         mask=masks.joined(start, end))
    dims: list[Dim] = list(start.shape)
    for axis, (a, b) in enumerate(zip(start.shape, end.shape, strict=True)):
        if a == b:
            continue
        if a is None or b is None or axis == 0 or not carries(it):
            dims[axis] = None
            continue
        mirror = mirror_name(it, name, axis, len(dims))
        note_mirror(it, mirror)
        if not (isinstance(a, Sym) and a.text == mirror):
            it.before.setdefault(node, {})[mirror] = a
        mirrors.append((name, axis, mirror))
        dims[axis] = Sym(mirror)
    layout = start.layout if start.layout is end.layout or len(dims) < 3 else Layout.FLIPPED
    it.relayout.get(("before", node), {}).pop(name, None)
    if layout is Layout.FLIPPED and start.layout is Layout.PLAIN:
        it.relayout.setdefault(("before", node), {})[name] = len(dims)
    return start.but(shape=tuple(dims), layout=layout, payload=None if layout is not start.layout else start.payload,
                     mask=masks.joined(start, end))


def _leave(it: Interp, node: cst.CSTNode, body: cst.BaseSuite, env: Env, inside: Env,
           mirrors: list[tuple[str, int, str]], header: tuple[cst.BaseExpression, Fact] | None) -> None:
    """After the loop: carried sizes are their mirrors; lists that grew stand for any length."""
    carried = {(name, axis): mirror for name, axis, mirror in mirrors}
    bound = _names(header[0]) if header is not None else set()
    local = bound | set(_assigned(body))
    for name, fact in inside.names.items():
        before = env.names.get(name)
        if fact.kind is Kind.TENSOR and fact.shape is not None:
            shape = list(fact.shape)
            for axis, dim in enumerate(shape):
                if (name, axis) in carried:
                    shape[axis] = Sym(carried[name, axis])
                elif isinstance(dim, Sym) and dim.names & local and not carries(it):
                    shape[axis] = None
                elif isinstance(dim, Sym) and dim.names & local and name not in env.names:
                    note_mirror(it, mirror_name(it, name, axis, len(shape)))
                    mirror = mirror_name(it, name, axis, len(shape))
                    it.after.setdefault(body, {})[mirror] = dim
                    shape[axis] = Sym(mirror)
            fact = fact.but(shape=tuple(shape))
        elif isinstance(fact.payload, Items) and isinstance(before, Fact) and isinstance(before.payload, Items):
            fact = _grown(name, fact, before)
        elif fact.kind is Kind.PLAIN and name in local:
            fact = Fact(Kind.PLAIN, symbol="=" + name)
        env.names[name] = fact


def _grown(name: str, fact: Fact, before: Fact) -> Fact:
    """A list that a loop appended tensors to."""
    elements = fact.payload.elements
    if fact.payload.kind != "list" or not elements or not has_tensor(elements[-1]):
        return fact
    if isinstance(elements[-1].payload, Items):
        return fact.but(payload=Grown(tensors_in(elements[-1])[0].but(shape=None), "?"))
    element = elements[-1]
    if len(elements) == 1 or len(elements) > len(before.payload.elements) or True:
        shape = element.shape
        spatial = None if shape is None else (*[None] * (len(shape) - 1), Sym(f"{singular(name)}_channels"))
        return Fact(Kind.PLAIN, payload=Grown(element.but(shape=spatial, payload=None), f"{name}_channels"))
    return fact


def singular(name: str) -> str:
    return name[:-1] if name.endswith("s") and len(name) > 2 else name


__all__ = ["OPEN", "Class", "Function", "assign", "compound", "element_of", "mirror_name", "run", "singular"]
