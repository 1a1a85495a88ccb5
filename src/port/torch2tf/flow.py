"""Statements: what they bind (assignments.py), branches and loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port import versions
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.scopes import Env
from port.torch2tf import definitions, either, members, shapes, users
from port.torch2tf.assignments import assign
from port.torch2tf.values import Items, is_none, may_be_none
from port.tree import code, kinds, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from port.torch2tf.interp import Interp

SMALL = kinds(cst.BaseSmallStatement)


def run(it: Interp, body: Sequence[cst.BaseStatement | cst.BaseSmallStatement], env: Env) -> bool:
    """Run statements, or those of one line, in order; False if the end is not reached (each path returns or raises)."""
    for at, statement in enumerate(body):
        if type(statement) is cst.SimpleStatementLine:
            reached = all(simple(it, small, env) for small in statement.body)
        elif type(statement) in SMALL:
            reached = simple(it, statement, env)  # type: ignore[arg-type]
        else:
            reached = compound(it, statement, env)  # type: ignore[arg-type]
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
    if type(node) is cst.Assign:
        fact = it.ev(node.value, env)
        for target in node.targets:
            assign(it, target.target, fact, env, node.value)
    elif type(node) is cst.AnnAssign:
        if node.value is not None:
            assign(it, node.target, it.ev(node.value, env), env, node.value)
        elif type(node.target) is cst.Name:
            hinted = definitions.hinted(it, code(node.annotation.annotation))
            if hinted is not None:
                env.names.setdefault(node.target.value, hinted)
    elif type(node) is cst.AugAssign:
        _augmented(it, node, env)
    elif type(node) is cst.Return:
        if it.current:
            fact = it.ev(node.value, env) if node.value is not None else Fact(Kind.PLAIN, values=frozenset([None]))
            parts = either.parts(it, node.value)
            for part in parts or (fact,):
                users.returned(it, part)
        return False
    elif type(node) is cst.Expr:
        it.ev(node.value, env)
    elif type(node) is cst.Raise:
        it.ev(node.exc, env)
        return False
    elif type(node) is cst.Assert:
        it.ev(node.test, env)
        if node.msg is not None:
            it.ev(node.msg, env)
        narrow(it, node.test, env, True)
    elif isinstance(node, cst.Break | cst.Continue):
        return False
    elif type(node) is cst.Del:
        it.ev(node.target, env)
    return True


def _augmented(it: Interp, node: cst.AugAssign, env: Env) -> None:
    old, value = it.ev(node.target, env), it.ev(node.value, env)  # type: ignore[arg-type]
    if isinstance(old.payload, Items) and type(node.operator) is cst.AddAssign:
        added = value.payload
        if isinstance(added, Items):
            news = [old.payload.add((node, i), element, it.depth) for i, element in enumerate(added.elements)]
            old.payload.open |= added.open
            if any(news):
                it.touched(old.payload)
        else:
            old.payload.open = True
        return
    it.note(node, old)  # the target has the fact of what it holds afterwards
    if Kind.TENSOR in (old.kind, value.kind):
        result = shapes.binary(it, node, old, value)
    else:
        result = Fact(Kind.PLAIN) if old.kind is Kind.PLAIN else UNKNOWN
    assign(it, node.target, result, env)


# ---------------------------------------------------------------- compound statements
def compound(it: Interp, node: cst.BaseStatement, env: Env) -> bool:
    if type(node) is cst.If:
        return _if(it, node, env)
    if type(node) is cst.For:
        element = members.element_of(it, it.ev(node.iter, env))
        _loop(it, node, env, lambda inner: assign(it, node.target, element, inner))
        return True
    if type(node) is cst.While:
        _loop(it, node, env, lambda inner: it.ev(node.test, inner))
        return True
    if type(node) is cst.With:
        for item in node.items:
            fact = it.ev(item.item, env)
            if item.asname is not None:
                assign(it, item.asname.name, fact, env)
        return run(it, node.body.body, env)
    if type(node) is cst.Try:
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
    if type(node) is cst.Match:
        return _match(it, node, env)
    if type(node) is cst.FunctionDef or type(node) is cst.ClassDef:
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
    fact = it.ev(node.test, env)
    test = True if fact.kind is Kind.FUNCTION and not may_be_none(fact) else fact.literal(...)
    told = versions.holds(it.names, node.test)
    test = test if told is None else told
    orelse = node.orelse
    it.conflicts.pop(node, None)
    other = env.copy()
    if test is False or node.body in it.left or node.test in it.left:  # never reached, but its text needs facts as well
        _unread(it, node.body, env.copy())
        reached = False
    else:
        narrow(it, node.test, other, False)
        narrow(it, node.test, env, True)
        reached = run(it, node.body.body, env)
    if type(orelse) is cst.If:
        reached_else = _if(it, orelse, other) and orelse not in it.left
    elif orelse is not None and orelse.body in it.left:
        _unread(it, orelse.body, other)
        reached_else = False
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


def _unread(it: Interp, body: Any, env: Env) -> None:
    """A branch that is never reached: nothing that it makes, and of which nothing is known, is left to others."""
    it.dead += 1
    run(it, body.body, env)
    it.dead -= 1


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
        if mine is not None and _disagree(it, node, name, mine, fact):
            last = mine if members.has_layout(mine) else fact
            it.conflicts.setdefault(node, {})[name] = (last is mine, last.rank)
            mine, fact = (f.but(layout=Layout.PLAIN, payload=None) if f.kind is Kind.TENSOR else f
                          for f in (mine, fact))
        env.names[name] = fact if mine is None else it.joined(mine, fact)


def _disagree(it: Interp, node: cst.CSTNode, name: str, a: Fact, b: Fact) -> bool:
    """Tensors of two orders of axes; or a number and a tensor that cannot be moved any more, but must be."""
    if a.kind is b.kind is Kind.TENSOR:
        return a.layout is not b.layout
    if type(node) is not cst.If or Kind.PLAIN not in (a.kind, b.kind) or is_none(a) or is_none(b) or not (
            members.has_layout(a) or members.has_layout(b)):
        return False
    it.numeric.add(it.variable(name))
    return it.variable(name) in it.settled


def narrow(it: Interp, test: cst.BaseExpression, env: Env, truth: bool) -> None:
    """`if x is not None`: inside, x is no None."""
    if type(test) is cst.BooleanOperation and type(test.operator) is cst.And and truth:
        narrow(it, test.left, env, True)
        narrow(it, test.right, env, True)
        return
    if type(test) is cst.UnaryOperation and type(test.operator) is cst.Not:
        narrow(it, test.expression, env, not truth)
        return
    name: cst.BaseExpression = test
    if type(test) is cst.Comparison and len(test.comparisons) == 1 and is_none(
            it.fact(test.comparisons[0].comparator)):
        name = test.left
        operator = test.comparisons[0].operator
        if type(operator) is cst.Is:
            truth = not truth
        elif type(operator) is not cst.IsNot:
            return
    elif type(test) is cst.Call and type(test.func) is cst.Name and len(test.args) == 1:
        if test.func.value not in ("exists", "default"):
            return
        name = test.args[0].value
    if type(name) is not cst.Name or name.value not in env.names:
        return
    fact = env.names[name.value]
    if may_be_none(fact) and fact.kind is not Kind.PLAIN:
        env.names[name.value] = fact.but(values=None) if truth else Fact(Kind.PLAIN, values=frozenset([None]))
