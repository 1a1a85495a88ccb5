"""Branches that run only where a setting is not left at its default: `if self.memory_efficient:`, False if not given.

What such a branch needs and Keras lacks does not keep its function in PyTorch: the port raises there, and says so.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from port import versions
from port.torch2tf import stopping, users
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function, options
from port.tree import code, find, memo, named, walk

RAISES = "raises"  # note: branches that raise, so that nothing in them runs
DEEPEST = 6  # settings that are told by other settings
COMPARED: dict[type, Any] = {
    cst.Equal: operator.eq, cst.NotEqual: operator.ne, cst.Is: operator.is_, cst.IsNot: operator.is_not,
    cst.GreaterThan: operator.gt, cst.LessThan: operator.lt, cst.GreaterThanEqual: operator.ge,
    cst.LessThanEqual: operator.le}
CONSTANTS = {"True": True, "False": False, "None": None}
CASTS = {"bool": bool, "int": int, "float": float, "str": str}


def block(w: Any, node: cst.If, body: Any, write: Any) -> Any:
    """One side of a condition; one that a default keeps from running may raise instead."""
    left = w.left.get(body) or (w.left.get(node.test) if body is node.body else None)
    if left is not None:
        w.it.notes.setdefault(RAISES, set()).add(body)
        return stopping.raised(w, left, node)
    try:
        with w.tentative():
            return write(w, body)
    except Refused as refusal:
        if w.function is None or not is_optional(w.it, w.function, node, body):
            raise
        w.left[body] = refusal.kept()
        w.it.notes.setdefault(RAISES, set()).add(body)
        return stopping.raised(w, refusal, node)


def leaves(w: Any, node: cst.CSTNode) -> bool:
    """Is this `if not self.flash: return`, which by default leaves the function?"""
    if not isinstance(node, cst.If) or node.orelse is not None or w.function is None:
        return False
    last: Any = node.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    known = _value(w.it, w.function, node.test, 0) if isinstance(small, cst.Return) else ...
    return known is not ... and bool(known)


def rest(w: Any, body: Sequence[Any], write: Any) -> Any:
    """What runs behind such a condition, where a setting has another value; it raises if it cannot be ported."""
    try:
        with w.tentative():
            return write(w, body)
    except Refused as refusal:
        w.it.notes.setdefault(RAISES, set()).update(body)
        raised: Any = stopping.raised(w, refusal, body[0]).body[0]
        blank = [e for e in body[0].leading_lines if e.comment is None]
        return [raised.with_changes(leading_lines=[*blank, *raised.leading_lines])]


def raises(w: Any, node: cst.If, first: bool) -> bool:
    """Does this side of the condition raise, so that what follows it is never reached?"""
    at = sides(node)
    return (at[0] if first else at[1] if len(at) > 1 else None) in w.left or (first and node.test in w.left)


def test(w: Any, node: cst.If) -> Any:
    """The condition. If what it asks behind a setting that is off cannot be asked, its branch raises without that."""
    first = _first(w.it, w.function, node.test) if w.function is not None else node.test
    if node.test in w.left:
        return w.expr(first)
    try:
        return w.expr(node.test)
    except Refused as refusal:
        if first is node.test:
            raise
        w.left[node.test] = refusal.kept()
        return w.expr(first)


def regions(w: Any, part: cst.CSTNode) -> Iterator[tuple[Any, Sequence[cst.CSTNode]]]:
    """Branches that may raise, the outermost ones, and what conditions ask behind a setting that is off."""
    inside: set[cst.CSTNode] = set()
    for n in find(part, cst.FunctionDef):
        function = w.it.functions.get(n)
        if function is None:
            continue
        for node in find(n.body, cst.If, enter_functions=False):
            for body in sides(node):
                if node in inside or not is_optional(w.it, function, node, body):
                    continue
                inside |= set(find(body, cst.If))
                yield body, [body]
                if body is node.body and (rest := _behind(node.test, _first(w.it, function, node.test))):
                    yield node.test, rest


def sides(node: cst.If) -> list[Any]:
    """What runs where the test holds, and where it does not: `elif` and all that follows is one such side."""
    other = node.orelse
    return [node.body, *([other.body] if isinstance(other, cst.Else) else [other] if other is not None else [])]


def _behind(node: cst.BaseExpression, first: cst.BaseExpression) -> list[cst.CSTNode]:
    """What a condition asks behind its first part."""
    found: list[cst.CSTNode] = []
    while node is not first and isinstance(node, cst.BooleanOperation):
        found.append(node.right)
        node = node.left
    return found


def is_optional(it: Any, function: Function, node: cst.If, body: Any) -> bool:
    """Does this side of the condition run only if a setting is given that has another default?"""
    known = _value(it, function, node.test, 0)
    return known is not ... and bool(known) is (body is not node.body)


def by_default(it: Any, function: Function, node: cst.BaseExpression) -> Any:
    """What the expression is where all settings have their defaults; `...` if that is not known."""
    return _value(it, function, node, 0)


def _first(it: Any, function: Function, node: cst.BaseExpression) -> cst.BaseExpression:
    """The part of `a and b` that is off by itself."""
    while isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.And):
        left = _value(it, function, node.left, 0)
        if left is ... or left:
            break
        node = node.left
    return node


# ---------------------------------------------------------------- values that settings have by default
def _value(it: Any, f: Function, node: cst.CSTNode | None, depth: int) -> Any:
    """What the expression is where all settings have their defaults; `...` if that is not known."""
    if depth > DEEPEST or node is None:
        return ...
    known = it.fact(node).literal(...)
    if known is not ...:
        return known
    if type(node) is cst.Name:
        return CONSTANTS[node.value] if node.value in CONSTANTS else _variable(it, f, node.value, depth + 1)
    if isinstance(node, cst.Integer | cst.Float | cst.SimpleString):
        return node.evaluated_value
    if type(node) is cst.Attribute:
        own = isinstance(node.value, cst.Name) and f.owner is not None and node.value.value == next(iter(f.params), "")
        return _attribute(it, f.owner, node.attr.value, depth + 1) if own and f.owner is not None else ...
    if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
        inner = _value(it, f, node.expression, depth)
        return ... if inner is ... else not inner
    if isinstance(node, cst.BooleanOperation):
        return _both(it, f, node, depth)
    if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
        left, right = _value(it, f, node.left, depth), _value(it, f, node.comparisons[0].comparator, depth)
        compare = COMPARED.get(type(node.comparisons[0].operator))
        try:
            return ... if left is ... or right is ... or compare is None else compare(left, right)
        except TypeError:
            return ...
    return _called(it, f, node, depth) if isinstance(node, cst.Call) else ...


def _both(it: Any, f: Function, node: cst.BooleanOperation, depth: int) -> Any:
    sides = [_value(it, f, n, depth) for n in (node.left, node.right)]
    decides = isinstance(node.operator, cst.Or)
    if any(s is not ... and bool(s) is decides for s in sides):
        return decides
    return ... if ... in sides else not decides


def _called(it: Any, f: Function, node: cst.Call, depth: int) -> Any:
    if (f.file or it.file).names.resolve(node.func) in versions.COMPILERS:
        return False
    name = code(node.func)
    if name == "isinstance" and len(node.args) == 2:
        made, asked = _made(it, f, node.args[0].value, depth), it.fact(node.args[1].value).symbol
        known = made != "" and asked.startswith("torch.nn.") and asked != "torch.nn.Module"
        return made == asked if known else ...
    if name in CASTS and len(node.args) == 1:
        inner = _value(it, f, node.args[0].value, depth)
        return CASTS[name](inner) if isinstance(inner, bool | int | float | str) else ...
    called = it.fact(node.func).payload
    if isinstance(called, Function) and not called.params and called.owner is None and (ends := find(
            called.node, cst.Return)):
        return _one([_value(it, called, r.value, depth + 1) for r in ends])
    if f.kwstar and name in (f"{f.kwstar}.pop", f"{f.kwstar}.get") and len(node.args) == 2:
        return _value(it, f, node.args[1].value, depth)
    return ...


def _made(it: Any, f: Function, node: cst.CSTNode, depth: int) -> str:
    """The class of torch.nn that an attribute is an object of by default, `torch.nn.Conv2d`; '' if it is not known."""
    if not isinstance(node, cst.Attribute) or f.owner is None or not isinstance(f.node, cst.FunctionDef):
        return ""
    values = set(_set(it, f, code(node), f.node.body, depth + 1))
    made = {it.fact(v.func).symbol if isinstance(v, cst.Call) else "" for v in values}
    symbol = made.pop() if len(made) == 1 else ""
    return symbol if symbol.startswith("torch.nn.") else ""


def _variable(it: Any, f: Function, name: str, depth: int) -> Any:
    """A parameter's default, or what a variable is set to but in branches that do not run by default."""
    known = it.notes.setdefault("defaults", {})  # facts are settled when this is asked
    if (f, name, depth) not in known:
        known[f, name, depth] = _of_variable(it, f, name, depth)
    return known[f, name, depth]


