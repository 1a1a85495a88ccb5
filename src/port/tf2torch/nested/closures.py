"""What an inner function reads of the functions around it, and whether that has a value where it is called."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from port.names import import_bindings
from port.syntax import symbols
from port.tree import children, find, module_code, target_names, variables, walk

_TARGETS = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr)


def tables(chain: Sequence[cst.FunctionDef]) -> list[Any] | None:
    """Python's own tables of functions that are defined one inside the other; None if they are not told apart."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes in the user's strings
        try:
            table = symbols(module_code(cst.Module([chain[0]])))
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # of a later Python
            return None
    found: list[Any] = []
    for function in chain:
        inside = [t for t in table.get_children() if t.get_type() == "function" and t.get_name() == function.name.value]
        if len(inside) != 1:
            return None
        table = inside[0]
        found.append(table)
    return found


def read_inside(table: Any, name: str) -> bool:
    """Is the name, which is free in this function, read by functions, lambdas or comprehensions inside it?"""
    return any((name in t.get_identifiers() and t.lookup(name).is_free()) or read_inside(t, name)
               for t in table.get_children())


def owner(around: Sequence[Any], name: str) -> int | None:
    """Which of the functions (by their tables, from the outermost) the name belongs to; None: to the module."""
    return next((i for i in reversed(range(len(around))) if name in around[i].get_identifiers()
                 and around[i].lookup(name).is_local()), None)


def binders(function: cst.FunctionDef, name: str) -> list[Any]:
    """What gives a variable of the function its value, parameters aside."""
    found: list[Any] = []
    for n in walk(function.body, enter_functions=False):
        kind = type(n)
        own = (kind in _TARGETS and name in target_names(n.target)  # type: ignore[attr-defined]
               ) or (kind is cst.AsName and name in target_names(n.name)  # type: ignore[attr-defined]
                     ) or (kind in (cst.FunctionDef, cst.ClassDef) and n.name.value == name  # type: ignore[attr-defined]
                           ) or (kind in (cst.Import, cst.ImportFrom) and name in import_bindings(
                               n)  # type: ignore[arg-type]
                                 ) or (kind is cst.Del and name in {m.value for m in find(n, cst.Name)})
        if own and not (kind is cst.AsName and any(name in import_bindings(i) for i in found if type(i) in (
                cst.Import, cst.ImportFrom))):
            found.append(n)
    return found


def fixed(function: cst.FunctionDef, table: Any, name: str) -> bool:
    """Has the variable one value only: a parameter's, or that of one statement, outside loops?"""
    found = binders(function, name)
    if table.lookup(name).is_parameter():
        return not found
    lines = function.body.body
    return len(found) == 1 and any(found[0] is s or (isinstance(s, cst.SimpleStatementLine) and found[0] in walk(s))
                                   for s in lines)


def path(node: cst.CSTNode, target: cst.CSTNode) -> list[cst.CSTNode]:
    """The nodes from one down to another inside it."""
    if node is target:
        return [node]
    for child in children(node):
        if found := path(child, target):
            return [node, *found]
    return []


def bound_at(lines: Sequence[Any], name: str, place: cst.CSTNode) -> bool:
    """Does the variable surely have a value when the statement among these lines runs that holds `place`?"""
    for line in lines:
        if place not in walk(line):
            if _binds(line, name):
                return True
            continue
        if isinstance(line, cst.For) and name in target_names(line.target) and place in walk(line.body):
            return True
        if isinstance(line, cst.With) and _named_by(line, name) and place in walk(line.body):
            return True
        return any(bound_at(block, name, place) for block in _blocks(line) if any(place in walk(s) for s in block))
    return False


def _blocks(line: Any) -> Iterator[Sequence[Any]]:
    """The lines inside a compound statement, block by block."""
    for child in children(line):
        if isinstance(child, cst.IndentedBlock):
            yield child.body
        elif isinstance(child, cst.If):
            yield [child]
        elif isinstance(child, cst.Else | cst.Finally | cst.ExceptHandler):
            yield from _blocks(child)


def _binds(line: Any, name: str) -> bool:
    """Does the line surely give the variable a value, or leave the function?"""
    if isinstance(line, cst.SimpleStatementLine):
        return any(_binds_small(s, name) for s in line.body)
    if isinstance(line, cst.With):
        return _named_by(line, name) or any(_binds(s, name) for s in line.body.body)
    if isinstance(line, cst.If):
        other: Any = line.orelse
        return any(_binds(s, name) for s in line.body.body) and other is not None and (
            _binds(other, name) if isinstance(other, cst.If) else any(_binds(s, name) for s in other.body.body))
    return False


def _binds_small(node: Any, name: str) -> bool:
    if isinstance(node, cst.Assign):
        return any(name in target_names(t.target) for t in node.targets)
    if isinstance(node, cst.AnnAssign):
        return node.value is not None and name in target_names(node.target)
    if isinstance(node, cst.Import | cst.ImportFrom):
        return name in import_bindings(node)
    return isinstance(node, cst.Return | cst.Raise)


def _named_by(line: cst.With, name: str) -> bool:
    return any(i.asname is not None and name in target_names(i.asname.name) for i in line.items)


def own_names(scope: Any) -> set[str]:
    """Names that a function, a lambda or a comprehension binds itself; of a function, also those inside it."""
    if not isinstance(scope, cst.FunctionDef):
        return set(variables(scope))
    found = {n.name.value for n in find(scope, cst.Param)}
    for n in walk(scope):
        kind = type(n)
        if kind in _TARGETS:
            found |= target_names(n.target)  # type: ignore[attr-defined]
        elif kind is cst.AsName:
            found |= target_names(n.name)  # type: ignore[attr-defined]
        elif kind in (cst.FunctionDef, cst.ClassDef) and n is not scope:
            found.add(n.name.value)  # type: ignore[attr-defined]
        elif kind in (cst.Import, cst.ImportFrom):
            found |= import_bindings(n).keys()  # type: ignore[arg-type]
    return found
