"""A verdict as console text; the command line prints what `render` gives."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from . import verdict
from .compare import GROUPS, Row
from .verdict import Verdict

COLOURS = {verdict.VERIFIED: "green", verdict.MISMATCH: "red", verdict.ERROR: "red", verdict.UNVERIFIED: "yellow"}


def render(found: Verdict, verbose: bool = False) -> RenderableType:
    """One line with the status; the reason; a table per dtype; `verbose` adds the pairing and every bad array."""
    case = found.case
    title = Text.assemble((found.status, f"bold {COLOURS[found.status]}"), "  ", (case.name or case.call, "bold"))
    if case.inputs:
        title.append(f"  {', '.join(case.inputs)}", "dim")
    parts: list[RenderableType] = [title]
    if found.message:
        parts.append(Text(f"  {found.message}"))
    parts += [Text(f"  found here: {line}") for line in _place(found)]
    if found.rows:
        parts.append(_errors(found.rows))
    parts += [Text(f"  declared divergence, corrected for: {d}", "dim") for d in found.divergences]
    parts += [Text(f"  note: {n}", "dim") for n in found.notes]
    if found.pairs and (verbose or found.status == verdict.MISMATCH):
        parts.append(_pairs(found))
    if verbose or found.status == verdict.MISMATCH:
        parts += [Text(f"  {r.dtype} {r.mode} {GROUPS[r.group]} {r.name}: {r.error:.1e} > {r.limit:.0e} {r.note}")
                  for r in _worst_bad(found.rows)]
    return Group(*parts)


def summary(found: list[Verdict]) -> str:
    """'3 verified, 1 mismatch'"""
    order = (verdict.VERIFIED, verdict.MISMATCH, verdict.ERROR, verdict.UNVERIFIED)
    counts = {status: sum(v.status == status for v in found) for status in order}
    return ", ".join(f"{n} {status}" for status, n in counts.items() if n) or "nothing to verify"


def _place(found: Verdict) -> list[str]:
    place = found.where
    if place is None or not (place.source_lines or place.ported_lines):
        return []
    sides = (("source", place.layer, place.source_lines), ("port", place.ported_layer, place.ported_lines))
    return [f"{side}: {layer}, line {' called from '.join(map(str, lines))}" for side, layer, lines in sides if lines]


def _worst_bad(rows: tuple[Row, ...], count: int = 5) -> list[Row]:
    return sorted((r for r in rows if r.bad), key=lambda r: -r.error)[:count]


def _errors(rows: tuple[Row, ...]) -> Table:
    """Worst error per dtype, kind of array and mode, over all input sizes."""
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for name in ("", "dtype", "compared", "mode", "arrays", "worst", "limit"):
        table.add_column(name, justify="right" if name in ("arrays", "worst", "limit") else "left")
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.dtype, row.group, row.mode), []).append(row)
    for (dtype, group, mode), held in groups.items():
        worst = max(held, key=lambda r: r.error / r.limit)
        mark = Text("x", "red") if any(r.bad for r in held) else Text("=", "green")
        table.add_row(mark, dtype, GROUPS[group], mode, str(len(held)), f"{worst.error:.1e}", f"{worst.limit:.0e}")
    return table


def _pairs(found: Verdict) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim", title="weights were paired so", title_justify="left")
    for name in ("source", "port", "by"):
        table.add_column(name, overflow="fold")
    for pair in found.pairs:
        table.add_row(Text(pair.source), Text(pair.port), pair.how)
    return table
