"""The cells of a notebook inside the one module that they are translated as: each begins with `__cell__ = 3`."""

from __future__ import annotations

import re

MARK = "__cell__"
_MARKS = re.compile(rf"^{MARK} = (\d+)\r?\n", re.MULTILINE)


def mark(number: int) -> str:
    return f"{MARK} = {number}\n"


def split(text: str) -> list[tuple[int, str]]:
    """(number, lines) of each cell; 0 is what stands before the first one."""
    parts = _MARKS.split(text)
    return [(0, parts[0]), *((int(parts[i]), parts[i + 1]) for i in range(1, len(parts), 2))]


def place(path: str, text: str, line: int) -> tuple[int, int]:
    """The cell that a line of the module is in, and the line in there, from 1; cell 0: the file is no notebook."""
    if not path.endswith(".ipynb"):
        return 0, line
    cell, start = 0, 0
    for match in _MARKS.finditer(text):
        above = text.count("\n", 0, match.start()) + 1
        if above >= line:
            break
        cell, start = int(match[1]), above
    return cell, line - start
