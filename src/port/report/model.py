"""The outcome of one run as plain data; every format is printed from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from port import cells
from port.findings import CATALOGUE, Finding
from port.report import hunks
from port.report.hunks import Hunk
from port.result import Result

if TYPE_CHECKING:
    from port.verify.verdict import Verdict


@dataclass(frozen=True)
class CaseVerdict:
    """What verifying one case said; `text` gives the reason in one line."""

    case: str
    status: str  # verified | recorded | mismatch | not verified | error
    text: str
    whole: Verdict | None = None

    @property
    def ok(self) -> bool:
        return self.status in ("verified", "recorded")


@dataclass(frozen=True)
class FileReport:
    """What happened to one file. `accepted` are the findings under a `# port: ignore[...]`."""

    path: str
    result: Result | None = None
    findings: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    error: str = ""  # the file was not translated: why
    written: str = ""  # where the translation went
    verdicts: tuple[CaseVerdict, ...] = ()

    @property
    def changed(self) -> bool:
        return self.result is not None and self.result.changed

    def place(self, line: int) -> tuple[int, int]:
        """(cell, line in it) of a notebook; (0, line) of any other file."""
        return cells.place(self.path, self.result.source, line) if self.result is not None else (0, line)

    def spot(self, finding: Finding) -> str:
        """`7:5`, and of a notebook `cell 3, 2:5`."""
        cell, line = self.place(finding.line)
        return (f"cell {cell}, " if cell else "") + f"{line}:{finding.column + 1}"

    def in_cell(self, finding: Finding) -> Finding:
        """The finding with lines that count from the start of its cell, if the file is a notebook."""
        (_, line), (_, end) = self.place(finding.line), self.place(finding.end_line)
        return replace(finding, line=line, end_line=end if finding.end_line else 0)

    @property
    def mismatch(self) -> bool:
        return any(verdict.status == "mismatch" for verdict in self.verdicts)

    def problems(self) -> list[str]:
        """What went wrong outside the findings, in words."""
        failed = [f"{v.status}: {v.case or 'no case'}: {v.text}" for v in self.verdicts if not v.ok]
        return [self.error, *failed] if self.error else failed

    @property
    def needs_person(self) -> bool:
        return any(finding.outcome.needs_person for finding in self.findings)

    @property
    def failed(self) -> bool:
        """The file could not be read or parsed, so nothing was decided about it."""
        return bool(self.error) or any(finding.code == "P902" for finding in self.findings)

    def hunks(self) -> tuple[Hunk, ...]:
        return hunks.hunks(self.result, self.findings) if self.result is not None else ()

    def diff(self) -> list[str]:
        """A unified diff, line by line, that `patch` understands."""
        return [line for part in hunks.unified(self.path, self.hunks()) for line in part]


@dataclass(frozen=True)
class Report:
    """A whole run."""

    direction: str
    files: tuple[FileReport, ...]
    check: bool = False

    @property
    def exit_code(self) -> int:
        """0: nothing left for a person; 1: something is; 2: a file could not be read or parsed."""
        if any(file.failed for file in self.files):
            return 2
        left = any(file.needs_person or not all(verdict.ok for verdict in file.verdicts) for file in self.files)
        pending = self.check and any(file.changed for file in self.files)
        return 1 if left or pending else 0

    def counts(self) -> dict[str, int]:
        """Findings by outcome, in the order of the catalogue's outcomes; accepted ones are not counted."""
        outcomes = [finding.outcome.value for file in self.files for finding in file.findings]
        return {value: outcomes.count(value) for value in dict.fromkeys(outcomes)}


def title(finding: Finding) -> str:
    return CATALOGUE[finding.code].title


def plural(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
