"""What a verification loads, laid out in a folder as it lies in the project: files with what they import, notebooks as
the modules that their cells make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from port import cells, files, magics, project


@dataclass(frozen=True)
class Laid:
    """One file to lay out: its text as a module, and what is written."""

    text: str
    content: bytes


def lay_out(given: Mapping[Path, Laid], folder: Path) -> dict[Path, Path]:
    """Write these files below `folder`, with all that they import and that is not among them; their new places."""
    tops = [project.import_root(path.absolute()) for path in given]
    common = Path(os.path.commonpath(tops)) if tops else folder
    placed = {}
    for path, laid in given.items():
        placed[path] = folder / path.absolute().relative_to(common)
        files.write(placed[path], laid.content, sync=False)
    own = {path.resolve() for path in given}
    for path in _imported({path.resolve(): laid.text for path, laid in given.items()}):
        target = folder / path.relative_to(common.resolve()) if common.resolve() in path.parents else None
        if path not in own and target is not None and not target.exists():
            files.write(target, path.read_bytes(), sync=False)
    return placed


def _imported(texts: dict[Path, str]) -> set[Path]:
    """These files, those that they import, directly or not, and what makes folders packages."""
    while True:
        found = set(project.closure(texts, lambda symbol: False))
        new = {init for path in found for init in _inits(path)} - found
        readable = {init: text for init in new if (text := _text(init)) is not None}
        if not readable:
            return found | new
        texts = texts | readable


def _inits(path: Path) -> list[Path]:
    found: list[Path] = []
    for folder in path.parents:
        if not (folder / "__init__.py").is_file():
            return found
        found.append(folder / "__init__.py")
    return found


def _text(path: Path) -> str | None:
    try:
        return files.read(path).text
    except files.FileProblem:
        return None


def module(path: Path, folder: Path) -> tuple[Path, str]:
    """(the file that can be loaded, a note): the file itself; of a notebook its cells, laid out below `folder`.

    What only IPython runs is left out, and the note says where. ValueError if the notebook cannot be read.
    """
    if path.suffix != ".ipynb":
        return path, ""
    try:
        whole = files.read(path).text
        text, gone = magics.left_out(whole)
    except (files.FileProblem, SyntaxError) as problem:
        raise ValueError(f"{path}: {problem}") from None
    places = ["cell {} line {}".format(*cells.place(path.name, whole, line)) for line in gone]
    told = ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "")
    placed = lay_out({path: Laid(whole, text.encode())}, folder)
    return placed[path], f"magics and shell lines of {path.name} were left out: {told}" if told else ""
