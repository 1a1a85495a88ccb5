"""Line breaks that were inside brackets in the source, and in the output no longer are: they would end a statement."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.printing.printer import breaks, remarks
from port.tree import FIELDS, NODES, changed, code, rebuild
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
# What of an expression stands outside its own brackets; of all others everything does.
_OUTSIDE: dict[type, tuple[str, ...]] = {
    cst.Call: ("func", "whitespace_after_func"), cst.Subscript: ("value", "whitespace_after_value"), cst.List: (),
    cst.Dict: (), cst.Set: (), cst.ListComp: (), cst.SetComp: (), cst.DictComp: (), cst.FormattedString: (),
    cst.Attribute: ("value", "dot"), cst.Name: (), cst.SimpleString: (), cst.Integer: (), cst.Float: ()}


def enclosed(node: Any) -> Any:
    """The statements, no expression of which breaks its line outside brackets: it is on one line, or in parentheses."""
    changes: dict[str, Any] = {}
    for name in _VALUES.get(type(node), ()):
        value = getattr(node, name)
        if value is not None and _breaks(value):
            changes[name] = _closed(value)
    for name in _SUITES.get(type(node), ()):
        below = getattr(node, name)
        if type(below) in NODES:
            changes[name] = enclosed(below)
        elif below is not None:
            changes[name] = [enclosed(n) for n in below]
    return changed(node, **changes) if changes else node


def _outside(node: Any) -> tuple[str, ...]:
    """Names of those fields that stand outside the expression's own brackets."""
    return () if getattr(node, "lpar", ()) else _OUTSIDE.get(type(node), FIELDS[type(node)])


def _breaks(node: Any) -> bool:
    kind = type(node)
    if kind is list or kind is tuple:
        return any(map(_breaks, node))
    return breaks(node) or (kind in NODES and any(map(_breaks, [getattr(node, n) for n in _outside(node)])))


def _closed(value: cst.BaseExpression) -> cst.BaseExpression:
    line = _joined(value, "")
    return line if not _breaks(line) and max(map(len, code(line).splitlines())) < LIMIT else value.with_changes(
        lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _joined(node: Any, space: str) -> Any:
    """The expression without those line breaks, where no comment stands in them."""
    if breaks(node):
        return node if remarks(node) else cst.SimpleWhitespace(space)
    inner = "" if type(node) in (cst.Dot, cst.Call, cst.Subscript) else " "
    return rebuild(node, lambda child: _joined(child, inner), _outside(node))
