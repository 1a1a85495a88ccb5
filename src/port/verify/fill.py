"""Sizes that a ported class must be told, and that its Keras source finds when it is built.

Such a parameter has no default, is unknown to the source's signature, and is named for what it counts: `in_features`,
or `<x>_features` where x is a parameter of the source's `call`; likewise `_channels`, `_length`, `_height`, `_width`.
"""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

NAME = re.compile(r"(\w+)_(features|channels|length|height|width)")


def described(module: Any, text: str, obj: Any) -> dict[str, list[str]]:
    """What the port's side needs of the source: names that the callable in `text` takes, and those of `call`."""
    method = getattr(obj, "call", None) or getattr(obj, "forward", None)
    return {"known": list(_parameters(module, _call(text))), "inputs": list(_names(method))}


def filled(module: Any, text: str, about: dict[str, list[str]], shapes: list[tuple[int, ...]]) -> tuple[str, list[str]]:
    """(`text` with the missing sizes, what was filled in): `Gate(4)` -> `Gate(7, 4)`, ['in_features=7']."""
    call = _call(text)
    own = _parameters(module, call)
    if call is None or not own or any(isinstance(a, ast.Starred) for a in call.args):
        return text, []
    given = {k.arg for k in call.keywords}
    sizes: dict[str, int] = {}
    for name, parameter in own.items():
        if parameter.default is parameter.empty and name not in given and name not in about["known"]:
            size = _size(name, about["inputs"], shapes)
            if size is not None:
                sizes[name] = size
    if not sizes:
        return text, []
    _insert(call, list(own), dict(sizes))
    return ast.unparse(call), [f"{name}={size}" for name, size in sizes.items()]


def _call(text: str) -> ast.Call | None:
    found = ast.parse(text.strip(), mode="eval").body
    return found if isinstance(found, ast.Call) else None


def _parameters(module: Any, call: ast.Call | None) -> dict[str, inspect.Parameter]:
    """By name, without `*args` and `**kwargs`; empty if the callable does not say."""
    if call is None:
        return {}
    try:
        function = eval(ast.unparse(call.func), vars(module))
    except Exception:  # the case itself will say what is wrong
        return {}
    return _names(function)


def _names(function: Any) -> dict[str, inspect.Parameter]:
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}
    return {n: p for n, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _size(name: str, inputs: list[str], shapes: list[tuple[int, ...]]) -> int | None:
    """`in_*` is of the first input; axes are in channels-last order."""
    match = NAME.fullmatch(name)
    if match is None:
        return None
    of, what = match.groups()
    number = inputs.index(of) if of in inputs else 0 if of == "in" else len(shapes)
    shape = shapes[number] if number < len(shapes) else ()
    axis = {"features": -1, "channels": -1, "length": 1, "height": len(shape) - 3, "width": len(shape) - 2}[what]
    return shape[axis] if len(shape) > 1 and (axis == -1 or 0 < axis < len(shape)) else None


def _insert(call: ast.Call, own: list[str], sizes: dict[str, int]) -> None:
    """By position where positional arguments follow, so that these keep their meaning; else by keyword."""
    left = list(call.args)
    call.args = []
    for name in own:
        if not left:
            break
        call.args.append(ast.Constant(sizes.pop(name)) if name in sizes else left.pop(0))
    call.args += left
    call.keywords = [*(ast.keyword(n, ast.Constant(s)) for n, s in sizes.items()), *call.keywords]