def _of_variable(it: Any, f: Function, name: str, depth: int) -> Any:
    default = ...
    if name in f.params:
        default = _value(it, f, f.defaults[name], depth) if name in f.defaults else _passed(it, f, name, depth)
        if default is ...:
            return ...
    if not isinstance(f.node, cst.FunctionDef):
        return ...
    values = [_value(it, f, v, depth) for v in _set(it, f, name, f.node.body, depth)]
    values += [default] if name in f.params else []
    if not values and f.file is not None:  # of the file, as it is until a function sets it
        values = [_value(it, f, v, depth) for s in f.file.module.body
                  if not isinstance(s, cst.FunctionDef | cst.ClassDef) for v in _settings(s).get(name, ())]
    return _one(values)


def _passed(it: Any, f: Function, name: str, depth: int) -> Any:
    """What all callers pass for a parameter that has no default, where their own settings have theirs."""
    values: list[Any] = []
    for caller, call in _calls(it).get(f, ()) if f.owner is None else ():
        given = users.names_given(f, call).get(name)
        values.append(... if given is None or caller is None else _value(it, caller, given, depth))
    return _one(values)


def _calls(it: Any) -> dict[Function, list[tuple[Function | None, cst.Call]]]:
    """Functions to the calls of them, and the functions that these stand in."""
    if "calls" not in it.notes:
        known: dict[Function, list[tuple[Function | None, cst.Call]]] = {}
        it.notes["calls"] = known
        inside = {call: f for f in it.functions.values() for call in find(f.node, cst.Call, enter_functions=False)}
        for call, callee in it.receivers.items():
            for option in options(callee):
                if type(call) is cst.Call and isinstance(option.payload, Function):
                    known.setdefault(option.payload, []).append((inside.get(call), call))
    return it.notes["calls"]  # type: ignore[no-any-return]


