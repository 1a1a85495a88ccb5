"""Names of the files of a project and of the scopes inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import libcst as cst

from port.facts import Fact
from port.names import Names


@dataclass(eq=False)
class File:
    """One file of the project. As a payload: the module that an import binds."""

    name: str  # as findings call it
    module: cst.Module
    names: Names
    env: Env = field(default_factory=lambda: Env())
    links: dict[str, tuple[File, str]] = field(default_factory=dict)  # imported name -> (file, name there, '': itself)
    stars: list[File] = field(default_factory=list)  # files that a star import takes everything from
    inside: dict[str, File] = field(default_factory=dict)  # of a package: its modules
    later: dict[str, cst.FunctionDef | cst.ClassDef] = field(default_factory=dict)  # definitions not yet reached
    wanted: bool = True  # False: only read, for what the others take from it

    def __post_init__(self) -> None:
        self.env.file = self
        self.later = {n.name.value: n for n in self.module.body if isinstance(n, cst.FunctionDef | cst.ClassDef)}


class Env:
    """Names of one scope; looks outward. Copies are cheap enough for branches."""

    __slots__ = ("file", "names", "outer")

    def __init__(self, outer: Env | None = None, names: dict[str, Fact] | None = None):
        self.outer = outer
        self.names: dict[str, Fact] = names if names is not None else {}
        self.file: Any = None  # of a file's own names

    def get(self, name: str) -> Fact | None:
        env: Env | None = self
        while env is not None:
            if name in env.names:
                return env.names[name]
            env = env.outer
        return None

    def copy(self) -> Env:
        made = Env(self.outer, dict(self.names))
        made.file = self.file
        return made

    def top(self) -> Env:
        """The names of the whole file."""
        env = self
        while env.outer is not None:
            env = env.outer
        return env
