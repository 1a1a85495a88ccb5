"""What the files of a project import from each other."""

from __future__ import annotations

from port.facts import Fact, Kind
from port.scopes import File
from port.tf2torch.infer.definitions import member
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Class, Function


def bind(it: Interp, file: File) -> None:
    """Give a file the names that it imports from others, before its own statements run."""
    for other in file.stars:
        for name in [*other.env.names, *other.later]:
            if not name.startswith("_"):
                file.env.names[name] = member(it, other, name)
    for name, (other, symbol) in file.links.items():
        file.env.names[name] = member(it, other, symbol) if symbol else Fact(Kind.FUNCTION, payload=other)




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


