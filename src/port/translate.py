"""Source text in, translated text and findings out. Pure, and never runs the code."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import libcst as cst

from port import names, stars, table, tree
from port.facts import Fact
from port.findings import Finding
from port.result import Options, Result

MARKS = {"tf2torch": ("tensorflow", "keras"), "torch2tf": ("torch",)}


def translate(text: str, direction: str, options: Options = Options(), path: str = "",
              params: dict[str, Fact] | None = None) -> Result:
    """Translate one file. `direction` is 'tf2torch' or 'torch2tf'.

    `params` gives facts of function parameters by name, where the caller knows them (the prover does).
    """
    if not any(mark in text for mark in MARKS[direction]):
        return Result(text, text)
    with _uncollected():
        try:
            return _translate(text, direction, options, params)
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


def _translate(text: str, direction: str, options: Options, params: dict[str, Fact] | None) -> Result:
    try:
        module = cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError, ValueError) as error:
        line = getattr(error, "raw_line", 1)
        message = str(error).splitlines()[0] if not hasattr(error, "message") else error.message
        return Result(text, text, (Finding(line, 0, "P902", f"not valid Python: {message}"),))
    if direction == "tf2torch" and "import *" in text:
        module = stars.expand(module, direction, table.by_tf_name())
    bound = names.collect(module)
    if not bound.uses(direction):
        return Result(text, text)
    if direction == "torch2tf":
        from port.torch2tf import translate as to_keras

        return to_keras(text, module, bound, options, params)
    from port.tf2torch.module import translate as to_torch

    return to_torch(text, module, bound, options, params)
