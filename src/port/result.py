"""What a translation returns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from port.findings import Finding


class Failed(Exception):
    """One of several files could not be written; the cause says why."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Whatever goes wrong inside is said of this file, or of the one that was being read when it did."""
    try:
        yield
    except Failed:
        raise
    except Exception as error:
        raise Failed(getattr(error, "port_file", name)) from error


@contextmanager
def reading(name: str) -> Iterator[None]:
    """What goes wrong inside goes wrong in this file, unless it did in another one that was read meanwhile."""
    try:
        yield
    except Exception as error:
        if not hasattr(error, "port_file"):
            error.port_file = name  # type: ignore[attr-defined]
        raise


@dataclass(frozen=True)
class Options:
    """Settings of one translation; see `port --help`."""

    layout: str = "preserve"  # preserve | native
    init: str = "keep"  # keep | framework
    target: str = "tf"  # torch2tf only: tf | keras
    mappings: tuple[tuple[str, str], ...] = ()  # files of rows that a project adds: name and content


@dataclass(frozen=True, order=True)
class Edit:
    """What rewrote some lines of the source: 'row conv2d' (`port ops conv2d` shows it), or 'rule builders'."""

    line: int  # the first and the last line, from 1
    end_line: int
    by: str


@dataclass(frozen=True)
class Result:
    """Translated text with its findings.

    `lines` maps a 1-based line of `text` to the line of the source it came from (where known). `edits` say which
    rows and rules wrote which lines of the source anew.
    """

    source: str
    text: str
    findings: tuple[Finding, ...] = ()
    lines: tuple[tuple[int, int], ...] = ()
    edits: tuple[Edit, ...] = ()

    @property
    def changed(self) -> bool:
        return self.text != self.source
