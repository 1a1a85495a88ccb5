"""Many files through one executor: the worker for one file, and the suppression comments it honours."""

from __future__ import annotations

import ast
import os
import sys
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from port import comments, files, planning
from port.cache import Cache
from port.findings import Finding
from port.report.model import FileReport
from port.result import Failed, Options, Result
from port.symbols import TOO_DEEP, uses

_STACK, _FRAMES = 256 << 20, 8_000  # of a thread that reads deeply nested code
_SMALL = 8  # so few files are done before a process pool has started


@dataclass(frozen=True)
class Item:
    """One file of a run: as read (None if it could not be), and what became of it."""

    found: files.Found
    source: files.Source | None
    report: FileReport


def run(found: Sequence[files.Found], direction: str, options: Callable[[Path], Options], jobs: int | None = 1,
        cache: Cache = Cache()) -> Iterator[Item]:
    """Translate every file, in order; a file that fails is reported and the others go on. No `jobs`: all cores.

    `options` says how a file is to be translated. What the cache has is not translated again.
    """
    read = {item: _read(item) for item in found}
    sources = {item: source if isinstance(source, files.Source) else None for item, source in read.items()}
    done: dict[files.Found, Item] = {}
    open_: list[planning.Task] = []
    for task in planning.tasks(sources, direction, options, cache.imports):
        remembered = _remembered(task, read, cache, direction)
        done |= {item.found: item for item in remembered}
        if not remembered:
            open_.append(task)
    waiting = list(found)
    for task, items in _translated(open_, direction, jobs or os.cpu_count() or 1):
        done |= {item.found: item for item in items}
        _remember(task, items, direction, cache)
        while waiting and waiting[0] in done:
            yield done.pop(waiting.pop(0))
    yield from (done[item] for item in waiting)
    cache.close()


def _translated(tasks: Sequence[planning.Task], direction: str, jobs: int
                ) -> Iterator[tuple[planning.Task, list[Item]]]:
    """Each task with its items, as they are done; the largest first, so that no core waits for it at the end."""
    if jobs == 1 or len(tasks) < 2 or sum(len(task.wanted) for task in tasks) <= _SMALL:
        yield from ((task, _together(task, direction)) for task in tasks)
        return
    import port.translate  # noqa: F401 - loaded once, before the workers are made

    try:
        with ProcessPoolExecutor(min(jobs, len(tasks))) as pool:
            order = sorted(tasks, key=lambda task: -len(task.found))
            futures = {pool.submit(_together, task, direction): task for task in order}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    except BrokenExecutor:
        raise ValueError("a worker process was killed, as for want of memory; try --jobs 1") from None


def _read(found: files.Found) -> files.Source | str:
    """The file as read, or why it could not be."""
    try:
        return files.read(found.path)
    except files.FileProblem as problem:
        return str(problem)


def _remembered(task: planning.Task, read: Mapping[files.Found, files.Source | str], cache: Cache,
                direction: str) -> list[Item]:
    """The items of a task that needs no work: nothing of the framework is there, or the cache has it."""
    sources = [read[found] for found in task.wanted]
    texts = [source.text for source in sources if isinstance(source, files.Source)]
    results: Sequence[Result | None] | None
    if task.idle:
        results = [Result(text, text) for text in texts]
    elif not texts:
        results = [None] * len(sources)
    else:
        results = cache.results(task.key, texts)
    if results is None or len(results) != len(sources):
        return []
    return [_item(found, source if isinstance(source, files.Source) else None, result,
                  source if isinstance(source, str) else "", direction)
            for found, source, result in zip(task.wanted, sources, results, strict=True)]


def _remember(task: planning.Task, items: Sequence[Item], direction: str, cache: Cache) -> None:
    """Keep what came out of a task, if the files, and where their imports lead, are still what its key speaks of."""
    reports = [item.report for item in items if item.report.result is not None]
    if cache.folder is None or not task.key or len(reports) < len(items):
        return
    read = {found: source if isinstance(source := _read(found), files.Source) else None for found in task.found}
    again = planning.tasks(read, direction, dict.fromkeys((f.path for f in task.found), task.options).__getitem__,
                           cache.imports)
    if task.wanted == task.found and [t.key for t in again] == [task.key]:
        cache.remember(task.key, [_raw(report) for report in reports])


