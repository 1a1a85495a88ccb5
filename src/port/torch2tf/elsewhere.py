"""Branches that need a library that is not read, where the code has others that do without it.

`if fused: self.norm = apex.FusedLayerNorm(dim)` beside `self.norm = nn.LayerNorm(dim)` in a constructor, or
`if has_apex: return fused_norm(x)`, which a failed import makes false: what these compute cannot be told. The port
raises where the setting asks for it, and the rest of the class or function is ported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from port.foreign import is_foreign
from port.names import import_bindings
from port.scopes import File
from port.torch2tf.optional import sides
from port.torch2tf.refused import Refused
from port.tree import code, find, named


def branches(files: Sequence[File]) -> dict[cst.CSTNode, Refused]:
    """The branches of these files that raise, and why."""
    found: dict[cst.CSTNode, Refused] = {}
    for file in files:
        if any(_foreign(file, name) for name in file.names.bound):
            for cls in find(file.module, cst.ClassDef):
                found |= _of_class(file, cls)
            for optional in (s for s in file.module.body if isinstance(s, cst.Try)):
                found |= _where_installed(file, optional)
    return found


def _where_installed(file: File, optional: cst.Try) -> dict[cst.CSTNode, Refused]:
    """`try: from apex import fused; has_apex = True`, and `if has_apex: return fused(x)` in a function."""
    lines: list[Any] = [*find(optional.body, cst.Import), *find(optional.body, cst.ImportFrom)]
    names = {name for line in lines for name in import_bindings(line) if _foreign(file, name)}
    if not names:
        return {}
    flags = {t.target.value for a in find(optional, cst.Assign) for t in a.targets if isinstance(t.target, cst.Name)}
    chosen = [side for function in find(file.module, cst.FunctionDef) for node in find(function, cst.If)
              if (flags | names) & named(node.test) for side in sides(node) if not isinstance(side, cst.If)]
    found: dict[cst.CSTNode, Refused] = {}
    for side in chosen:
        calls = [c for c in find(side, cst.Call) if code(c.func).partition(".")[0] in names]
        if calls:
            found[side] = Refused("P201", f"`{code(calls[0].func)}` comes from a library that is not ported", calls[0])
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
    return name not in file.links and is_foreign(file.names.bound.get(name, ""))
