"""What the files of a project import from each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst

from port.facts import Fact, Kind
from port.names import FRAMEWORKS
from port.scopes import File
from port.tf2torch.infer.definitions import member
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Class, Function
from port.tree import find


def name(files: Sequence[File]) -> None:
    """Symbols of the framework that files import from each other, `from .common import layers`, under their names."""
    for file in files:
        file.names.files = {name: other.names for name, (other, symbol) in file.links.items() if not symbol}
    while any(_handed_on(file) for file in files):
        pass


def _handed_on(file: File) -> bool:
    """Were there symbols that the file did not know yet?"""
    found = {name: other.names.bound[symbol] for name, (other, symbol) in file.links.items()
             if other.names.bound.get(symbol, "").split(".")[0] in FRAMEWORKS["tf2torch"]}
    more = found.items() - file.names.bound.items()
    file.names.bound |= dict(more)
    return bool(more)


def bind(it: Interp, file: File) -> None:
    """Give a file the names that it imports from others, before its own statements run."""
    for other in file.stars:
        for name in [*other.env.names, *other.later]:
            if not name.startswith("_"):
                file.env.names[name] = member(it, other, name)
    for name, (other, symbol) in file.links.items():
        file.env.names[name] = member(it, other, symbol) if symbol else Fact(Kind.FUNCTION, payload=other)




def taken(it: Interp, nodes: Iterable[cst.CSTNode], file: File) -> set[str]:
    """Names of another `file` that these statements of this one use."""
    known = it.globals.names
    found = {symbol for node in nodes for n in find(node, cst.Name)
             for other, symbol in [it.file.links.get(n.value, (None, ""))] if other is file and symbol}
    for node in nodes:
        for use in find(node, cst.Attribute):
            owner = known.get(use.value.value) if isinstance(use.value, cst.Name) else None
            if owner is not None and owner.payload is file:
                found.add(use.attr.value)
    return found


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


