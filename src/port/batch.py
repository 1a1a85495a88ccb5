"""Many files through one executor: the worker for one file, and the suppression comments it honours."""

from __future__ import annotations

import ast
import os
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from port import comments, files
from port.findings import Finding
from port.report.model import FileReport
from port.result import Options, Result

_SMALL = 8  # so few files are done before a process pool has started


@dataclass(frozen=True)
class Item:
    """One file of a run: as read (None if it could not be), and what became of it."""

    found: files.Found
    source: files.Source | None
    report: FileReport


def run(found: Sequence[files.Found], direction: str, options: Options, jobs: int | None = 1) -> Iterator[Item]:
    """Translate every file, in order; a file that fails is reported and the others go on. No `jobs`: all cores."""
    from port.translate import groups

    jobs = jobs or os.cpu_count() or 1
    work = partial(_together, direction=direction, options=options)
    by_path = {item.path: item for item in found}
    tied = [[by_path[path] for path in group] for group in groups(list(by_path), direction)]
    pool: Executor | None = ProcessPoolExecutor(jobs) if jobs > 1 and len(tied) > _SMALL else None
    done: dict[Path, Item] = {}
    waiting = list(found)
    try:
        with pool or nullcontext():
            for items in pool.map(work, tied, chunksize=4) if pool else map(work, tied):
                done |= {item.found.path: item for item in items}
                while waiting and waiting[0].path in done:
                    yield done.pop(waiting.pop(0).path)
    except BrokenExecutor:
        raise ValueError("a worker process was killed, as for want of memory; try --jobs 1") from None


def _together(found: Sequence[files.Found], direction: str, options: Options) -> list[Item]:
    """The worker, and the file boundary: whatever goes wrong inside becomes a finding of each of these files."""
    sources: dict[str, files.Source] = {}
    errors: dict[str, str] = {}
    for item in found:
        try:
            if item.path.suffix == ".ipynb":
                raise files.FileProblem("notebooks are not translated yet")
            sources[str(item.path)] = files.read(item.path)
        except files.FileProblem as problem:
            errors[str(item.path)] = str(problem)
    from port.translate import translate_together

    texts = {name: source.text for name, source in sources.items()}
    try:
        results = translate_together(texts, direction, options)
    except NotImplementedError as error:
        results = {}
        errors |= dict.fromkeys(texts, str(error) or f"{direction} is not implemented yet")
    except Exception as error:
        results = {name: Result(text, text, (_internal(error),)) for name, text in texts.items()}
    return [_item(f, sources.get(name), results.get(name), errors.get(name, ""), direction)
            for f in found for name in [str(f.path)]]


def _item(found: files.Found, source: files.Source | None, result: Result | None, error: str, direction: str) -> Item:
    from port.translate import uses

    name = str(found.path)
    if source is None or result is None:
        return Item(found, source, FileReport(name, error=error))
    result = _checked(result)
    try:
        source.encode(result.text)
    except files.FileProblem as problem:
        return Item(found, source, FileReport(name, error=str(problem)))
    findings, accepted = comments.accept(result.findings, source.text)
    if "port:" in source.text and uses(source.text, direction):
        findings = tuple(sorted((*findings, *comments.unused(accepted, source.text))))
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
