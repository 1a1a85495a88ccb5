"""How far a codebase is: files, uses of either framework, and which models have been verified as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from port import files, project
from port.config import Config
from port.sites import sites

OPPOSITE = {"tf2torch": "torch2tf", "torch2tf": "tf2torch"}
STATES = ("source", "mixed", "ported", "plain", "unreadable")


@dataclass(frozen=True)
class FileStatus:
    """One file. `state`: it uses the source's framework, both, the target's only, none, or it cannot be read."""

    path: str
    state: str
    left: Mapping[str, int]  # symbol of the source's framework -> uses
    ported: int  # uses of the target's framework


@dataclass(frozen=True)
class ModelStatus:
    """One configured case; `status` is that of its last verification if the file is still one of those compared."""

    file: str
    call: str
    status: str  # as in a verdict | 'changed since' | 'never verified'


@dataclass(frozen=True)
class Status:
    """A whole codebase."""

    direction: str
    files: tuple[FileStatus, ...]
    models: tuple[ModelStatus, ...]

    def counts(self) -> dict[str, int]:
        found = Counter(file.state for file in self.files)
        return {state: found[state] for state in STATES}

    @property
    def left(self) -> int:
        return sum(sum(file.left.values()) for file in self.files)

    @property
    def ported(self) -> int:
        return sum(file.ported for file in self.files)

    def symbols(self) -> dict[str, int]:
        """What is left, the most used first."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.left)
        return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def status(found: Sequence[files.Found], direction: str, config: Config, verified: Mapping[str, Any]) -> Status:
    """`verified`: what earlier runs noted of cases, by `case_key`."""
    models = tuple(_model(case.file, case.entry["call"], config.root or Path(), verified) for case in config.cases)
    return Status(direction, tuple(_file(item.path, direction) for item in found), models)


def _file(path: Path, direction: str) -> FileStatus:
    try:
        text = files.read(path).text
    except files.FileProblem:
        return FileStatus(str(path), "unreadable", {}, 0)
    here, there = sites(text, direction), sites(text, OPPOSITE[direction])
    if here is None or there is None:
        return FileStatus(str(path), "unreadable", {}, 0)
    state = "mixed" if here and there else "source" if here else "ported" if there else "plain"
    return FileStatus(str(path), state, Counter(site.symbol for site in here), len(there))


def case_key(file: str, call: str) -> str:
    return f"{file}: {call}"


def _model(file: str, call: str, root: Path, verified: Mapping[str, Any]) -> ModelStatus:
    note = verified.get(case_key(file, call))
    if not isinstance(note, dict):
        return ModelStatus(file, call, "never verified")
    same = project.state(root / file) in (note.get("source"), note.get("ported"))
    return ModelStatus(file, call, str(note.get("status")) if same else "changed since")
