"""One verdict of `port.verify` in words: what was compared, how far apart the numbers are, and where it began."""

from __future__ import annotations

import math

from port.report.model import CaseVerdict, plural
from port.verify.compare import GROUPS, Row
from port.verify.verdict import UNVERIFIED, Place, Verdict


def of(verdict: Verdict) -> CaseVerdict:
    """A recording that was asked for is no failure: it is a status of its own."""
    recorded = verdict.status == UNVERIFIED and verdict.message.startswith("recorded")
    fed = ", ".join(verdict.case.inputs)
    name = verdict.case.name or " ".join(filter(None, (verdict.case.call, f"<- {fed}" if fed else "")))
    status = "recorded" if recorded else verdict.status
    return CaseVerdict(name, status, "\n".join(_lines(verdict)), verdict.as_dict())


def _lines(verdict: Verdict) -> list[str]:
    lines = [verdict.message] if verdict.message else []
    if verdict.where:
        lines.append(_place(verdict.where))
    lines += [_dtype(dtype, verdict.rows) for dtype in dict.fromkeys(row.dtype for row in verdict.rows)]
    if verdict.rows:
        lines.append(f"{plural(len(verdict.pairs), 'layer')} paired; stage reached: {verdict.stage}")
    lines += [f"declared divergence, corrected for: {text}" for text in verdict.divergences]
    return lines + [f"note: {text}" for text in verdict.notes]


def _dtype(dtype: str, rows: tuple[Row, ...]) -> str:
    """`float64: outputs 2e-15, gradients of weights 4e-12 (worst 4e-12 of 87 arrays)`."""
    mine = [row for row in rows if row.dtype == dtype]
    worst = {GROUPS[group]: _worst([row for row in mine if row.group == group]) for group in GROUPS}
    parts = ", ".join(f"{name} {error:.0e}" for name, error in worst.items() if not math.isnan(error))
    return f"{dtype}: {parts} ({plural(len(mine), 'array')})"


def _worst(rows: list[Row]) -> float:
    """The largest relative error; NaN if nothing was compared, infinity if something had no counterpart."""
    return max((math.inf if math.isnan(row.error) else row.error for row in rows), default=math.nan)


def _place(place: Place) -> str:
    own, other = (", ".join(map(str, lines)) or "?" for lines in (place.source_lines, place.ported_lines))
    return f"first differs at {place.layer} (line {own}), in the port {place.ported_layer} (line {other})"
