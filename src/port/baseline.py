"""What a project has not ported yet, on record, so that only new code of the framework it is leaving is reported."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from port import files
from port.findings import Finding
from port.report.model import FileReport
from port.sites import Site, sites

_VERSION = 1
Known = Mapping[str, Mapping[str, int]]  # file, relative to the baseline's folder -> symbol -> uses


class BaselineProblem(Exception):
    """A baseline that cannot be read; the message is for the user."""


def load(path: Path, direction: str) -> Known:
    """What the file has on record."""
    try:
        plain: Any = json.loads(path.read_text(encoding="utf-8"))
        if plain["version"] != _VERSION:
            raise BaselineProblem(f"{path}: version {plain['version']} is not known")
        if plain["direction"] != direction:
            raise BaselineProblem(f"{path} was recorded for {plain['direction']}")
        return {str(name): {str(s): int(n) for s, n in uses.items()} for name, uses in plain["files"].items()}
    except FileNotFoundError:
        raise BaselineProblem(f"{path} does not exist; --update-baseline records it") from None
    except OSError as error:
        raise BaselineProblem(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BaselineProblem(f"{path} is not a baseline") from None


def save(path: Path, direction: str, found: Sequence[files.Found]) -> int:
    """Put these files on record, and keep what it says of others that are still there; the number of uses."""
    try:
        known = dict(load(path, direction)) if path.exists() else {}
    except BaselineProblem:
        known = {}
    known = {name: uses for name, uses in known.items() if (path.parent / name).exists()}
    for item in found:
        here = _sites(item.path, direction)
        known.pop(_name(item.path, path), None)
        if isinstance(here, list) and here:
            known[_name(item.path, path)] = dict(sorted(Counter(site.symbol for site in here).items()))
    document = {"version": _VERSION, "direction": direction, "files": dict(sorted(known.items()))}
    files.write(path, (json.dumps(document, indent=1) + "\n").encode())
    return sum(sum(uses.values()) for uses in known.values())


def compare(path: Path, direction: str, found: Sequence[files.Found]) -> list[FileReport]:
    """Each file with the uses that are not on record. Of a symbol that is used more often, the last uses are new."""
    known = load(path, direction)
    reports = []
    for item in found:
        here = _sites(item.path, direction)
        if isinstance(here, str):
            reports.append(FileReport(str(item.path), error=here))
            continue
        left = Counter(known.get(_name(item.path, path), {}))
        old: list[Finding] = []
        new: list[Finding] = []
        for site in here:
            left[site.symbol] -= 1
            (old if left[site.symbol] >= 0 else new).append(_finding(site))
        reports.append(FileReport(str(item.path), findings=tuple(new), accepted=tuple(old)))
    return reports


def _sites(path: Path, direction: str) -> list[Site] | str:
    try:
        found = sites(files.read(path).text, direction)
    except files.FileProblem as problem:
        return str(problem)
    return "is not valid Python" if found is None else found


def _name(path: Path, baseline: Path) -> str:
    return Path(os.path.relpath(path.resolve(), baseline.resolve().parent)).as_posix()


def _finding(site: Site) -> Finding:
    return Finding(site.line, site.column, "P301", f"`{site.symbol}` is not in the baseline", site.end_line,
                   site.end_column, site.symbol)
