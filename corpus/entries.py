"""The manifest: builders, and how a finished one is remembered."""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.fetch import CACHE
from port import project
from port import units as read_units
from port.verify import inputs, modules

MANIFEST = Path(__file__).parent / "manifest.toml"
VERDICTS = ("verified", "refused", "mismatch", "SILENT", "error", "not verified", "not run")


@dataclass(frozen=True)
class Entry:
    """One builder: where its file is, and what to build and feed."""

    name: str
    side: str
    package: str
    call: str
    inputs: tuple[str, ...]
    file: str = ""  # of a builder that is loaded from its file alone
    keras: int = 3
    unverifiable: str = ""

    @property
    def direction(self) -> str:
        return "tf2torch" if self.side == "tf" else "torch2tf"

    def path(self, folder: Path) -> Path:
        name = modules.split(self.call)[0]
        return modules.find(folder, name) if name else folder / self.file


@dataclass(frozen=True)
class Found:
    """What is written about one entry. `codes` are of the files that the builder's file imports, and its own."""

    verdict: str
    worst: float | None = None
    codes: dict[str, int] = field(default_factory=dict)
    note: str = ""
    reasons: tuple[str, ...] = ()  # the messages of the refusals among them


def load() -> tuple[dict[str, Any], list[Entry]]:
    manifest = tomllib.loads(MANIFEST.read_text())
    return manifest, [Entry(**{**raw, "inputs": tuple(raw["inputs"])}) for raw in manifest["builders"]]


def closure(path: Path) -> dict[Path, str]:
    """The texts of a file and of all that it imports in its tree, with the `__init__`s on the way to them."""
    path = path.resolve()
    found: dict[Path, str] = {}
    todo, beside = {path}, tuple(project.import_root(path).iterdir())  # all that the port was made of
    while todo:
        texts = {p: p.read_text(encoding="utf-8", errors="replace") for p in todo}
        found |= {p: m.text for p, m in project.closure(texts, lambda symbol: False, packages=beside).items()}
        ways = {folder / "__init__.py" for p in found for folder in p.parents}
        todo = {w for w in ways if w not in found and w.is_file() and _package(w, path)}
    return dict(sorted(found.items()))  # sets of paths have another order in each process, and digests follow it


def chosen(entry: Entry, tree: Path, about: Mapping[str, Any]) -> tuple[str, ...]:
    """What of the package is translated for a builder; of one whose builders are ported `apart`, what it imports."""
    if not about.get("apart"):
        return tuple(about.get("only", ()))
    path, root = entry.path(tree).resolve(), tree.resolve()
    rows = project.has_rows(read_units.rows(entry.direction))
    found = project.closure({path: path.read_text(encoding="utf-8")}, rows, through=entry.direction == "torch2tf")
    return tuple(sorted(p.relative_to(root).as_posix() for p in found if p.is_relative_to(root)))


def port_name(entry: Entry, about: Mapping[str, Any]) -> str:
    """What its port is called in the cache."""
    return entry.name.replace("/", "-") if about.get("apart") else entry.package


def _package(init: Path, path: Path) -> bool:
    return init.parent in path.parents or project.import_root(init) == project.import_root(path)


def key(entry: Entry, texts: Iterable[str], *more: str) -> str:
    """A digest of all that the verdict follows from."""
    total = hashlib.sha256(json.dumps([asdict(entry), *more]).encode())
    for text in texts:
        total.update(text.encode())
    return total.hexdigest()


class State:
    """Finished entries, kept in a file of the cache after each one."""

    def __init__(self, path: Path = CACHE / "state.json") -> None:
        self.path, self.lock = path, threading.Lock()
        self.done: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def get(self, entry: Entry, digest: str) -> Found | None:
        known = self.done.get(f"{entry.side} {entry.name}")
        if known is None or known["key"] != digest:
            return None
        return Found(**{**known["found"], "reasons": tuple(known["found"]["reasons"])})

    def put(self, entry: Entry, digest: str, found: Found) -> None:
        with self.lock:
            self.done[f"{entry.side} {entry.name}"] = {"key": digest, "found": asdict(found)}
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps(self.done, indent=1))
            os.replace(fresh, self.path)


def units(entries: Sequence[Entry], packages: Mapping[str, Any]) -> list[list[Entry]]:
    """Entries that share a port together; what costs little first: a run that is cut short has seen most."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in sorted(entries, key=_elements):
        groups.setdefault((entry.side, port_name(entry, packages[entry.package])), []).append(entry)
    return sorted(groups.values(), key=lambda group: 2 * packages[group[0].package]["lines"] + _elements(group[-1]))


def _elements(entry: Entry) -> int:
    return sum(math.prod(spec.shape) for spec in inputs.read(entry.inputs)[0])
