"""Which Keras a file runs on: told before Keras or TensorFlow is imported.

Keras 2 is what `tf.keras` means before TensorFlow 2.16, and later with tf_keras and TF_USE_LEGACY_KERAS=1.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .user import import_root

VARIABLE = "TF_USE_LEGACY_KERAS"
_ASKED = ("1", "true", "True")  # as TensorFlow reads it
_OTHERS = ("tensorflow", "keras")  # which name tf_keras themselves, and may lie beside the file where it is installed
_NAMED = re.compile(r"^[\s\"]*(?:import|from)\s+tf_keras\b", re.MULTILINE)  # the quote: a line of a notebook


def choose(path: Path, is_port: bool) -> None:
    """A file that names tf_keras, or imports a file beside it that does, runs on it; a port is written for Keras 3."""
    if is_port:
        os.environ.pop(VARIABLE, None)
    elif any(_NAMED.search(text) for text in _texts(path)):
        os.environ[VARIABLE] = "1"


def _texts(path: Path) -> Iterator[str]:
    """The texts of the file and of all files of the user's that it imports."""
    todo, seen = [path], set[Path]()
    while todo:
        here = todo.pop()
        if here in seen or not here.is_file():
            continue
        seen.add(here)
        text = here.read_text(encoding="utf-8", errors="replace")
        yield text
        todo.extend(_imported(here, text))


def _imported(path: Path, text: str) -> Iterator[Path]:
    """Where what the file imports would lie, beside it or in its package."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except SyntaxError:  # a notebook, or a fault that is told when the file is run
        return
    places = {import_root(path), path.parent}
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [n for alias in node.names if (n := alias.name.split("."))[0] not in _OTHERS]
            bases = [root.joinpath(*name) for name in names for root in places]
        elif isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] not in _OTHERS):
            roots = {path.parents[node.level - 1]} if node.level else places
            folders = [root.joinpath(*(node.module or "").split(".")) for root in roots]
            bases = folders + [folder / alias.name for folder in folders for alias in node.names]
        else:
            continue
        for base in bases:
            yield from (base.with_name(base.name + ".py"), base / "__init__.py")


def legacy() -> bool:
    """Does `tf.keras` mean tf_keras?"""
    return os.environ.get(VARIABLE) in _ASKED


def is_two() -> bool:
    return legacy() or importlib.metadata.version("keras").startswith("2.")
