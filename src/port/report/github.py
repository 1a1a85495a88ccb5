"""GitHub workflow commands: one annotation per finding, shown beside the line in a pull request."""

from __future__ import annotations

from port.findings import Finding, Outcome
from port.report.model import FileReport, Report, title


def render(report: Report) -> str:
    return "\n".join(line for file in report.files for line in _file(file))


def _file(file: FileReport) -> list[str]:
    lines = [_finding(file, finding) for finding in file.findings]
    if file.changed and not file.written:
        lines.append(f"::notice file={_property(file.path)},line=1,title=port::would change")
    return lines + [f"::error file={_property(file.path)},line=1,title=port::{_data(t)}" for t in file.problems()]


def _finding(file: FileReport, finding: Finding) -> str:
    cell, _ = file.place(finding.line)
    path, finding = file.path, file.in_cell(finding)
    message = f"cell {cell}: {finding.message}" if cell else finding.message
    place = f"file={_property(path)},line={max(finding.line, 1)},col={finding.column + 1}"
    if finding.end_line:
        place += f",endLine={finding.end_line}"
    name = _property(f"{finding.code} {title(finding)}")
    return f"::{_level(finding.outcome)} {place},title={name}::{_data(message)}"


def _level(outcome: Outcome) -> str:
    if outcome is Outcome.INTERNAL:
        return "error"
    return "warning" if outcome is Outcome.REFUSED else "notice"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
