"""Branches of a constructor that make a module of a library that is not read, where others make one that is known.

`if fused: self.norm = apex.FusedLayerNorm(dim)` beside `self.norm = nn.LayerNorm(dim)`: what the first computes cannot
be told. The port raises where the setting asks for it, and the rest of the class is ported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from port.names import FRAMEWORKS
from port.scopes import File
from port.torch2tf.optional import sides
from port.torch2tf.refused import Refused
from port.torch2tf.unknowns import KNOWN
from port.tree import code, find

READ = KNOWN | {"einops", *FRAMEWORKS["torch2tf"], *FRAMEWORKS["tf2torch"]}


def branches(files: Sequence[File]) -> dict[cst.CSTNode, Refused]:
    """The branches of these files that raise, and why."""
    found: dict[cst.CSTNode, Refused] = {}
    for file in files:
        if any(_foreign(file, name) for name in file.names.bound):
            for cls in find(file.module, cst.ClassDef):
                found |= _of_class(file, cls)
    return found


def _of_class(file: File, cls: cst.ClassDef) -> dict[cst.CSTNode, Refused]:
    made = [m for method in cls.body.body if isinstance(method, cst.FunctionDef) and method.name.value == "__init__"
            for m in _bound(file, method.body.body, None)]
    known = {name for name, foreign, _, _ in made if not foreign}
    return {branch: Refused("P201", f"`{code(what)}` comes from a library that is not ported", what)
            for name, foreign, what, branch in made if foreign and branch is not None and name in known}


def _bound(file: File, body: Sequence[Any], branch: cst.CSTNode | None
           ) -> Iterator[tuple[str, bool, cst.BaseExpression, cst.CSTNode | None]]:
    """(name, is it of a library that is not read, the class or function, the innermost branch that it stands in)

    Of attributes that hold what a call makes, and of variables that hold a class or a function.
    """
    for statement in body:
        if isinstance(statement, cst.If):
            for side in sides(statement):
                yield from _bound(file, [side] if isinstance(side, cst.If) else side.body, side)
            continue
        for line in find(statement, cst.Assign, enter_functions=False):
            target = line.targets[0].target
            what = line.value.func if isinstance(line.value, cst.Call) else line.value
            if isinstance(target, cst.Attribute) is isinstance(line.value, cst.Call) and isinstance(
                    target, cst.Attribute | cst.Name) and isinstance(what, cst.Attribute | cst.Name):
                yield code(target), _foreign(file, code(what).partition(".")[0]), what, branch


def _foreign(file: File, name: str) -> bool:
    """Is this name imported from a library whose code is not read?"""
    symbol = file.names.bound.get(name, "")
    return bool(symbol) and name not in file.links and symbol.lstrip(".").partition(".")[0] not in READ
