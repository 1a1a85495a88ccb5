"""What a translation returns."""

from __future__ import annotations

from dataclasses import dataclass

from port.findings import Finding


@dataclass(frozen=True)
class Options:
    """Settings of one translation; see `port --help`."""

    layout: str = "preserve"  # preserve | native
    unsafe: bool = False
    exact: bool = False
    init: str = "keep"  # keep | framework
    target: str = "tf"  # torch2tf only: tf | keras


@dataclass(frozen=True)
class Result:
    """Translated text with its findings.

    `lines` maps a 1-based line of `text` to the line of the source it came from (where known).
    """

    source: str
    text: str
    findings: tuple[Finding, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()

    @property
    def changed(self) -> bool:
        return self.text != self.source
