"""Statements: assignments, branches and loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind, Layout
from port.scopes import Env
from port.torch2tf import definitions, members, shapes, users
from port.torch2tf.values import (
    Chain,
    Instance,
    Items,
    Mapping,
    SelfOf,
    is_none,
    join,
    may_be_none,
    options,
    put,
    same,
)
from port.tree import walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from port.torch2tf.interp import Interp


def run(it: Interp, body: Sequence[cst.BaseStatement | cst.BaseSmallStatement], env: Env) -> bool:
    """Run statements, or those of one line, in order; False if the end is not reached (each path returns or raises)."""
    for at, statement in enumerate(body):
        if isinstance(statement, cst.SimpleStatementLine):
            reached = all(simple(it, small, env) for small in statement.body)
        elif isinstance(statement, cst.BaseSmallStatement):
            reached = simple(it, statement, env)
        else:
            reached = compound(it, statement, env)
        if not reached:
            _unreached(it, body[at + 1:], env)
            return False
    return True


def _unreached(it: Interp, rest: Sequence[cst.CSTNode], env: Env) -> None:
    """Definitions that nothing reaches are written as well, and need facts for it."""
    for statement in rest:
        for node in walk(statement, enter_functions=False):
            if isinstance(node, cst.FunctionDef | cst.ClassDef):
                definitions.define(it, node, env.copy())


def simple(it: Interp, node: cst.BaseSmallStatement, env: Env) -> bool:
    if isinstance(node, cst.Assign):
        fact = it.ev(node.value, env)
        for target in node.targets:
            assign(it, target.target, fact, env, node.value)
    elif isinstance(node, cst.AnnAssign):
        if node.value is not None:
            assign(it, node.target, it.ev(node.value, env), env, node.value)
        elif isinstance(node.target, cst.Name):
            hinted = definitions.hinted(it, _code(node.annotation.annotation))
            if hinted is not None:
                env.names.setdefault(node.target.value, hinted)
    elif isinstance(node, cst.AugAssign):
        _augmented(it, node, env)
    elif isinstance(node, cst.Return):
        if it.current:
            fact = it.ev(node.value, env) if node.value is not None else Fact(Kind.PLAIN, values=frozenset([None]))
            users.returned(it, fact)
        return False
    elif isinstance(node, cst.Expr):
        it.ev(node.value, env)
    elif isinstance(node, cst.Raise):
        it.ev(node.exc, env)
        return False
    elif isinstance(node, cst.Assert):
        it.ev(node.test, env)
        if node.msg is not None:
            it.ev(node.msg, env)
        narrow(it, node.test, env, True)
    elif isinstance(node, cst.Break | cst.Continue):
        return False
    elif isinstance(node, cst.Del):
        it.ev(node.target, env)
    return True


def _augmented(it: Interp, node: cst.AugAssign, env: Env) -> None:
    old, value = it.ev(node.target, env), it.ev(node.value, env)  # type: ignore[arg-type]
    if isinstance(old.payload, Items) and isinstance(node.operator, cst.AddAssign):
        added = value.payload
        if isinstance(added, Items):
            news = [old.payload.add((node, i), element, it.depth) for i, element in enumerate(added.elements)]
            old.payload.open |= added.open
            if any(news):
                it.touched(old.payload)
        else:
            old.payload.open = True
        return
    if Kind.TENSOR in (old.kind, value.kind):
        result = shapes.binary(it, node, old, value)
    else:
        result = Fact(Kind.PLAIN) if old.kind is Kind.PLAIN else UNKNOWN
    assign(it, node.target, result, env)


# ---------------------------------------------------------------- targets
def assign(it: Interp, target: cst.CSTNode, fact: Fact, env: Env, value: cst.CSTNode | None = None) -> None:
    if isinstance(target, cst.Name):
        env.names[target.value] = fact
        it.facts[target] = fact
    elif isinstance(target, cst.Attribute):
        owner = it.ev(target.value, env)
        it.facts[target] = fact
        for option in options(owner):
            if isinstance(option.payload, SelfOf | Instance):
                set_attribute(it, option.payload.cls, target.attr.value, fact, target)
    elif isinstance(target, cst.Tuple | cst.List):
        _unpack(it, target, fact, env, value)
    elif isinstance(target, cst.Subscript):
        _store(it, target, fact, env)
    elif isinstance(target, cst.StarredElement):
        assign(it, target.value, fact, env)


def _unpack(it: Interp, target: cst.Tuple | cst.List, fact: Fact, env: Env, value: cst.CSTNode | None) -> None:
    elements = target.elements
    star = next((i for i, e in enumerate(elements) if isinstance(e, cst.StarredElement)), None)
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
    if not isinstance(value, cst.Tuple | cst.List):
        return None
    stars = [e for e in value.elements if isinstance(e, cst.StarredElement)]
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
    it.facts[target] = fact
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
        for i, held in enumerate(payload.elements):
            if at is ... or payload.open or at in (i, i - len(payload.elements)):
                payload.elements[i] = join(held, fact)
    elif isinstance(payload, Chain):
        payload.open = True
    elif owner.kind is Kind.TENSOR:
        shapes.written(it, target, owner)


def set_attribute(it: Interp, cls: Any, name: str, fact: Fact, site: cst.CSTNode) -> None:
    old = cls.attrs.get(name)
    new = put(cls.places.setdefault(name, {}), site, fact)
    if not same(old, new):
        cls.attrs[name] = new
        for reader in cls.readers.get(name, ()):
            it.enqueue(reader)


# ---------------------------------------------------------------- compound statements
def compound(it: Interp, node: cst.BaseStatement, env: Env) -> bool:
    if isinstance(node, cst.If):
        return _if(it, node, env)
    if isinstance(node, cst.For):
        element = members.element_of(it, it.ev(node.iter, env))
        _loop(it, node, env, lambda inner: assign(it, node.target, element, inner))
        return True
    if isinstance(node, cst.While):
        _loop(it, node, env, lambda inner: it.ev(node.test, inner))
        return True
    if isinstance(node, cst.With):
        for item in node.items:
            fact = it.ev(item.item, env)
            if item.asname is not None:
                assign(it, item.asname.name, fact, env)
        return run(it, node.body.body, env)
    if isinstance(node, cst.Try):
        before = env.copy()
        reached = run(it, node.body.body, env)
        for handler in node.handlers:
            other = before.copy()
            if handler.name is not None:
                assign(it, handler.name.name, UNKNOWN, other)
            if run(it, handler.body.body, other):  # type: ignore[arg-type]
                merge(it, node, env, other)
                reached = True
        for part in (node.orelse, node.finalbody):
            if part is not None:
                run(it, part.body.body, env)
        return reached
    if isinstance(node, cst.Match):
        return _match(it, node, env)
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        definitions.define(it, node, env)
    return True


def _match(it: Interp, node: cst.Match, env: Env) -> bool:
    it.ev(node.subject, env)
    before = env.copy()
    for case in node.cases:
        inner = before.copy()
        for caught in walk(case.pattern):
            if isinstance(caught, cst.MatchAs | cst.MatchStar | cst.MatchMapping):
                name = caught.rest if isinstance(caught, cst.MatchMapping) else caught.name
                inner.names |= {name.value: UNKNOWN} if name is not None else {}
        it.ev(case.guard, inner)
        if run(it, case.body.body, inner):  # type: ignore[arg-type]
            merge(it, node, env, inner)
    return True


def _if(it: Interp, node: cst.If, env: Env) -> bool:
    test = it.ev(node.test, env).literal(...)
    orelse = node.orelse
    it.conflicts.pop(node, None)
    other = env.copy()
    if test is False:  # never reached, but its text needs facts as well
        run(it, node.body.body, env.copy())  # type: ignore[arg-type]
        reached = False
    else:
        narrow(it, node.test, other, False)
        narrow(it, node.test, env, True)
        reached = run(it, node.body.body, env)
    if isinstance(orelse, cst.If):
        reached_else = _if(it, orelse, other)
    elif orelse is not None:
        reached_else = run(it, orelse.body.body, other)  # type: ignore[arg-type]
    else:
        reached_else = True
    if test is True:
        return reached
    if reached and reached_else:
        merge(it, node, env, other)
    elif reached_else:
        env.names.clear()
        env.names.update(other.names)
    return reached or reached_else


def _loop(it: Interp, node: Any, env: Env, start: Any) -> None:
    """Twice: the second time with what the first turn leaves behind."""
    it.depth += 1
    before = dict(env.names)
    for _ in range(2):
        inner = env.copy()
        it.conflicts.pop(node, None)
        start(inner)
        run(it, node.body.body, inner)
        merge(it, node, env, inner)
    it.entries[node] = {name: fact.rank for name, fact in before.items() if members.has_layout(fact)
                        and env.names[name].kind is Kind.TENSOR and not members.has_layout(env.names[name])}
    it.depth -= 1
    if node.orelse is not None:
        run(it, node.orelse.body.body, env)


def merge(it: Interp, node: cst.CSTNode, env: Env, other: Env) -> None:
    """What holds behind a place where two paths meet. A variable that is missing on one path keeps its Fact."""
    for name, fact in other.names.items():
        mine = env.names.get(name)
        if mine is not None and mine.kind is Kind.TENSOR and fact.kind is Kind.TENSOR and (
                mine.layout is not fact.layout):
            last = mine if mine.layout is Layout.FLIPPED else fact
            it.conflicts.setdefault(node, {})[name] = (last is mine, last.rank)
            mine, fact = mine.but(layout=Layout.PLAIN, payload=None), fact.but(layout=Layout.PLAIN, payload=None)
        env.names[name] = fact if mine is None else join(mine, fact)


def narrow(it: Interp, test: cst.BaseExpression, env: Env, truth: bool) -> None:
    """`if x is not None`: inside, x is no None."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And) and truth:
        narrow(it, test.left, env, True)
        narrow(it, test.right, env, True)
        return
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        narrow(it, test.expression, env, not truth)
        return
    name: cst.BaseExpression = test
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 and is_none(
            it.fact(test.comparisons[0].comparator)):
        name = test.left
        operator = test.comparisons[0].operator
        if isinstance(operator, cst.Is):
            truth = not truth
        elif not isinstance(operator, cst.IsNot):
            return
    elif isinstance(test, cst.Call) and isinstance(test.func, cst.Name) and len(test.args) == 1:
        if test.func.value not in ("exists", "default"):
            return
        name = test.args[0].value
    if not isinstance(name, cst.Name) or name.value not in env.names:
        return
    fact = env.names[name.value]
    if may_be_none(fact) and fact.kind is not Kind.PLAIN:
        env.names[name.value] = fact.but(values=None) if truth else Fact(Kind.PLAIN, values=frozenset([None]))


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


__all__ = ["Layout", "assign", "compound", "merge", "narrow", "run", "set_attribute", "simple"]
