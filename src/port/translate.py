"""Source text in, translated text and findings out. Pure, and never runs the code."""

from __future__ import annotations

import ast
import gc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import libcst as cst

from port import project, skips, table, tree, unbound
from port.facts import Fact
from port.findings import Finding
from port.result import Options, Result
from port.symbols import TOO_DEEP, too_much, uses


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
    if not any(uses(text, direction) for text in _read(texts)):
        return results
    with _uncollected(), table.added(options.mappings):
        try:
            return results | _around_skipped(texts, direction, options, params)
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


def _around_skipped(texts: Mapping[str, str], direction: str, options: Options, params: dict[str, Fact] | None
                    ) -> dict[str, Result]:
    """The translation of everything but what the files skip; more is left alone until the rest can be told apart."""
    masks = {path: mask for path, text in texts.items() if "port:" in text and (mask := skips.read(text))}
    while True:
        seen = {path: masks[path].text if path in masks else text for path, text in texts.items()
                if path not in masks or not masks[path].whole}
        results = _translated(seen, direction, options, params)
        wider = {path: grown for path, mask in masks.items() if not mask.whole and path in results
                 and results[path].changed and (grown := skips.wider(mask, results[path].text))}
        if not wider:
            break
        tree.forget()
        masks |= wider
    masked = {path: skips.restored(mask, results.get(path, Result(mask.source, mask.source)))
              for path, mask in masks.items() if not mask.whole}
    left = {path: Result(mask.source, mask.source, mask.findings) for path, mask in masks.items() if mask.whole}
    return results | masked | left | _importing(texts, results | masked, masks)


def _importing(texts: Mapping[str, str], results: Mapping[str, Result], masks: Mapping[str, skips.Mask]
               ) -> dict[str, Result]:
    """Files that import skipped code of another file are told so."""
    names_of = {Path(path).resolve(): mask.names for path, mask in masks.items() if path and mask.names}
    if not names_of:
        return {}
    found = project.closure({Path(path).resolve(): text for path, text in texts.items() if path}, lambda symbol: False)
    told = {}
    for path, result in results.items():
        member = found.get(Path(path).resolve()) if path else None
        said = skips.imported(member.text, {local: member.targets[key].path.name for local, key in member.bound.items()
                                            if member.targets[key].name in names_of.get(member.targets[key].path, ())}
                              ) if member is not None else []
        if said:
            told[path] = replace(result, findings=tuple(sorted({*result.findings, *said})))
    return told


def _translated(texts: Mapping[str, str], direction: str, options: Options, params: dict[str, Fact] | None
                ) -> dict[str, Result]:
    results: dict[str, Result] = {}
    trees: dict[str, tuple[str, cst.Module]] = {}
    for path, text in texts.items():
        parsed = _parsed(text) if not (path and project.too_deep(text)) else _told(text, TOO_DEEP)
        if isinstance(parsed, cst.Module):
            trees[path] = text, parsed
        elif uses(text, direction):
            results[path] = parsed
    from port import units

    found = units.read(trees, direction)
    done = _work(direction)(list(found.values()), options, params)
    return results | {path: unbound.told(result) for path, result in zip(found, done, strict=True) if path in texts}


def _work(direction: str) -> Callable[..., list[Result]]:
    if direction == "tf2torch":
        from port.tf2torch import together

        return together.translate
    from port.torch2tf import module

    return module.translate


def _read(texts: Mapping[str, str]) -> Iterator[str]:
    """The texts, and those of the files that they import; the latter are looked for only when they are asked for."""
    yield from texts.values()
    known = {Path(path).resolve(): text for path, text in texts.items() if path}
    yield from (m.text for m in project.closure(known, lambda symbol: False).values())


def _told(text: str, problem: str) -> Result:
    return Result(text, text, (Finding(1, 0, "P902", problem),))


def _parsed(text: str) -> cst.Module | Result:
    if problem := too_much(text):
        return _told(text, problem)
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError, ValueError) as error:
        return Result(text, text, (_fault(text, error),))


def _fault(text: str, error: Exception) -> Finding:
    """What is wrong with a text, in the words of Python's own parser where it sees it too: libcst's are a list."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as found:
        return Finding(found.lineno or 1, max((found.offset or 1) - 1, 0), "P902", f"not valid Python: {found.msg}")
    except (ValueError, RecursionError, MemoryError):
        pass
    message = error.message if isinstance(error, cst.ParserSyntaxError) else str(error).partition("\n")[0]
    return Finding(getattr(error, "raw_line", 1), 0, "P902", f"not valid Python: {message}")
