"""Many files through one executor: the worker for one file, and the suppression comments it honours."""

from __future__ import annotations

import ast
import os
import re
import tokenize
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from pathlib import Path

from port import files
from port.findings import Finding
from port.report.model import FileReport
from port.result import Options, Result

_IGNORE = re.compile(r"#\s*port:\s*ignore\[([^\]]*)\]")
_SMALL = 8  # so few files are done before a process pool has started


@dataclass(frozen=True)
class Item:
    """One file of a run: as read (None if it could not be), and what became of it."""

    found: files.Found
    source: files.Source | None
    report: FileReport


def run(found: Sequence[files.Found], direction: str, options: Options, jobs: int | None = 1) -> Iterator[Item]:
    """Translate every file, in order; a file that fails is reported and the others go on. No `jobs`: all cores."""
    jobs = jobs or os.cpu_count() or 1
    work = partial(_file, direction=direction, options=options)
    pool: Executor | None = ProcessPoolExecutor(jobs) if jobs > 1 and len(found) > _SMALL else None
    try:
        with pool or nullcontext():
            yield from pool.map(work, found, chunksize=4) if pool else map(work, found)
    except BrokenExecutor:
        raise ValueError("a worker process was killed, as for want of memory; try --jobs 1") from None


def _file(found: files.Found, direction: str, options: Options) -> Item:
    """The worker, and the file boundary: whatever goes wrong inside becomes a finding of this one file."""
    name = str(found.path)
    if found.path.suffix == ".ipynb":
        return Item(found, None, FileReport(name, error="notebooks are not translated yet"))
    try:
        source = files.read(found.path)
    except files.FileProblem as problem:
        return Item(found, None, FileReport(name, error=str(problem)))
    from port.translate import translate

    try:
        result = translate(source.text, direction, options, name)
        result = _checked(result)
        source.encode(result.text)
    except files.FileProblem as problem:
        return Item(found, source, FileReport(name, error=str(problem)))
    except NotImplementedError as error:
        return Item(found, source, FileReport(name, error=str(error) or f"{direction} is not implemented yet"))
    except Exception as error:
        result = Result(source.text, source.text, (_internal(error),))
    findings, accepted = accept(result.findings, source.text)
    return Item(found, source, FileReport(name, replace(result, findings=findings), findings, accepted))


def _checked(result: Result) -> Result:
    """The law that output always parses, held a last time before anything is written."""
    if not result.changed:
        return result
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(result.text)
    except SyntaxError as error:
        line = dict(result.lines).get(error.lineno or 0, 1)
        text = f"the translation does not parse: {error.msg}: {(error.text or '').strip()}"
        finding = Finding(line, 0, "P901", text)
        return Result(result.source, result.source, (*result.findings, finding))
    return result


def _internal(error: Exception) -> Finding:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return Finding(1, 0, "P901", f"{type(error).__name__}: {error} ({where})")


def save(items: Sequence[Item], output: Path | None, single: bool) -> list[Item]:
    """Write every translation: in place, or to `output`, a file for a `single` file and else a folder.

    ValueError if two translations would go to one place, or one over its own source.
    """
    if output is None:
        return [_save(item, None) for item in items]
    folder = output.is_dir() or not single
    targets = [output / item.found.relative if folder else output for item in items]
    seen = Counter(targets)
    for target, item in zip(targets, items, strict=True):
        if seen[target] > 1:
            raise ValueError(f"two files would be written to {target}; translate them one by one")
        if target.resolve() == item.found.path.resolve():
            raise ValueError(f"{target} is the source itself; use --write")
    return [_save(item, target) for item, target in zip(items, targets, strict=True)]


def _save(item: Item, target: Path | None) -> Item:
    """A file that failed, that verification proved wrong, or that did not change, is not touched in place."""
    source, report = item.source, item.report
    if source is None or report.result is None or report.failed:
        return item
    if target is None and (not report.changed or report.mismatch):
        return item
    content = source.encode(report.result.text) if report.changed else source.raw
    try:
        if target is None:
            files.replace(source, content)
        else:
            files.write(target, content, source.mode)
    except files.FileProblem as problem:
        return replace(item, report=replace(report, error=f"{target or source.path}: {problem}"))
    return replace(item, report=replace(report, written=str(target or source.path)))


def accept(findings: Sequence[Finding], text: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Split into findings that stand and those accepted by `# port: ignore[CODE, ...]` on their first or last line."""
    ignored = _ignored(text) if findings and "port:" in text else {}

    def is_accepted(finding: Finding) -> bool:
        lines = (finding.line, finding.end_line or finding.line)
        return any(finding.code in ignored.get(line, ()) for line in lines)

    stand = tuple(finding for finding in findings if not is_accepted(finding))
    return stand, tuple(finding for finding in findings if is_accepted(finding))


def _ignored(text: str) -> dict[int, set[str]]:
    """Codes by line, read from comments only: a string that looks like one is not one."""
    found: dict[int, set[str]] = {}
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            match = _IGNORE.search(token.string) if token.type == tokenize.COMMENT else None
            if match:
                found[token.start[0]] = {code.strip() for code in match[1].split(",")}
    except (tokenize.TokenError, SyntaxError):
        return {}
    return found