def _set(it: Any, f: Function, name: str, body: Any, depth: int) -> Iterator[cst.CSTNode | None]:
    for node in body.body:
        if type(node) is cst.If and depth < DEEPEST:
            known = _value(it, f, node.test, depth + 1)
            if known is ... or known:
                yield from _set(it, f, name, node.body, depth)
            other = node.orelse
            if other is not None and (known is ... or not known):
                yield from _set(it, f, name, other.body if isinstance(other, cst.Else) else cst.Module([other]), depth)
            continue
        yield from _settings(node).get(name, ())


@memo
def _settings(node: cst.CSTNode) -> dict[str, list[cst.CSTNode | None]]:
    """What a statement sets: variable, or attribute, to its values; None is one of several, or not written there."""
    found: dict[str, list[cst.CSTNode | None]] = {}
    for n in walk(node, enter_functions=False):
        kind = type(n)
        if kind is cst.Assign:
            targets = [t.target for t in n.targets]  # type: ignore[attr-defined]
            whole = {code(t) for t in targets if type(t) in (cst.Name, cst.Attribute)}
            parts = {name for t in targets if type(t) not in (cst.Attribute, cst.Subscript) for name in named(t)}
            for name in whole:
                found.setdefault(name, []).append(n.value)  # type: ignore[attr-defined]
            for name in parts - whole:
                found.setdefault(name, []).append(None)
        elif kind in (cst.AugAssign, cst.For, cst.NamedExpr, cst.AnnAssign):
            value = n.value if kind is cst.AnnAssign else None  # type: ignore[attr-defined]
            found.setdefault(code(n.target), []).append(value)  # type: ignore[attr-defined]
    return found


def _attribute(it: Any, cls: Class, name: str, depth: int) -> Any:
    """What constructors of the class, and of those that it inherits from, set; and the class itself."""
    values: list[Any] = []
    todo: list[Class] = [cls]
    while todo:
        one = todo.pop()
        todo += [b.payload for b in one.bases if isinstance(b.payload, Class)]
        init = one.methods.get("__init__")
        if init is not None:
            text = f"{next(iter(init.params), '')}.{name}"
            values += [_value(it, init, v, depth) for v in _set(it, init, text, init.node.body, depth)]
        for n in find(one.node.body, cst.Assign, enter_functions=False):
            if name in [code(t.target) for t in n.targets]:
                values.append(it.fact(n.value).literal(...))
    return _one(values)


def _one(values: list[Any]) -> Any:
    """The value, if all are the same, or all count as false."""
    if not values or ... in values:
        return ...
    return values[0] if all(v == values[0] or bool(v) is bool(values[0]) is False for v in values) else ...


__all__ = ["block", "by_default", "is_optional", "regions", "test"]
