"""Where a file still uses a framework: told from its text alone, quickly, for the state of a migration."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from port.symbols import FRAMEWORKS, canonical, too_much, uses


@dataclass(frozen=True)
class Site:
    """One use of a symbol of the framework. Lines count from 1, columns from 0."""

    symbol: str  # canonical
    line: int
    column: int
    end_line: int
    end_column: int


def sites(text: str, direction: str) -> list[Site] | None:
    """Every use of the framework that the direction comes from, imports left out; None if it is not Python."""
    if not uses(text, direction):
        return []
    if too_much(text):
        return None
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    bound = _bound(module, FRAMEWORKS[direction])
    whole: dict[tuple[int, int], Site] = {}  # of `tf.nn.relu` the whole, not `tf` and `tf.nn`
    for node in ast.walk(module):
        site = _site(node, bound)
        if site is not None:
            whole.setdefault((site.line, site.column), site)
    return [whole[place] for place in sorted(whole)]


def _bound(module: ast.Module, roots: tuple[str, ...]) -> dict[str, str]:
    """Names that stand for the framework or a part of it; the first binding counts, as for the translator."""
    found: dict[str, str] = {}
    for name, symbol in _bindings(module, found):
        if canonical(symbol).split(".")[0] in roots:
            found.setdefault(name, symbol)
    return found


def _bindings(module: ast.Module, bound: dict[str, str]) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((a.asname, a.name) if a.asname else (a.name.split(".")[0], a.name.split(".")[0])
                        for a in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((a.asname or a.name, f"{node.module}.{a.name}") for a in node.names)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            symbol = _dotted(node.value, bound)
            if symbol:
                yield node.targets[0].id, symbol


def _dotted(node: ast.AST, bound: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in bound:
        return ""
    return ".".join([bound[node.id], *reversed(parts)])


def _site(node: ast.AST, bound: dict[str, str]) -> Site | None:
    if not isinstance(node, ast.Name | ast.Attribute) or not isinstance(node.ctx, ast.Load):
        return None
    symbol = _dotted(node, bound)
    return Site(canonical(symbol), node.lineno, node.col_offset, node.end_lineno or node.lineno,
                node.end_col_offset or 0) if symbol else None
