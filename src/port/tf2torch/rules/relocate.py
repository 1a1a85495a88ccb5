"""Layers kept in a list that one loop fills and another applies are read as made where they are applied.

    downs = [stem]                              for j in range(4):
    for i in range(3):                              if j == 0:
        down = Conv2D(dims[i + 1], 2)                   x = stem(x)
        downs.append(down)                ->        else:
    for j in range(4):                                  down = Conv2D(dims[j], 2)
        x = downs[j](x)                                 x = down(x)

Each layer is applied once, so it is the same model; and what arrives at a layer is known where it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import build, expression
from port.tree import code, loads, rebuild, walk


@dataclass
class Shelf:
    """One such list: elements made before the loop, and the loop that makes the others."""

    name: str
    start: cst.CSTNode
    first: list[cst.BaseExpression] = field(default_factory=list)
    gone: list[cst.CSTNode] = field(default_factory=list)  # statements that only fill the list
    variable: str = ""
    making: list[Any] = field(default_factory=list)  # what a turn of the loop does before it appends
    rest: cst.BaseExpression | None = None  # what it appends
    alone: dict[str, Any] = field(default_factory=dict)  # layer before the loop that only the list uses -> its line


def rewrite(module: cst.Module, mixed: bool = False) -> cst.Module:
    """The module with such lists undone in its functions; the same object if there are none.

    `mixed`: only lists that hold layers from before the loop, too.
    """
    body = [_function(s, mixed) if isinstance(s, cst.FunctionDef) and isinstance(s.body, cst.IndentedBlock) else s
            for s in module.body]
    return module if all(a is b for a, b in zip(body, module.body, strict=True)) else module.with_changes(body=body)


def _function(node: cst.FunctionDef, mixed: bool) -> cst.FunctionDef:
    body = list(node.body.body)
    for shelf in filter(None, map(_begun, body)):
        if _filled(shelf, body) and (shelf.first or not mixed) and (new := _applied(shelf, body)) is not None:
            body = new
    return node if body == list(node.body.body) else node.with_changes(body=node.body.with_changes(body=body))


def _begun(s: Any) -> Shelf | None:
    """`downs = []`, or a list of layers."""
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or not isinstance(small.value, cst.List):
        return None
    target, elements = small.targets[0].target, small.value.elements
    if not isinstance(target, cst.Name) or not all(
            isinstance(e, cst.Element) and isinstance(e.value, cst.Name | cst.Call) for e in elements):
        return None
    return Shelf(target.value, s, [e.value for e in elements], [s])


def _filled(shelf: Shelf, body: Sequence[Any]) -> bool:
    """Read what fills the list: appends, then one loop of appends; False if it is filled in another way."""
    for s in body[body.index(shelf.start) + 1:]:
        if (value := _appended(s, shelf.name)) is not None:
            if shelf.rest is not None:
                return False
            shelf.first.append(value)
            shelf.gone.append(s)
        elif isinstance(s, cst.For) and (value := _appended(s.body.body[-1], shelf.name)) is not None:
            if shelf.rest is not None or not _counts(s) or not all(_makes(m) for m in s.body.body[:-1]):
                return False
            shelf.variable, shelf.making, shelf.rest = code(s.target), list(s.body.body[:-1]), value
            shelf.gone.append(s)
    if shelf.rest is None:
        return False
    _alone(shelf, body)
    made = {code(m.body[0].targets[0].target) for m in shelf.making} | {shelf.variable}
    others = [s for s in body if s not in shelf.gone]
    return not made & {n for s in others if not isinstance(s, cst.For) for n in loads(s)}


def _alone(shelf: Shelf, body: Sequence[Any]) -> None:
    """`stem = Sequential(...)`, which nothing but the list uses, is made where it is applied, too."""
    for element in shelf.first:
        name = element.value if isinstance(element, cst.Name) else ""
        lines = [s for s in body if _makes(s) and code(s.body[0].targets[0].target) == name]
        uses = [n for s in body for n in walk(s) if type(n) is cst.Name and n.value == name]
        if len(lines) == 1 and len(uses) == 2:
            shelf.alone[name] = lines[0]
            shelf.gone.append(lines[0])


def _appended(s: Any, name: str) -> cst.BaseExpression | None:
    """What `name.append(value)` adds."""
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    call = small.value if isinstance(small, cst.Expr) else None
    fits = isinstance(call, cst.Call) and code(call.func) == f"{name}.append" and len(call.args) == 1
    return call.args[0].value if fits and isinstance(call, cst.Call) else None


def _counts(s: cst.For) -> bool:
    """`for i in range(n)`"""
    return (isinstance(s.target, cst.Name) and isinstance(s.iter, cst.Call) and code(s.iter.func) == "range"
            and len(s.iter.args) == 1 and s.orelse is None and isinstance(s.body, cst.IndentedBlock))


def _makes(s: Any) -> bool:
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    return isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.targets[0].target, cst.Name)


def _applied(shelf: Shelf, body: Sequence[Any]) -> list[Any] | None:
    """The body with each layer made where `downs[j](x)` applies it; None if it is used in another way."""
    left = [s for s in body if s not in shelf.gone]
    uses = [n for s in left for n in walk(s) if isinstance(n, cst.Name) and n.value == shelf.name]
    loops = [s for s in left if isinstance(s, cst.For) and _counts(s) and any(
        _application(t, shelf.name, code(s.target)) is not None for t in s.body.body)]
    if len(uses) != 1 or len(loops) != 1 or not _constant(shelf, body, loops[0]):
        return None
    loop = loops[0]
    turn: list[Any] = []
    for t in loop.body.body:
        argument = _application(t, shelf.name, code(loop.target))
        turn += [t] if argument is None else _choice(shelf, t, argument, code(loop.target))
    new = loop.with_changes(body=loop.body.with_changes(body=turn))
    return [new if s is loop else s for s in body if s not in shelf.gone]


def _application(s: Any, name: str, variable: str) -> cst.Arg | None:
    """The argument of `x = downs[j](x)`."""
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    call = small.value if isinstance(small, cst.Assign) else None
    fits = isinstance(call, cst.Call) and code(call.func) == f"{name}[{variable}]" and len(call.args) == 1
    return call.args[0] if fits and isinstance(call, cst.Call) else None


def _constant(shelf: Shelf, body: Sequence[Any], loop: cst.For) -> bool:
    """Do the names that make the layers mean the same in the later loop?"""
    used = {n for m in [*shelf.making, shelf.rest, *shelf.first] if m is not None for n in loads(m)}
    used -= {shelf.variable} | {code(m.body[0].targets[0].target) for m in shelf.making}
    between = body[body.index(shelf.start) + 1:body.index(loop) + 1]
    changed = {t.value for s in between if s not in shelf.gone for n in walk(s) if isinstance(n, cst.AssignTarget)
               for t in walk(n.target) if isinstance(t, cst.Name)}
    changed |= {code(n.target) for s in between if s not in shelf.gone for n in walk(s)
                if isinstance(n, cst.For | cst.AugAssign)}
    return not used & (changed - shelf.alone.keys())


def _choice(shelf: Shelf, s: Any, argument: cst.Arg, variable: str) -> list[Any]:
    """`if j == 0: x = stem(x)`, one branch for each element made before the loop, else one of the loop's."""
    def line(layer: cst.BaseExpression) -> Any:
        call = cst.Call(layer, [argument])
        return s.with_changes(body=[s.body[0].with_changes(value=call)], leading_lines=[])

    assert shelf.rest is not None
    making = [_shifted(m, shelf.variable, variable, len(shelf.first)) for m in shelf.making]
    rest = line(_shifted(shelf.rest, shelf.variable, variable, len(shelf.first)))
    if not shelf.first:
        return [*making, rest]
    tail: Any = cst.Else(cst.IndentedBlock([*making, rest]))
    for at in reversed(range(len(shelf.first))):
        made = shelf.alone.get(code(shelf.first[at]))
        body = [line(shelf.first[at])] if made is None else [made, line(shelf.first[at])]
        tail = cst.If(expression(f"{variable} == {at}"), cst.IndentedBlock(body), tail)
    return [tail.with_changes(leading_lines=s.leading_lines)]


def _shifted(node: Any, old: str, new: str, by: int) -> Any:
    """`i` is `j - by` now; `i + by` is `j`."""
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add) and code(node.left) == old and (
            isinstance(node.right, cst.Integer)):
        rest = int(node.right.value) - by
        return cst.Name(new) if not rest else expression(f"{new} {'+' if rest > 0 else '-'} {abs(rest)}")
    if isinstance(node, cst.Name) and node.value == old:
        return build(f"({new} - {by})") if by else cst.Name(new)
    if isinstance(node, cst.Attribute):
        return node.with_changes(value=_shifted(node.value, old, new, by))
    if isinstance(node, cst.Arg):
        return node.with_changes(value=_shifted(node.value, old, new, by))
    return rebuild(node, lambda child: _shifted(child, old, new, by))
