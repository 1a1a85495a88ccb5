"""The inputs of a case: by position or by keyword, alone or in tuples, lists and dicts, with settings between them.

`f32[2,7,3]`, `mask=b[2,7]`, `(f32[2,3], f32[2,4])`, `{ids: i64[2,7]<9, mask: b[2,7]}`, `ratio=0.5`. What is fed are
the leaves, in this order; a form says how they are put together again: [[keyword or None, tree], ...], where a tree is
a number (of a leaf), {"tuple" | "list": trees}, {"dict": {key: tree}} or {"value": a plain value}.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .cases import SPEC, Spec, parse

Form = list[list[Any]]
KEYWORD = re.compile(r"\s*([A-Za-z_]\w*)\s*=(?!=)")
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Feed:
    """Arrays and how a call takes them; `packed`: several in one argument, as one list (None: each side decides)."""

    arrays: tuple[np.ndarray, ...]
    form: Form | None = None
    packed: bool | None = None

    @property
    def plain(self) -> bool:
        """Only tensors, and only by position."""
        return self.form is None or all(name is None and isinstance(tree, int) for name, tree in self.form)

    def bind(self, tensors: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
        """(positional, keyword) arguments"""
        if self.form is None:
            return list(tensors), {}
        made = [(name, _fill(tree, tensors)) for name, tree in self.form]
        return [v for name, v in made if name is None], {name: v for name, v in made if name is not None}


def _fill(tree: Any, tensors: Sequence[Any]) -> Any:
    if isinstance(tree, int):
        return tensors[tree]
    (kind, held), = tree.items()
    if kind == "value":
        return held
    if kind == "dict":
        return {key: _fill(item, tensors) for key, item in held.items()}
    items = [_fill(item, tensors) for item in held]
    return tuple(items) if kind == "tuple" else items


def read(texts: Sequence[str]) -> tuple[list[Spec], Form]:
    """The leaves of all inputs, and the form; ValueError says what is wrong."""
    specs: list[Spec] = []
    form: Form = []
    for text in texts:
        match = KEYWORD.match(text)
        tree, end = _tree(text, match.end() if match else 0, specs)
        if text[end:].strip():
            raise ValueError(f"input {text!r}: {text[end:].strip()!r} is not understood")
        form.append([match.group(1) if match else None, tree])
    named = [name is not None for name, _ in form]
    if named != sorted(named):
        raise ValueError("inputs by position come before inputs by keyword")
    return specs, form


def _tree(text: str, at: int, specs: list[Spec]) -> tuple[Any, int]:
    """(tree, where it ends)"""
    at += len(text[at:]) - len(text[at:].lstrip())
    if match := SPEC.match(text, at):
        specs.append(parse(match.group()))
        return len(specs) - 1, match.end()
    if text[at:at + 1] in CLOSING:
        return _group(text, at, specs)
    match = re.compile(r"[^,)\]}]+").match(text, at)
    try:
        return {"value": ast.literal_eval(match.group().strip() if match else "")}, match.end() if match else at
    except (SyntaxError, ValueError):
        parse(text.strip())  # says how to write one
        raise ValueError(f"input {text!r} is not understood") from None


def _group(text: str, at: int, specs: list[Spec]) -> tuple[Any, int]:
    close, kind = CLOSING[text[at]], {"(": "tuple", "[": "list", "{": "dict"}[text[at]]
    items: list[tuple[str, Any]] = []
    at += 1
    while text[at:].lstrip()[:1] not in (close, ""):
        key = ""
        if kind == "dict":
            match = re.compile(r"""\s*['"]?(\w+)['"]?\s*:""").match(text, at)
            if match is None:
                raise ValueError(f"input {text!r}: a dict is written {{key: f32[2,3]}}")
            key, at = match.group(1), match.end()
        tree, at = _tree(text, at, specs)
        items.append((key, tree))
        comma = re.compile(r"\s*,").match(text, at)
        at = comma.end() if comma else at
        if not comma and text[at:].lstrip()[:1] != close:
            raise ValueError(f"input {text!r}: {close!r} is missing")
    if close not in text[at:]:
        raise ValueError(f"input {text!r}: {close!r} is missing")
    held = dict(items) if kind == "dict" else [tree for _, tree in items]
    return {kind: held}, text.index(close, at) + 1


def write(specs: Sequence[Spec], form: Form | None) -> list[str]:
    """The texts again, with the sizes of `specs`."""
    if form is None:
        return list(map(str, specs))
    return [(f"{name}=" if name else "") + _text(tree, specs) for name, tree in form]


def _text(tree: Any, specs: Sequence[Spec]) -> str:
    if isinstance(tree, int):
        return str(specs[tree])
    (kind, held), = tree.items()
    if kind == "value":
        return repr(held)
    if kind == "dict":
        return "{" + ", ".join(f"{key}: {_text(item, specs)}" for key, item in held.items()) + "}"
    inner = ", ".join(_text(item, specs) for item in held)
    return f"[{inner}]" if kind == "list" else f"({inner}{',' if len(held) == 1 else ''})"


def feed(meta: dict[str, Any], arrays: dict[str, np.ndarray], variant: int) -> Feed:
    """What a case is fed in one of its variants; `meta` holds specs, and form and packed where they matter."""
    count = len(meta["specs"][0])
    return Feed(tuple(arrays[f"in/x/{variant}/{i}"] for i in range(count)), meta.get("form"), meta.get("packed"))


def call(function: Callable[..., Any], given: Feed, tensors: Sequence[Any], packed: bool, **more: Any) -> Any:
    """`packed`: the function takes all tensors in one list."""
    args, named = given.bind(tensors)
    return function(args, **named, **more) if packed else function(*args, **named, **more)


def with_arrays(given: Feed, arrays: Sequence[np.ndarray]) -> Feed:
    return replace(given, arrays=tuple(arrays))
