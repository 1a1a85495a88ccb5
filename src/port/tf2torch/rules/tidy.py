"""The last look at `__init__`: no blank line first in a block, `elif` for `else: if`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.tree import changed


def tidied(body: Sequence[Any]) -> list[Any]:
    return [_tidied(s) for s in body]


def _tidied(s: Any) -> Any:
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
