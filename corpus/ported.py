"""A package, translated as `port tf2torch PKG/ -o OUT` does it: `python -m corpus.ported JOB`, a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.fetch import CACHE
from port import batch, files
from port.result import Options

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Ported:
    """Where the port lies, and what was said about each of its files (paths inside the tree)."""

    folder: Path
    findings: dict[str, list[dict[str, Any]]]  # code, outcome, message
    errors: dict[str, str]
    lines: int
    seconds: float  # of processor time


def engine(*parts: str) -> str:
    """A digest of the sources below these folders of the repository."""
    total = hashlib.sha256()
    for folder in parts:
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in (".py", ".yaml"):
                total.update(path.read_bytes())
    return total.hexdigest()


def _key(only: Sequence[str]) -> str:
    return engine("src/port", "mappings") + "|".join(only)


def is_known(name: str, direction: str, only: Sequence[str]) -> bool:
    """Is the port that an earlier run made the one that would be made now?"""
    record = CACHE / direction / name / ".report.json"
    return record.exists() and bool(json.loads(record.read_text())["key"] == _key(only))


def translate(name: str, tree: Path, direction: str, only: Sequence[str], timeout: float) -> Ported:
    """The package's port below the cache; from an earlier run, if nothing changed since."""
    folder = CACHE / direction / name
    record = folder / ".report.json"
    if not is_known(name, direction, only):
        key = _key(only)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tree, folder, ignore=shutil.ignore_patterns(".complete"))
        job = {"tree": str(tree), "folder": str(folder), "direction": direction, "only": list(only), "key": key}
        path = CACHE / direction / f"{name}.json"
        path.write_text(json.dumps(job))
        subprocess.run([sys.executable, "-m", "corpus.ported", str(path)], check=True, timeout=timeout, cwd=ROOT,
                       env=dict(os.environ, PYTHONPATH=f"{ROOT / 'src'}"))
    held = json.loads(record.read_text())
    return Ported(folder, held["findings"], held["errors"], held["lines"], held["seconds"])


def _chosen(path: Path, pattern: str) -> bool:
    """`a/b/` is all below that folder, `a/*.py` the files in it; tests are left out."""
    if path.name.endswith("_test.py") or path.name.startswith("test_") or "tests" in path.parts:
        return False
    return str(path).startswith(pattern) if pattern.endswith("/") else path.match(pattern)


def main(path: str) -> None:
    job = json.loads(Path(path).read_text())
    tree, only = Path(job["tree"]), job["only"]
    found = [f for f in files.find([tree], (), None)
             if any(_chosen(f.path.relative_to(tree), pattern) for pattern in only or ('*.py',))]
    start = time.process_time()
    items = list(batch.run(found, job["direction"], lambda path: Options(), 1))
    seconds = time.process_time() - start
    items = batch.save(items, Path(job["folder"]), single=False)
    findings = {str(i.found.path.relative_to(tree)): [
        {"code": f.code, "outcome": f.outcome.value, "message": f.message, "line": f.line} for f in i.report.findings]
        for i in items if i.report.findings}
    errors = {str(i.found.path.relative_to(tree)): i.report.error for i in items if i.report.error}
    lines = sum(i.source.text.count("\n") for i in items if i.source is not None and i.report.changed)
    (Path(job["folder"]) / ".report.json").write_text(json.dumps({
        "key": job["key"], "findings": findings, "errors": errors, "lines": lines, "seconds": seconds}))


if __name__ == "__main__":
    main(sys.argv[1])
