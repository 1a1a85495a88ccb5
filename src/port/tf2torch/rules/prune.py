"""Statements without what nothing reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import build, statement
from port.tree import changed, named, target_names, walk


def negate(test: cst.BaseExpression) -> cst.BaseExpression | None:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return test.expression
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        swap: dict[type, Any] = {cst.Is: cst.IsNot(), cst.IsNot: cst.Is(), cst.Equal: cst.NotEqual(),
                                 cst.NotEqual: cst.Equal()}
        operator = swap.get(type(test.comparisons[0].operator))
        if operator is not None:
            return test.with_changes(comparisons=[test.comparisons[0].with_changes(operator=operator)])
    return None


# ---------------------------------------------------------------- only what is needed
_PURE = {"str", "int", "float", "len", "max", "min", "abs", "round", "list", "tuple", "sum", "chr", "range", "zip",
         "enumerate", "reversed", "format", "sorted", "dict", "bool", "isinstance", "getattr"}


def pure(node: cst.CSTNode, *also: str) -> bool:
    """Can this be left out if its value is not used? `also`: names of further calls that can."""
    for n in walk(node):
        if type(n) is cst.Call:
            name = n.func.value if isinstance(n.func, cst.Name) else (
                n.func.attr.value if isinstance(n.func, cst.Attribute) else "")
            if name not in _PURE and name not in also:
                return False
        if type(n) in (cst.Yield, cst.Await, cst.NamedExpr):
            return False
    return True


def prune(body: list[Any], keep: set[str]) -> list[Any]:
    """Without assignments that nothing reads, and without branches and loops that became empty."""
    while True:
        used = keep | _loads(body)
        smaller = _prune_once(body, used)
        if smaller is None:
            smaller = _without_idle(body, keep)
        if smaller is None:
            return _stored_for_use(body, keep, keep)[0]
        body = smaller


def _stored_for_use(body: Sequence[Any], later: set[str], keep: set[str]) -> tuple[list[Any], set[str]]:
    """Without assignments whose value nothing reads before the next one; and what is read before it is assigned."""
    out: list[Any] = []
    read = set(later)
    for s in reversed(body):
        name = _candidate(s) if isinstance(s, cst.SimpleStatementLine) else None
        if name is not None:
            if name not in read | keep:
                continue
            read = (read - {name}) | named(s.body[0] if isinstance(s.body[0], cst.AugAssign) else s.body[0].value)
        elif type(s) is cst.If:
            s, read = _if_for_use(s, read, keep)
            if s is None:
                continue
        elif type(s) is cst.For:
            read = read | named(s)
            inner = _stored_for_use(s.body.body, read, keep)[0]
            s = changed(s, body=changed(s.body, body=inner or [statement("pass")]))
        else:
            read = read | named(s)
        out.append(s)
    return out[::-1], read


def _if_for_use(s: cst.If, later: set[str], keep: set[str]) -> tuple[cst.If | None, set[str]]:
    body, read = _stored_for_use(s.body.body, later, keep)
    orelse: Any = s.orelse
    other = later
    if isinstance(orelse, cst.If):
        orelse, other = _if_for_use(orelse, later, keep)
    elif orelse is not None:
        inner, other = _stored_for_use(orelse.body.body, later, keep)
        orelse = changed(orelse, body=changed(orelse.body, body=inner)) if inner else None
    return _if_of(s, body, orelse), read | other | named(s.test)


def _without_idle(body: list[Any], keep: set[str]) -> list[Any] | None:
    """Without an `if` that only changes a variable which nothing but itself reads (`if name is None: name = ...`)."""
    for i, s in enumerate(body):
        if not isinstance(s, cst.If) or s.orelse is not None or not pure(s.test):
            continue
        names = [_candidate(x) if isinstance(x, cst.SimpleStatementLine) else None for x in s.body.body]
        others = body[:i] + body[i + 1:]
        if None not in names and not set(names) & (keep | _loads(others)):
            return others
    return None


def _loads(body: list[Any]) -> set[str]:
    found: set[str] = set()
    for s in body:
        if isinstance(s, cst.SimpleStatementLine):
            small: Any = s.body[0]
            own = _candidate(s)
            if own is not None:
                found |= named(small.value) - {own}
            elif isinstance(small, cst.Assign):
                found |= named(small.value)
                for t in small.targets:
                    if type(t.target) is not cst.Name:
                        found |= named(t.target) - target_names(t.target)
            elif (grown := _grows(s)) is not None:
                found |= named(small) - {grown}
            else:
                found |= named(small)
        elif isinstance(s, cst.If):
            found |= named(s.test)
            found |= _loads(list(s.body.body))
            if s.orelse is not None:
                found |= _loads([s.orelse] if isinstance(s.orelse, cst.If) else list(s.orelse.body.body))
        elif isinstance(s, cst.For):
            found |= named(s.iter) | _loads(list(s.body.body))
        else:
            found |= named(s)
    return found


def _grows(s: cst.SimpleStatementLine) -> str | None:
    """`skips_channels.append(...)`: of no use if the list is not read."""
    small = s.body[0]
    if type(small) is cst.Expr and type(small.value) is cst.Call and isinstance(
            small.value.func, cst.Attribute) and small.value.func.attr.value == "append" and isinstance(
            small.value.func.value, cst.Name) and small.value.func.value.value.endswith("_channels") and all(
            pure(a) for a in small.value.args):
        return small.value.func.value.value
    return None


def _candidate(s: cst.SimpleStatementLine) -> str | None:
    small = s.body[0]
    if type(small) is cst.Assign and len(small.targets) == 1 and type(
            small.targets[0].target) is cst.Name and pure(small.value):
        return small.targets[0].target.value
    if type(small) is cst.AugAssign and type(small.target) is cst.Name and pure(small.value):
        return small.target.value
    return None


def _prune_once(body: list[Any], used: set[str]) -> list[Any] | None:
    out: list[Any] = []
    less = False
    for s in body:
        if isinstance(s, cst.SimpleStatementLine):
            name = _candidate(s) or _grows(s)
            if name is not None and name not in used:
                less = True
                continue
        elif isinstance(s, cst.If):
            new = _prune_if(s, used)
            less |= new is not s
            if new is None:
                continue
            s = new
        elif isinstance(s, cst.For):
            inner = _prune_once(list(s.body.body), used)
            if inner is not None:
                less = True
                if not inner and pure(s.iter):
                    continue
                s = changed(s, body=changed(s.body, body=inner or [statement("pass")]))
        elif isinstance(s, cst.FunctionDef) and s.name.value not in used:
            less = True
            continue
        out.append(s)
    return out if less else None


def _prune_if(s: cst.If, used: set[str]) -> cst.If | None:
    body = _prune_once(list(s.body.body), used)
    orelse: Any = s.orelse
    if isinstance(orelse, cst.If):
        orelse = _prune_if(orelse, used)
    elif isinstance(orelse, cst.Else):
        inner = _prune_once(list(orelse.body.body), used)
        if inner is not None:
            orelse = orelse.with_changes(body=orelse.body.with_changes(body=inner)) if inner else None
    if body is None and orelse is s.orelse:
        return s
    return _if_of(s, list(s.body.body) if body is None else body, orelse)


def _if_of(s: cst.If, statements: list[Any], orelse: Any) -> cst.If | None:
    """The `if` with other branches; None if nothing is left of it."""
    if not statements and orelse is None:
        return None if pure(s.test) else s
    if not statements:
        if isinstance(orelse, cst.Else):
            test = negate(s.test) or build("not ({t})", t=s.test)
            return s.with_changes(test=test, body=orelse.body, orelse=None)
        statements = [statement("pass")]
    return changed(s, body=changed(s.body, body=statements), orelse=orelse)
