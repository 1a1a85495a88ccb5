"""Line breaks that were inside brackets in the source, and in the output no longer are: they would end a statement."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import libcst as cst

from port.printing.printer import breaks, remarks
from port.tree import NODES, changed, code
from port.wrapping import LIMIT

# What of a statement is an expression outside all brackets, and what is made of statements.
_VALUES: dict[type, tuple[str, ...]] = {
    cst.Expr: ("value",), cst.Assign: ("value",), cst.AnnAssign: ("value",), cst.AugAssign: ("value",),
    cst.Return: ("value",), cst.Raise: ("exc",), cst.Assert: ("test", "msg"), cst.If: ("test",), cst.While: ("test",),
    cst.For: ("iter",), cst.WithItem: ("item",), cst.Match: ("subject",), cst.Decorator: ("decorator",)}
_SUITES: dict[type, tuple[str, ...]] = {
    cst.Module: ("body",), cst.SimpleStatementLine: ("body",), cst.SimpleStatementSuite: ("body",),
    cst.IndentedBlock: ("body",), cst.If: ("body", "orelse"), cst.Else: ("body",), cst.Finally: ("body",),
    cst.While: ("body", "orelse"), cst.For: ("body", "orelse"), cst.With: ("items", "body"),
    cst.Try: ("body", "handlers", "orelse", "finalbody"), cst.TryStar: ("body", "handlers", "orelse", "finalbody"),
    cst.ExceptHandler: ("body",), cst.ExceptStarHandler: ("body",), cst.Match: ("cases",), cst.MatchCase: ("body",),
    cst.FunctionDef: ("decorators", "body"), cst.ClassDef: ("decorators", "body")}
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in NODES}
# What of an expression stands outside its own brackets; of all others everything does.
_OUTSIDE: dict[type, tuple[str, ...]] = {
    cst.Call: ("func", "whitespace_after_func"), cst.Subscript: ("value", "whitespace_after_value"), cst.List: (),
    cst.Dict: (), cst.Set: (), cst.ListComp: (), cst.SetComp: (), cst.DictComp: (), cst.FormattedString: (),
    cst.Name: (), cst.SimpleString: (), cst.Integer: (), cst.Float: ()}


def enclosed(node: Any) -> Any:
    """The statements, no expression of which breaks its line outside brackets: it is on one line, or in parentheses."""
    changes: dict[str, Any] = {}
    for name in _VALUES.get(type(node), ()):
        value = getattr(node, name)
        if value is not None and _breaks(value):
            changes[name] = _closed(value)
    for name in _SUITES.get(type(node), ()):
        below = getattr(node, name)
        if isinstance(below, cst.CSTNode):
            changes[name] = enclosed(below)
        elif below is not None:
            changes[name] = [enclosed(n) for n in below]
    return changed(node, **changes) if changes else node


def _outside(node: Any) -> list[tuple[str, Any]]:
    """Names and contents of those fields that stand outside the expression's own brackets."""
    if getattr(node, "lpar", ()):
        return []
    names = _OUTSIDE.get(type(node))
    return [(name, getattr(node, name)) for name in (_FIELDS[type(node)] if names is None else names)]


def _breaks(node: Any) -> bool:
    if isinstance(node, list | tuple):
        return any(_breaks(n) for n in node)
    return breaks(node) or (isinstance(node, cst.CSTNode) and any(_breaks(value) for _, value in _outside(node)))


def _closed(value: cst.BaseExpression) -> cst.BaseExpression:
    line = _joined(value, "")
    return line if not _breaks(line) and max(map(len, code(line).splitlines())) < LIMIT else value.with_changes(
        lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _joined(node: Any, space: str) -> Any:
    """The expression without those line breaks, where no comment stands in them."""
    if isinstance(node, list | tuple):
        return [_joined(n, " ") for n in node]
    if breaks(node):
        return node if remarks(node) else cst.SimpleWhitespace(space)
    if not isinstance(node, cst.CSTNode):
        return node
    tight = type(node) in (cst.Dot, cst.Call, cst.Subscript)
    return node.with_changes(**{name: _joined(v, "" if tight else " ") for name, v in _outside(node)})
