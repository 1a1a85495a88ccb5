"""A variable that holds one of several classes or functions, by a setting: each is read as called in its own branch.

    if kind == "spatial":                       if kind == "spatial":
        drop = SpatialDropout2D                     x = SpatialDropout2D(rate)(x)
    else:                                 ->    else:
        drop = Dropout                              x = Dropout(rate)(x)
    x = drop(rate)(x)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import build
from port.names import dotted_name
from port.tree import clone, code, find, loads, rebuild, walk


@dataclass
class Options:
    """One such variable: `tests[i]` chooses `values[i]`; the last value, without a test, is the rest."""

    name: str
    tests: list[cst.BaseExpression]
    values: list[cst.BaseExpression]
    other: list[Any]  # statements of an `else` that only raises


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such variables undone in its functions; the same object if there are none."""
    return _inside(module)  # type: ignore[no-any-return]


def _inside(node: Any) -> Any:
    if isinstance(node, cst.FunctionDef) and isinstance(node.body, cst.IndentedBlock):
        return _function(node)
    return rebuild(node, _inside) if isinstance(node, cst.Module | cst.ClassDef | cst.IndentedBlock) else node


def _function(node: cst.FunctionDef) -> cst.FunctionDef:
    for s in node.body.body:
        found = _options(s)
        if found is not None and _fits(node, s, found):
            body = [new for t in node.body.body for new in ([*_guard(found, s)] if t is s else [_used(t, found)])]
            return _function(node.with_changes(body=node.body.with_changes(body=body)))
    return node


# ---------------------------------------------------------------- what is chosen
def _options(s: Any) -> Options | None:
    if isinstance(s, cst.SimpleStatementLine):
        name, value = _assigned([s])
        if not isinstance(value, cst.IfExp) or not name:
            return None
        values = [value.body, value.orelse]
        return Options(name, [value.test], values, []) if all(map(dotted_name, values)) else None
    names: set[str] = set()
    tests: list[cst.BaseExpression] = []
    chosen: list[Any] = []
    while isinstance(s, cst.If):
        name, value = _assigned(s.body.body)
        names.add(name)
        tests.append(s.test)
        chosen.append(value)
        s = s.orelse
    if not isinstance(s, cst.Else):
        return None
    other = list(s.body.body)
    if not _raises(other):
        name, value = _assigned(other)
        names.add(name)
        chosen.append(value)
        other = []
    fits = len(names) == 1 and "" not in names and all(v is not None and dotted_name(v) for v in chosen)
    return Options(names.pop(), tests, chosen, other) if fits else None


def _assigned(body: Sequence[Any]) -> tuple[str, cst.BaseExpression | None]:
    """The variable that a body of one assignment binds, and to what."""
    small = body[0].body[0] if len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) else None
    if isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.targets[0].target, cst.Name):
        return small.targets[0].target.value, small.value
    return "", None


def _raises(body: Sequence[Any]) -> bool:
    return len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) and isinstance(body[0].body[0], cst.Raise)


def _fits(node: cst.FunctionDef, choice: Any, options: Options) -> bool:
    """Is it only called, line by line, and do the tests and values mean the same there?"""
    rest = [s for s in node.body.body if s is not choice]
    uses = [n for s in rest for n in walk(s) if isinstance(n, cst.Name) and n.value == options.name]
    calls = [c for s in rest for line in find(s, cst.SimpleStatementLine) for c in _calls(line, options.name)]
    binding = [n for s in node.body.body for n in walk(s) if isinstance(n, cst.AssignTarget | cst.For | cst.AugAssign)]
    bound = {t.value for n in binding for t in walk(n.target) if isinstance(t, cst.Name)}
    asked = {n for e in [*options.tests, *options.values] for n in loads(e)}
    alone = all(len(_calls(line, options.name)) < 2 for s in rest for line in find(s, cst.SimpleStatementLine))
    return bool(uses) and len(uses) == len(calls) and alone and not asked & bound and not any(
        isinstance(n, cst.Call) for t in options.tests for n in walk(t))


def _calls(line: Any, name: str) -> list[cst.Call]:
    return [n for n in walk(line) if isinstance(n, cst.Call) and isinstance(n.func, cst.Name) and n.func.value == name]


# ---------------------------------------------------------------- where it is called
def _guard(options: Options, choice: Any) -> list[Any]:
    """What is left of the choice: the error of a setting that chooses nothing."""
    if not options.other:
        return []
    sides = [_equals(t) for t in options.tests]
    if None not in sides and len({name for name, _ in sides}) == 1:  # type: ignore[misc]
        test = build(f"{sides[0][0]} not in ({', '.join(v for _, v in sides)}{',' if len(sides) == 1 else ''})"  # type: ignore
                     )
    else:
        test = build("not ({t})", t=build(" or ".join(f"({code(t)})" for t in options.tests)))
    return [cst.If(test, cst.IndentedBlock(options.other), leading_lines=choice.leading_lines)]


def _equals(test: cst.BaseExpression) -> tuple[str, str] | None:
    """`name == literal`"""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1 and isinstance(
            test.comparisons[0].operator, cst.Equal) and isinstance(test.left, cst.Name) and isinstance(
            test.comparisons[0].comparator, cst.SimpleString | cst.Integer):
        return test.left.value, code(test.comparisons[0].comparator)
    return None


def _used(node: Any, options: Options) -> Any:
    if isinstance(node, cst.SimpleStatementLine):
        return _branches(node, options) if _calls(node, options.name) else node
    return rebuild(node, lambda child: _used(child, options))


def _branches(line: cst.SimpleStatementLine, options: Options) -> cst.If | cst.SimpleStatementLine:
    if len(options.values) == 1:  # all else is an error
        return _called(line, options.name, options.values[0])  # type: ignore[no-any-return]
    plain = line.with_changes(leading_lines=[])
    bodies = [cst.IndentedBlock([_called(clone(plain), options.name, value)]) for value in options.values]
    tests = options.tests[:len(bodies) - 1]
    tail: Any = cst.Else(bodies.pop())
    for test, body in zip(reversed(tests), reversed(bodies), strict=True):
        tail = cst.If(clone(test), body, tail)
    return tail.with_changes(leading_lines=line.leading_lines)  # type: ignore[no-any-return]


def _called(node: Any, name: str, value: cst.BaseExpression) -> Any:
    if isinstance(node, cst.Name):
        return clone(value) if node.value == name else node
    if isinstance(node, cst.Attribute):
        return node.with_changes(value=_called(node.value, name, value))
    if isinstance(node, cst.Arg):
        return node.with_changes(value=_called(node.value, name, value))
    return rebuild(node, lambda child: _called(child, name, value))
