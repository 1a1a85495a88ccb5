"""The files of a project as they are read: with those that they import, and with imports written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import libcst as cst

from port import names, project, stars, table
from port.tf2torch import siblings


@dataclass(eq=False)
class Unit:
    """One file: its text, the module that was parsed from it, and the same with imports written out."""

    name: str
    text: str
    written: cst.Module
    module: cst.Module
    bound: names.Names
    links: dict[str, tuple[Unit, str]] = field(default_factory=dict)  # imported name -> (unit, name there)
    stars: list[Unit] = field(default_factory=list)
    inside: dict[str, Unit] = field(default_factory=dict)
    wanted: bool = True  # False: only read, for what the others import from it

    def again(self) -> None:
        self.bound = names.collect(self.module)


def read(texts: Mapping[str, tuple[str, cst.Module]]) -> dict[str, Unit]:
    """The units of these files (by path, each with its tree) and of what they import, behind what they import."""
    rows = project.has_rows(table.by_tf_name())
    given = {Path(path).resolve() if path else Path(): path for path in texts}
    found = project.closure({key: texts[path][0] for key, path in given.items() if path}, rows)
    units: dict[Path, Unit] = {}
    for key in [*found, *([Path()] if "" in texts else [])]:
        path = given.get(key)
        tree = texts[path][1] if path is not None else _parsed(found[key].text)
        if tree is not None:
            text = texts[path][0] if path is not None else found[key].text
            units[key] = Unit(path or key.name, text, tree, tree, names.Names(), wanted=path is not None)
    for key, unit in units.items():
        if key in found:
            _tie(unit, found[key], units)
            unit.module = siblings.beside(unit.module, *_moved(found[key], given))
        if "import *" in unit.text:
            unit.module = stars.expand(unit.module, "tf2torch", table.by_tf_name())
        unit.again()
    live = _live(list(units.values()))
    for unit in live:
        unit.links = {name: link for name, link in unit.links.items() if link[0] in live}
        unit.stars = [other for other in unit.stars if other in live]
        unit.inside = {name: other for name, other in unit.inside.items() if other in live}
    return {given.get(key, str(key)): unit for key, unit in units.items() if unit in live}


def _live(units: list[Unit]) -> set[Unit]:
    """Units that use the framework, or import from one that does; what others hold concerns no translation."""
    live = {unit for unit in units if unit.bound.uses("tf2torch")}
    while more := {u for u in units if u not in live and live & {*u.stars, *(other for other, _ in u.links.values())}}:
        live |= more
    return live


def _parsed(text: str) -> cst.Module | None:
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError, ValueError):
        return None


def _tie(unit: Unit, member: project.Member, units: Mapping[Path, Unit]) -> None:
    for name, key in member.bound.items():
        target = member.targets[key]
        if target.path in units:
            unit.links[name] = units[target.path], target.name
    unit.stars = [units[path] for path in member.stars if path in units]
    if member.path.name == "__init__.py":
        near = {p: u for p, u in units.items() if p.parent == member.path.parent and p != member.path}
        below = {p: u for p, u in units.items() if p.name == "__init__.py" and p.parent.parent == member.path.parent}
        unit.inside = {p.stem: u for p, u in near.items()} | {p.parent.name: u for p, u in below.items()}


def _moved(member: project.Member, given: Mapping[Path, str]) -> tuple[dict[project.Key, str], str]:
    """Neighbours that are imported through the framework's own package, and how they are imported once ported."""
    roots = names.FRAMEWORKS["tf2torch"]
    moved = {key: target.path.stem for key, target in member.targets.items()
             if not key[0] and names.canonical(key[1]).split(".")[0] in roots}
    return moved, "." if member.path.parent / "__init__.py" in given else ""
