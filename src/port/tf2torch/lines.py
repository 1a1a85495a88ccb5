"""What an expression adds to the statement that it stands in: statements around it, and other targets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.build import expression
from port.tf2torch.emit import Emitter, Refused


@dataclass
class Line:
    before: list[Any] = field(default_factory=list)
    after: list[Any] = field(default_factory=list)
    targets: str = ""  # of the assignment, instead of its own


@contextmanager
def around(em: Emitter, out: list[Any], node: cst.CSTNode) -> Iterator[None]:
    """A simple statement is translated and appended to `out`; what its expressions ask for is put around it."""
    old, em.line, start = em.line, Line(), len(out)
    try:
        yield
        line = em.line
    finally:
        em.line = old
    if line.before or line.after or line.targets:
        _put(line, out, start, node)


def _put(line: Line, out: list[Any], start: int, node: cst.CSTNode) -> None:
    if len(out) <= start:
        raise Refused("P206", "a mask or a state is made where no statement can keep it", node)
    if line.targets:
        out[-1] = _retargeted(out[-1], line.targets)
    if line.before:
        first = out[start]
        line.before[0] = line.before[0].with_changes(leading_lines=first.leading_lines)
        out[start:start + 1] = [*line.before, first.with_changes(leading_lines=[])]
    out += line.after


def _retargeted(statement: Any, targets: str) -> Any:
    small = statement.body[0]
    target: Any = expression(targets)
    return statement.with_changes(body=[small.with_changes(targets=[cst.AssignTarget(target)])])


def current(em: Emitter, node: cst.CSTNode) -> Line:
    if em.line is None:
        raise Refused("P206", "a mask or a state is made where no statement can keep it", node)
    return em.line
