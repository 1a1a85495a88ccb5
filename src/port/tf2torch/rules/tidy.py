"""The last look at `__init__`: no line that is too long, no blank line first in a block, `elif` for `else: if`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.tree import changed, code

WIDTH = 110  # of a statement's line, without its indentation
INNER = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
END = cst.ParenthesizedWhitespace(indent=True)


def tidied(body: Sequence[Any]) -> list[Any]:
    return [_tidied(s) for s in body]


def _tidied(s: Any) -> Any:
    if isinstance(s, cst.SimpleStatementLine):
        return _fitted(s)
    if isinstance(s, cst.If):
        orelse: Any = s.orelse
        if isinstance(orelse, cst.Else):
            inner = _block(orelse.body)
            only = inner.body[0]
            short = len(inner.body) == 1 and isinstance(only, cst.If) and not only.leading_lines
            orelse = only if short else orelse.with_changes(body=inner)
        elif orelse is not None:
            orelse = _tidied(orelse)
        return changed(s, body=_block(s.body), orelse=orelse)
    return changed(s, body=_block(s.body)) if isinstance(s, cst.For) else s


def _block(body: Any) -> Any:
    first, *rest = tidied(body.body)
    lines = list(getattr(first, "leading_lines", []))
    while lines and lines[0].comment is None:
        lines.pop(0)
    return changed(body, body=[changed(first, leading_lines=lines), *rest])


def _fitted(line: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
    """A call or tuple that is too long for a line has one argument a line."""
    small: Any = line.body[0]
    value = getattr(small, "value", None)
    if type(value) not in (cst.Call, cst.Tuple):
        return line
    text = code(changed(line, leading_lines=[]))
    if "#" in text or max(map(len, text.split("\n"))) <= WIDTH:
        return line
    return line.with_changes(body=[small.with_changes(value=_stacked(value))])


def _stacked(value: Any) -> Any:
    if isinstance(value, cst.Tuple):
        elements = [e.with_changes(comma=cst.Comma(whitespace_after=END if e is value.elements[-1] else INNER))
                    for e in value.elements]
        return value.with_changes(elements=elements, lpar=[cst.LeftParen(whitespace_after=INNER)])
    if len(value.args) == 1 and isinstance(value.args[0].value, cst.Call):
        return value.with_changes(args=[value.args[0].with_changes(value=_stacked(value.args[0].value))])
    args = [a.with_changes(comma=cst.Comma(whitespace_after=END if a is value.args[-1] else INNER),
                           whitespace_after_arg=cst.SimpleWhitespace("")) for a in value.args]
    return value.with_changes(args=args, whitespace_before_args=INNER) if args else value
