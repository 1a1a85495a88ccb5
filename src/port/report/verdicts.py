"""From the verdicts of `port.verify` to what a report holds of them."""

from __future__ import annotations

from port.report.model import CaseVerdict
from port.verify.verdict import UNVERIFIED, Verdict


def of(verdict: Verdict) -> CaseVerdict:
    """A recording that was asked for is no failure: it has a status of its own."""
    recorded = verdict.status == UNVERIFIED and verdict.message.startswith("recorded")
    name = verdict.case.name or verdict.case.call
    return CaseVerdict(name, "recorded" if recorded else verdict.status, _text(verdict), verdict)


def _text(verdict: Verdict) -> str:
    """The reason in one line, with the lines of the first place that differs."""
    place = verdict.where
    if place is None or not place.source_lines:
        return verdict.message
    return f"{verdict.message} (source line {place.source_lines[0]})"
