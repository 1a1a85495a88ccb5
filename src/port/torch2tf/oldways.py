"""Code that can do without something which older PyTorch lacks: the port is made from the way of today's PyTorch."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tree import code, find, replaced


def read(node: cst.ClassDef) -> cst.ClassDef:
    """`try: super().__init__(n, **device)`, `except TypeError: super().__init__(n)`: the first, in its place."""
    init = next((s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"), None)
    for block in find(init, cst.Try) if init is not None else ():
        body = _wanted(block)
        outer = next((b for b in find(node, cst.IndentedBlock) if any(s is block for s in b.body)), None)
        if body is not None and outer is not None:
            body = [body[0].with_changes(leading_lines=block.leading_lines), *body[1:]]
            at = next(i for i, s in enumerate(outer.body) if s is block)
            node = replaced(node, outer, outer.with_changes(body=[*outer.body[:at], *body, *outer.body[at + 1:]]))
    return node


def _wanted(block: cst.Try) -> list[Any] | None:
    """The statements that are tried, if what stands for them makes the same call with fewer arguments."""
    if len(block.handlers) != 1 or block.orelse or block.finalbody:
        return None
    kind = block.handlers[0].type
    if not isinstance(kind, cst.Name) or kind.value != "TypeError":
        return None
    tried, instead = _last(block.body), _last(block.handlers[0].body)
    if tried is None or instead is None or len(block.handlers[0].body.body) != 1 or code(tried.func) != code(
            instead.func) or not code(tried.func).startswith("super("):
        return None
    given = [_text(a) for a in tried.args]
    fewer = [_text(a) for a in instead.args]
    return list(block.body.body) if fewer == [a for a in given if a in fewer] and len(fewer) < len(given) else None


def _last(body: Any) -> cst.Call | None:
    """The call that is the last line of a suite."""
    line = body.body[-1] if isinstance(body, cst.IndentedBlock) else None
    small = line.body[-1] if isinstance(line, cst.SimpleStatementLine) else None
    return small.value if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) else None


def _text(arg: cst.Arg) -> tuple[str, str, str]:
    return arg.star, arg.keyword.value if arg.keyword else "", code(arg.value)
