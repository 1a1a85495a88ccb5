"""What the files of a project import from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from port.facts import UNKNOWN, Fact, Kind
from port.scopes import File
from port.torch2tf import definitions

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def bind(it: Interp, file: File) -> None:
    """Give a file the names that it imports from others, before its own statements run."""
    for other in file.stars:
        for name in exported(other):
            file.env.names[name] = member(it, other, name)
    for name in file.links:
        file.env.names[name] = member(it, file, name)
        home, symbol = source(file, name)
        own = not symbol or symbol in home.env.names or symbol in home.later
        file.names.bound[name] = f".{name}" if own else home.names.bound.get(symbol, f".{name}")


def exported(file: File) -> list[str]:
    """What a star import takes, other than symbols of frameworks."""
    names = dict.fromkeys([*file.links, *file.later, *file.env.names])
    return [name for name in names if not name.startswith("_")]


def member(it: Interp, file: File, name: str) -> Fact:
    """What a file calls `name`, also where its statements have not been reached yet (imports in a circle)."""
    home, symbol = source(file, name)
    if not symbol:
        return Fact(Kind.FUNCTION, payload=home)
    found = home.env.names.get(symbol)
    if found is None and symbol in home.later:
        with it.within(home):
            definitions.define(it, home.later[symbol], home.env)
        found = home.env.names.get(symbol)
    if found is None and symbol in home.names.bound:
        return it.symbol(home.names.bound[symbol])
    return found if found is not None else UNKNOWN


def source(file: File, name: str) -> tuple[File, str]:
    """The file that defines what `file` calls `name`, and its name there: '' for that file itself."""
    seen: set[tuple[File, str]] = set()
    while name and (file, name) not in seen:
        seen.add((file, name))
        if name in file.links and name not in file.later:
            file, name = file.links[name]
        elif name in file.inside and name not in file.env.names and name not in file.later:
            return file.inside[name], ""
        else:
            passed = [] if name in file.env.names or name in file.later else [
                other for other in file.stars if name in exported(other)]
            if not passed:
                break
            file = passed[-1]
    return file, name

