"""Text for people: a coloured unified diff, the findings, the verdicts and one closing line."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from port.findings import CATALOGUE, Finding, Outcome
from port.report import hunks
from port.report.hunks import Hunk
from port.report.model import CaseVerdict, FileReport, Report, plural, title


def show(report: Report, console: Console, with_diff: bool, verbose: bool = False) -> None:
    """Print everything but the errors of single files, which belong on stderr."""
    for file in report.files:
        _file(file, console, with_diff, verbose)
    if closing := _closing(report):
        console.print(closing, style="bold", highlight=False)


def _file(file: FileReport, console: Console, with_diff: bool, verbose: bool) -> None:
    told = _diff(file, console) if with_diff else set()
    left = [finding for finding in file.findings if finding not in told]
    if left or file.verdicts:
        _line(console, Text(file.path, "bold"))
    for finding in left:
        _finding(file, finding, console)
    for verdict in file.verdicts:
        _verdict(verdict, console, verbose)
    if file.written:
        _line(console, Text(f"wrote {file.written}", "green"))


def _diff(file: FileReport, console: Console) -> set[Finding]:
    """The diff; on a terminal each hunk with its findings below, and these are returned.

    Elsewhere the findings follow the file's diff: `git apply` takes no other lines between hunks.
    """
    found = file.hunks()
    head, *parts = hunks.unified(file.path, found) or [[]]
    for line in head:
        _line(console, Text(line, "bold"))
    for hunk, part in zip(found, parts, strict=True):
        show_hunk(file, hunk, part, console)
    return {finding for hunk in found for finding in hunk.findings} if console.is_terminal else set()


def show_hunk(file: FileReport, hunk: Hunk, lines: list[str], console: Console) -> None:
    for line in lines:
        _line(console, Text(line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")))
    for finding in hunk.findings if console.is_terminal else ():
        _finding(file, finding, console)


def _verdict(verdict: CaseVerdict, console: Console, verbose: bool) -> None:
    if verdict.whole is None:
        _line(console, Text(f"{verdict.status}  {verdict.case}  {verdict.text}"))
        return
    from port.report import verdicts  # numpy comes with it

    console.print(verdicts.render(verdict.whole, verbose), highlight=False)


def _line(console: Console, text: Text) -> None:
    """One line as it is: never wrapped, so that a diff stays one that `patch` reads."""
    console.print(text, soft_wrap=True, highlight=False)


def _finding(file: FileReport, finding: Finding, console: Console) -> None:
    outcome = finding.outcome
    head = Text(f"  {file.spot(finding)} ").append(f"{finding.code} {outcome.value}", _style(outcome))
    _line(console, head.append(f" {title(finding)}: {finding.message}", "default"))
    if outcome.needs_person:
        _line(console, Text(f"      {CATALOGUE[finding.code].do}", "dim"))


def _style(outcome: Outcome) -> str:
    if outcome.needs_person:
        return "bold red"
    return "yellow" if outcome is Outcome.ASSUMED else "cyan"


def _closing(report: Report) -> str:
    """`3 files: 2 would change, 1 failed; findings: 4 exact, 1 refused; 2 of 2 cases verified`."""
    parts = [_files(report)] if any(file.result or file.error for file in report.files) else []
    if counts := report.counts():
        parts.append("findings: " + ", ".join(f"{number} {outcome}" for outcome, number in counts.items()))
    if accepted := sum(len(file.accepted) for file in report.files):
        parts.append(f"{accepted} accepted")
    if verdicts := [verdict for file in report.files for verdict in file.verdicts]:
        verified = sum(verdict.status == "verified" for verdict in verdicts)
        parts.append(f"{verified} of {plural(len(verdicts), 'case')} verified")
    return "; ".join(parts)


def _files(report: Report) -> str:
    changed = sum(file.changed for file in report.files)
    failed = sum(file.failed for file in report.files)
    written = sum(bool(file.written) for file in report.files)
    verb = f"{written} written" if written else f"{changed} would change"
    return f"{plural(len(report.files), 'file')}: {verb}" + (f", {failed} failed" if failed else "")
