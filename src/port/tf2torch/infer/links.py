"""What the files of a project import from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from port.facts import Fact, Kind
from port.names import dotted_name
from port.tf2torch.infer import users
from port.tf2torch.infer.values import Class, Env, File, Function

if TYPE_CHECKING:
    from port.tf2torch.infer.interp import Interp


def bind(it: Interp, file: File) -> None:
    """Give a file the names that it imports from others, before its own statements run."""
    for other in file.stars:
        for name in [*other.env.names, *other.later]:
            if not name.startswith("_"):
                file.env.names[name] = member(it, other, name)
    for name, (other, symbol) in file.links.items():
        file.env.names[name] = member(it, other, symbol) if symbol else Fact(Kind.FUNCTION, payload=other)


def member(it: Interp, file: File, name: str) -> Fact:
    """What a file calls `name`, also where its statements have not been reached yet (imports in a circle)."""
    found = file.env.names.get(name)
    if found is None and name in file.later:
        with it.within(file.env):
            users.define(it, file.later[name], file.env)
        found = file.env.names.get(name)
    if found is None and name in file.inside:
        return Fact(Kind.FUNCTION, payload=file.inside[name])
    return found if found is not None else Fact(Kind.FUNCTION, symbol=f".{file.name}.{name}")


def elsewhere(it: Interp) -> set[str]:
    """Names of this file that stand for other files, or for functions and classes that these define."""
    return {name for name, fact in it.globals.names.items() if isinstance(fact.payload, File) or (
        isinstance(fact.payload, Function | Class) and fact.payload.file is not it.file)}


def local_name(it: Interp, function: Function, name: str) -> str:
    """How this file writes what a function of another file, now called `name`, has become."""
    for local, fact in it.globals.names.items():
        if fact.payload is function:
            return name if local == function.name else local
    for local, fact in it.globals.names.items():
        if isinstance(fact.payload, File) and member(it, fact.payload, function.name).payload is function:
            return f"{local}.{name}"
    return name


def linked(it: Interp, node: cst.BaseExpression, env: Env) -> Fact | None:
    """The fact of a dotted name that leads to another file; None for any other."""
    head, *rest = dotted_name(node).split(".")
    file = env.top().file
    found = env.get(head) if head in file.links or (head and file.stars) else None
    for part in rest:
        if found is None or not isinstance(found.payload, File):
            return None
        found = member(it, found.payload, part)
    return found
