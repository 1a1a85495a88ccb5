"""`self.mean.assign(...)`: variables that a call changes, as buffers that change in place and without a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import statement
from port.facts import Kind, Layout
from port.tf2torch.emit import Emitter
from port.tf2torch.infer.conditions import is_number
from port.tree import code

IN_PLACE = {"assign": "copy_", "assign_add": "add_", "assign_sub": "sub_"}
_HEAD = "with torch.no_grad():\n    "


def update(em: Emitter, small: Any) -> Any:
    """The statement for `variable.assign(value)`; None for anything else."""
    call = small.value if isinstance(small, cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return None
    owner, method = call.func.value, IN_PLACE.get(call.func.attr.value)
    value = keyword(call, "value", 0) or keyword(call, "delta", 0)
    if method is None or value is None or not isinstance(owner, cst.Attribute | cst.Subscript) or (
            em.fact(owner).kind is not Kind.TENSOR):
        return None
    em.need("torch")
    method = "fill_" if method == "copy_" and is_number(em.fact(value)) else method
    return statement(f"{_HEAD}{{o}}.{method}({{v}})", o=em.expr(owner), v=em.expr(value, Layout.PLAIN))


def merged(lines: Sequence[Any]) -> list[Any]:
    """Updates that follow each other are made in one block."""
    out: list[Any] = []
    for line in lines:
        last: Any = out[-1] if out else None
        if _is_update(line) and _is_update(last) and not line.leading_lines:
            out[-1] = last.with_changes(body=last.body.with_changes(body=[*last.body.body, *line.body.body]))
        else:
            out.append(line)
    return out


def _is_update(line: Any) -> bool:
    return isinstance(line, cst.With) and code(line).lstrip().startswith(_HEAD.strip()) and isinstance(
        line.body, cst.IndentedBlock)
