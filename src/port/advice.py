"""What a person should write for a call that is not translated, in words and with the call's own arguments."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.binding import Bound, bind
from port.table import Row
from port.tree import code


def told(rows: Sequence[Row], to: str, node: cst.Call) -> str:
    """The reason of the row that fits the call best, and what it is on the side `to` ('torch' or 'tf')."""
    for row in rows:
        written = _written(row, to, node)
        if written:
            return f"{row.none}; write `{written}`"
    return rows[0].none


def _written(row: Row, to: str, node: cst.Call) -> str:
    """The row's expression with the arguments of the call; '' if they do not fit."""
    if to not in row.expr:
        return ""
    only = row.only if to == "torch" else row.only_torch
    for signature in row.tf if to == "torch" else row.torch:
        bound = bind(signature, node)
        values = {p.name: _value(bound, p.name) for p in signature.params}
        if not bound.problem and all(_literal(values[name]) in allowed for name, allowed in only.items()):
            return ast.unparse(ast.fix_missing_locations(_Filled(values).visit(ast.parse(row.expr[to], mode="eval"))))
    return ""


def _value(bound: Bound, name: str) -> ast.expr:
    text = code(bound.args[name]) if name in bound.args else bound.default(name) or "None"
    return ast.parse(text.strip(), mode="eval").body


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...


class _Filled(ast.NodeTransformer):
    """Parameters become what is given for them; `(0.9, 0.999)[0]` is its part."""

    def __init__(self, values: dict[str, ast.expr]):
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        parts, at = node.value, node.slice
        if isinstance(parts, ast.Tuple | ast.List) and isinstance(at, ast.Constant) and isinstance(at.value, int):
            return parts.elts[at.value]
        return node
