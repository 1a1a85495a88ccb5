"""The verdicts of `port.verify`: what a report holds of them, and how a terminal shows them."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from port.report.model import CaseVerdict, plural
from port.verify.compare import GROUPS, Row
from port.verify.user import told
from port.verify.verdict import ERROR, MISMATCH, UNVERIFIED, VERIFIED, Verdict

COLOURS = {VERIFIED: "green", MISMATCH: "red", ERROR: "red", UNVERIFIED: "yellow"}
BRIEF = 8  # pairs that are shown without --verbose


def of(verdict: Verdict) -> CaseVerdict:
    """A recording that was asked for is no failure: it has a status of its own."""
    recorded = verdict.status == UNVERIFIED and verdict.message.startswith("recorded")
    name = (verdict.case.name or verdict.case.call) + (f" on {verdict.backend}" if verdict.backend else "")
    return CaseVerdict(name, "recorded" if recorded else verdict.status, _text(verdict), verdict)


def _text(verdict: Verdict) -> str:
    """The reason in one line, with the lines of the first place that differs."""
    place = verdict.where
    if place is None or not place.source_lines:
        return verdict.message
    return f"{verdict.message} (source {told(place.source_lines[0])})"


def render(found: Verdict, verbose: bool = False) -> RenderableType:
    """Two lines for what agrees, and what must be said; the tables for what does not, or if `verbose`."""
    parts: list[RenderableType] = [_title(found)]
    detail = verbose or found.status != VERIFIED
    if found.rows and not detail:
        parts.append(Text(f"  {_figures(found)}"))
    if found.message:
        parts.append(Text(f"  {found.message}"))
    parts += [Text(f"  found here: {line}") for line in _place(found)]
    if found.rows and detail:
        parts.append(_errors(found.rows))
    parts += [Text(f"  declared divergence, corrected for: {d}", "dim") for d in found.divergences]
    parts += [Text(f"  note: {n}", "dim") for n in found.notes if detail or not n.startswith("dropout switched off")]
    if found.pairs and (verbose or found.status == MISMATCH):
        parts += _pairs(found, verbose)
    if detail:
        parts += [Text(f"  {r.dtype} {r.mode} {GROUPS[r.group]} {r.name}: {r.error:.1e} > {r.limit:.0e} {r.note}")
                  for r in _worst_bad(found.rows)]
    return Group(*parts)


def _title(found: Verdict) -> Text:
    case = found.case
    title = Text.assemble((found.status, f"bold {COLOURS[found.status]}"), "  ", (case.name or case.call, "bold"))
    if found.backend:
        title.append(f"  on {found.backend}")
    return title.append(f"  {', '.join(case.inputs)}", "dim") if case.inputs else title


def _figures(found: Verdict) -> str:
    """'float64: 61 arrays, worst 2.1e-13; float32: 30 arrays, worst 1.0e-06; 12 layers paired by name'"""
    parts = []
    for dtype in dict.fromkeys(row.dtype for row in found.rows):
        held = [row for row in found.rows if row.dtype == dtype]
        parts.append(f"{dtype}: {plural(len(held), 'array')}, worst {max(row.error for row in held):.1e}")
    ways = Counter(pair.how for pair in found.pairs)
    if ways:
        counts = ", ".join(f"{number} by {how}" for how, number in ways.items())
        parts.append(f"{plural(len(found.pairs), 'layer')} paired: {counts}")
    return "; ".join(parts)


def _place(found: Verdict) -> list[str]:
    place = found.where
    if place is None or not (place.source_lines or place.ported_lines):
        return []
    sides = (("source", place.layer, place.source_lines), ("port", place.ported_layer, place.ported_lines))
    return [f"{side}: {layer}, {called(lines)}" for side, layer, lines in sides if lines]


def called(lines: tuple[int | str, ...]) -> str:
    """'line 12 called from 30'; of a notebook 'cell 3 line 2 called from cell 4 line 1'"""
    return " called from ".join((told(lines[0]), *map(str, lines[1:])))


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


def _pairs(found: Verdict, verbose: bool) -> list[RenderableType]:
    table = Table(box=None, padding=(0, 2), header_style="dim", title="weights were paired so", title_justify="left")
    for name in ("source", "port", "by"):
        table.add_column(name, overflow="fold")
    for pair in found.pairs if verbose else found.pairs[:BRIEF]:
        table.add_row(Text(pair.source), Text(pair.port), pair.how)
    left = 0 if verbose else len(found.pairs) - BRIEF
    return [table, Text(f"  ... and {plural(left, 'more pair')} (--verbose shows all)", "dim")] if left > 0 else [table]
