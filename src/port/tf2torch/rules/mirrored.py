"""Lines of `__init__` that give the variables of sizes (mirrors) their new values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from port.build import statement
from port.facts import Dim, Sym


def mirror_lines(dims: Mapping[str, Dim]) -> list[Any]:
    """All at once: each new value is written with the old ones, so that a variable is read before it changes."""
    left = {name: dim for name, dim in dims.items() if dim is not None and not (
        isinstance(dim, Sym) and dim.text == name)}
    lines: list[Any] = []
    while left:
        ready = next((n for n in left if not any(_reads(d, n) for other, d in left.items() if other != n)), None)
        if ready is None:
            return [*lines, statement(f"{', '.join(left)} = {', '.join(map(str, left.values()))}")]
        lines.append(statement(f"{ready} = {left.pop(ready)}"))
    return lines


def _reads(dim: Dim, name: str) -> bool:
    return isinstance(dim, Sym) and name in dim.names
