"""Results of earlier runs in `.port_cache`: one JSON file for each task, and the imports of texts that were seen.

JSON, since the folder belongs to the project, and a pickle from there could run code. What cannot be read is not
there, and a folder that cannot be written to is no fault.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from port import files, project
from port.findings import CATALOGUE, Finding
from port.planning import digest_of
from port.result import Edit, Result

NAME = ".port_cache"
_MONTH = 30 * 86400
_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This file is a cache directory tag created by port; see https://bford.info/cachedir/
"""


@dataclass(frozen=True)
class Cache:
    """The folder, and what was learned of imports; `folder` None: nothing is remembered."""

    folder: Path | None = None
    known: dict[str, Any] = field(default_factory=dict)  # digest of a text -> its imports
    fresh: dict[str, Any] = field(default_factory=dict)  # the same, of this run

    def imports(self, text: str) -> project.Imports | None:
        """As `project.imports`, remembered."""
        if self.folder is None:
            return project.imports(text)
        digest = digest_of(text)
        if digest not in self.fresh:
            found = self.known.get(digest, ...)
            self.fresh[digest] = project.imports(text) if found is ... else found
        plain = self.fresh[digest]
        return None if plain is None else tuple((tuple(key), local) for key, local in plain)

    def results(self, key: str, texts: Sequence[str]) -> list[Result] | None:
        """What was remembered of a task whose wanted files have these texts; None if nothing was."""
        if self.folder is None or not key:
            return None
        path = self._path(key)
        try:
            plain = json.loads(path.read_text(encoding="utf-8"))
            os.utime(path)
            return [_result(text, one) for text, one in zip(texts, plain, strict=True)]
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def remember(self, key: str, results: Sequence[Result]) -> None:
        """Keep the results of a task, unless a fault of ours is among them."""
        if self.folder is not None and key and not any(f.code == "P901" for r in results for f in r.findings):
            self._write(self._path(key), json.dumps([_plain(result) for result in results]))

    def notes(self) -> dict[str, Any]:
        """What earlier runs noted: of verified cases, by `file: call`."""
        found = _json(self.folder / "notes.json") if self.folder is not None else {}
        return found if isinstance(found, dict) else {}

    def note(self, notes: Mapping[str, Any]) -> None:
        if self.folder is not None and notes:
            self._write(self.folder / "notes.json", json.dumps({**self.notes(), **notes}))

    def close(self) -> None:
        """Keep what was learned of imports, and drop what has not been used for a month."""
        if self.folder is None or not self.fresh.keys() - self.known.keys():
            return
        self._write(self.folder / "imports.json", json.dumps(self.fresh))
        try:
            for path in self.folder.glob("??/*.json"):
                if path.stat().st_mtime < time.time() - _MONTH:
                    path.unlink()
        except OSError:
            pass

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key[2:]}.json"

    def _write(self, path: Path, text: str) -> None:
        assert self.folder is not None
        try:
            if not self.folder.exists():
                files.write(self.folder / "CACHEDIR.TAG", _TAG.encode())
                files.write(self.folder / ".gitignore", b"*\n")
            files.write(path, text.encode(), sync=False)
        except files.FileProblem:
            pass


def opened(root: Path | None) -> Cache:
    """The cache of the project in this folder; None: none."""
    if root is None:
        return Cache()
    folder = root / NAME
    known = _json(folder / "imports.json")
    return Cache(folder, known if isinstance(known, dict) else {})


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}


def _plain(result: Result) -> dict[str, Any]:
    plain = asdict(result)
    del plain["source"]
    return plain | {"text": result.text if result.changed else None}


def _result(source: str, plain: Mapping[str, Any]) -> Result:
    text = source if plain["text"] is None else str(plain["text"])
    lines = tuple((int(a), int(b)) for a, b in plain["lines"])
    findings = tuple(Finding(**finding) for finding in plain["findings"])
    if any(finding.code not in CATALOGUE for finding in findings):
        raise ValueError("a code of another version")
    return Result(source, text, findings, lines, tuple(Edit(**edit) for edit in plain["edits"]))
