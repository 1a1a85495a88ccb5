"""A notebook as one module, so that names flow from cell to cell; and the translated module as the notebook again.

Only the sources of cells that changed are written anew, each at its place in the file's own text: everything else, its
metadata, outputs, white space and order of keys, stays byte for byte.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from port import cells, magics
from port.magics import Magic
from port.symbols import MARKS

_SPACE = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode
Span = tuple[int, int]


class NotebookProblem(ValueError):
    """A notebook that cannot be read or written; the message is for the user."""


@dataclass(frozen=True)
class Cell:
    """One code cell; spans are places of JSON values in the file's text, (0, 0) where there is none."""

    number: int  # among all cells, from 1
    python: str
    magics: tuple[Magic, ...]
    source: Span
    outputs: Span
    count: Span


@dataclass(frozen=True)
class Notebook:
    """The text of the file, and its code cells that are Python."""

    text: str
    cells: tuple[Cell, ...]
    silent: tuple[Cell, ...] = ()  # cells of other languages: they have outputs too

    def module(self) -> str:
        return "".join(f"{cells.mark(c.number)}{c.python}" + ("" if c.python.endswith("\n") or not c.python else "\n")
                       for c in self.cells)

    def pack(self, module: str) -> str:
        """The text of the file with the cells of the module. NotebookProblem if they are not the same cells."""
        return _packed(self, module, clear=False)

    def pack_cleared(self, module: str) -> str:
        """The same without outputs and execution counts."""
        return _packed(self, module, clear=True)


def read(text: str) -> Notebook:
    """The cells of a file. NotebookProblem if it is no notebook of version 4, or a cell is not Python."""
    try:
        whole = json.loads(text)
        _check(whole, text)
        found = list(_cells(text))
    except (ValueError, RecursionError, KeyError, TypeError, IndexError) as error:
        if isinstance(error, NotebookProblem):
            raise
        raise NotebookProblem(f"is not a notebook: {str(error) or type(error).__name__}") from None
    return Notebook(text, tuple(c for c, own in found if own), tuple(c for c, own in found if not own))


def _check(whole: Any, text: str) -> None:
    if not isinstance(whole, dict) or not isinstance(whole.get("cells"), list) or whole.get("nbformat") != 4:
        version = whole.get("nbformat") if isinstance(whole, dict) else None
        if isinstance(version, int) and version != 4:
            raise NotebookProblem(f"is a notebook of version {version}: `jupyter nbconvert --to notebook` upgrades it")
        raise NotebookProblem("is not a notebook")
    if not any(mark in text for marks in MARKS.values() for mark in marks):
        return  # nothing to translate: whoever wrote it may keep it as it is
    try:
        import nbformat
    except ImportError:
        raise NotebookProblem("notebooks need nbformat: pip install 'port[notebook]'") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            nbformat.validate(nbformat.from_dict(whole), relax_add_props=True)
        except nbformat.ValidationError as error:
            raise NotebookProblem(f"is not a valid notebook: {str(error).splitlines()[0]}") from None


# ---------------------------------------------------------------- places in the text
def _members(text: str, at: int) -> dict[str, Span]:
    """Where the values of the object at this place stand."""
    found: dict[str, Span] = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # the colon
        _, end = _decode(text, at)
        found[key] = at, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _elements(text: str, at: int) -> Iterator[int]:
    at = _skip(text, at + 1)
    while text[at] != "]":
        yield at
        at = _skip(text, _decode(text, at)[1])
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _cells(text: str) -> Iterator[tuple[Cell, bool]]:
    """Code cells, and whether they are Python."""
    start = _members(text, _skip(text, 0))["cells"][0]
    for number, at in enumerate(_elements(text, start), 1):
        spans = _members(text, at)
        value = {key: json.loads(text[slice(*spans[key])]) for key in ("cell_type", "source") if key in spans}
        if value.get("cell_type") != "code" or "source" not in value:
            continue
        source = value["source"] if isinstance(value["source"], str) else "".join(value["source"])
        own = not magics.foreign(source)
        try:
            python, found = magics.to_python(source) if own else ("", ())
        except magics.NotPython as problem:
            raise NotebookProblem(f"cell {number}, {problem}") from None
        none = (0, 0)
        yield Cell(number, python, found, spans["source"], spans.get("outputs", none),
                   spans.get("execution_count", none)), own


# ---------------------------------------------------------------- the way back
def _packed(book: Notebook, module: str, clear: bool) -> str:
    changes: list[tuple[Span, str]] = []
    for cell, new in zip(book.cells, _contents(book, module), strict=True):
        if new.strip("\n") == cell.python.strip("\n"):
            continue
        try:
            source = magics.from_python(_ended(new, cell.python), cell.magics)
        except ValueError as problem:
            raise NotebookProblem(f"cell {cell.number}: {problem}; nothing is written") from None
        changes.append((cell.source, _written(book.text, cell.source, source)))
    if clear:
        for cell in (*book.cells, *book.silent):
            changes += [(span, value) for span, value in ((cell.outputs, "[]"), (cell.count, "null")) if span != (0, 0)]
    text = book.text
    for (start, end), value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _contents(book: Notebook, module: str) -> list[str]:
    parts = cells.split(module)
    if [number for number, _ in parts[1:]] != [cell.number for cell in book.cells]:
        raise NotebookProblem("the translation moves code from cell to cell; nothing is written")
    found = [part for _, part in parts[1:]]
    if parts[0][1].strip():  # imports that the module begins with
        found[0] = f"{parts[0][1].rstrip()}\n{found[0]}" if found else ""
    return found


def _ended(new: str, old: str) -> str:
    """The new source, with as many line breaks around it as the old one had."""
    start, end = len(old) - len(old.lstrip("\n")), len(old) - len(old.rstrip("\n"))
    body = new.strip("\n")
    return "\n" * start + body + "\n" * end if body else ""


def _written(text: str, span: Span, source: str) -> str:
    """The source as JSON, in the style of the value that stands there."""
    old = text[slice(*span)]
    plain = any(ord(c) > 127 for c in text) or "\\u" not in text

    def quoted(line: str) -> str:
        return json.dumps(line, ensure_ascii=not plain)

    if not old.startswith("["):
        return quoted(source)
    lines = re.findall(r"[^\n]*\n|[^\n]+", source)
    first = _SPACE.match(old, 1)
    last = re.search(r"[ \t\r\n]*\]$", old)
    assert first is not None and last is not None
    between = re.search(r'"(,[ \t\r\n]*)"', old) if first[0] == "" else None
    comma = between[1] if between else f",{first[0]}" if first[0] else ", "
    return f"[{first[0]}{comma.join(map(quoted, lines))}{last[0]}" if lines else "[]"