def _raw(report: FileReport) -> Result:
    """The result as it was before the comments of the file were asked."""
    assert report.result is not None
    found = tuple(sorted(f for f in (*report.findings, *report.accepted) if f.code != "P002"))
    return replace(report.result, findings=found)


def _together(task: planning.Task, direction: str) -> list[Item]:
    """The worker, and the file boundary: whatever goes wrong inside becomes a finding of each of these files."""
    read = {str(found.path): _read(found) for found in task.found}
    sources = {name: source for name, source in read.items() if isinstance(source, files.Source)}
    errors = {name: problem for name, problem in read.items() if isinstance(problem, str)}
    texts = {name: source.text for name, source in sources.items()}
    try:
        results = _results_of(texts, direction, task.options)
    except NotImplementedError as error:
        results = {}
        errors |= dict.fromkeys(texts, str(error) or f"{direction} is not implemented yet")
    except Exception as error:
        cause = error.__cause__ if isinstance(error, Failed) else error
        results = {name: Result(text, text, (_internal(cause),)) for name, text in texts.items()}
    return [_item(f, sources.get(name), results.get(name), errors.get(name, ""), direction)
            for f in task.wanted for name in [str(f.path)]]


def _results_of(texts: Mapping[str, str], direction: str, options: Options) -> dict[str, Result]:
    """The translations; a file that could not be written is left, and the others go on without it."""
    left: dict[str, str] = dict(texts)
    results: dict[str, Result] = {}
    while left:
        try:
            return results | _translation(left, direction, options)
        except Failed as failure:
            if failure.name not in left:
                raise
            text = left.pop(failure.name)
            results[failure.name] = Result(text, text, (_internal(failure.__cause__),))
        except RecursionError:
            name = max(left, key=lambda name: _depth(left[name]))
            text = left.pop(name)
            results[name] = Result(text, text, (Finding(1, 0, "P902", TOO_DEEP),))
    return results


def _translation(texts: Mapping[str, str], direction: str, options: Options) -> dict[str, Result]:
    """As `translate_together`; deep nesting is given a deeper stack."""
    from port import translate

    try:
        return translate.translate_together(texts, direction, options)
    except (Failed, RecursionError) as error:
        if not isinstance(error.__cause__ or error, RecursionError):
            raise
    limit, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    try:
        sys.setrecursionlimit(_FRAMES)
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(translate.translate_together, texts, direction, options).result()
    except Failed as error:
        raise error.__cause__ if isinstance(error.__cause__, RecursionError) else error from error.__cause__
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)


def _depth(text: str) -> int:
    """How deep its statements and expressions are nested."""
    try:
        level: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError):
        return 0
    except (RecursionError, MemoryError):
        return sys.maxsize
    depth = 0
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _item(found: files.Found, source: files.Source | None, result: Result | None, error: str, direction: str) -> Item:
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
    from port.syntax import symbols  # libcst comes with it

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symbols(result.text)  # remembered, if it was the last text that was written
    except RecursionError:
        return result  # libcst has read it
    except SyntaxError as error:
        line = dict(result.lines).get(error.lineno or 0, 1)
        text = f"the translation does not parse: {error.msg}: {(error.text or '').strip()}"
        finding = Finding(line, 0, "P901", text)
        return Result(result.source, result.source, (*result.findings, finding))
    return result


def _internal(error: BaseException | None) -> Finding:
    assert error is not None
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    said = getattr(error, "message", "") or error  # libcst's own text of an error may raise one
    return Finding(1, 0, "P901", f"{type(error).__name__}: {said} ({where})")


def without_outputs(items: Sequence[Item]) -> list[Item]:
    """The notebooks among them are written without their outputs."""
    return [replace(item, source=files.without_outputs(item.source)) if item.source else item for item in items]


def save(items: Sequence[Item], output: Path | None, single: bool) -> list[Item]:
    """Write every translation: in place, or to `output`, a file for a `single` file and else a folder.

    ValueError if two translations would go to one place, or one over its own source.
    """
    if output is None:
        return [_save(item, None) for item in items]
    folder = output.is_dir() or not single
    if folder and output.exists() and not output.is_dir():
        raise ValueError(f"-o {output} is a file; several files, or those of a folder, go into a folder")
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
