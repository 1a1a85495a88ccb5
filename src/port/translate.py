"""Source text in, translated text and findings out. Pure, and never runs the code."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import libcst as cst

from port import names, project, table, tree
from port.facts import Fact
from port.findings import Finding
from port.result import Options, Result

MARKS = {"tf2torch": ("tensorflow", "keras"), "torch2tf": ("torch",)}


def translate(text: str, direction: str, options: Options = Options(), path: str = "",
              params: dict[str, Fact] | None = None) -> Result:
    """Translate one file. `direction` is 'tf2torch' or 'torch2tf'.

    With a `path`, the files of the project that it imports are read too, for what is imported from them.
    `params` gives facts of function parameters by name, where the caller knows them (the prover does).
    """
    return translate_together({path: text}, direction, options, params)[path]


def translate_together(texts: Mapping[str, str], direction: str, options: Options = Options(),
                       params: dict[str, Fact] | None = None) -> dict[str, Result]:
    """Translate files of one project, so that the translations fit together; texts and results by path."""
    results = {path: Result(text, text) for path, text in texts.items()}
    if not any(mark in text for text in _read(texts) for mark in MARKS[direction]):
        return results
    with _uncollected():
        try:
            return results | _translated(texts, direction, options, params)
        finally:
            tree.forget()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: trees are many objects and no cycles, and it would visit them again and again."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


def _translated(texts: Mapping[str, str], direction: str, options: Options, params: dict[str, Fact] | None
                ) -> dict[str, Result]:
    results: dict[str, Result] = {}
    trees: dict[str, tuple[str, cst.Module]] = {}
    for path, text in texts.items():
        parsed = _parsed(text)
        if isinstance(parsed, cst.Module):
            trees[path] = text, parsed
        elif any(mark in text for mark in MARKS[direction]):
            results[path] = parsed
    if direction == "torch2tf":
        return results | {path: _to_tf(text, module, options, params) for path, (text, module) in trees.items()}
    from port.tf2torch import together, units

    found = units.read(trees)
    done = together.translate(list(found.values()), options, params)
    return results | {path: result for path, result in zip(found, done, strict=True) if path in texts}


def groups(paths: Sequence[Path], direction: str) -> list[list[Path]]:
    """The files in the order given, those together that `translate_together` must see together."""
    if len(paths) < 2 or direction != "tf2torch":
        return [[path] for path in paths]
    return project.groups(paths, project.has_rows(table.by_tf_name()))


def _read(texts: Mapping[str, str]) -> Iterator[str]:
    """The texts, and those of the files that they import; the latter are looked for only when they are asked for."""
    yield from texts.values()
    known = {Path(path).resolve(): text for path, text in texts.items() if path}
    yield from (m.text for m in project.closure(known, lambda symbol: False).values())


def _parsed(text: str) -> cst.Module | Result:
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError, ValueError) as error:
        line = getattr(error, "raw_line", 1)
        message = str(error).splitlines()[0] if not hasattr(error, "message") else error.message
        return Result(text, text, (Finding(line, 0, "P902", f"not valid Python: {message}"),))


def _to_tf(text: str, module: cst.Module, options: Options, params: dict[str, Fact] | None) -> Result:
    bound = names.collect(module)
    if not bound.uses("torch2tf"):
        return Result(text, text)
    from port.torch2tf import translate as to_keras

    return to_keras(text, module, bound, options, params)
