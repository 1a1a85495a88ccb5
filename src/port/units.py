"""The files of a project as they are read: with those that they import, and with imports written out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import libcst as cst

from port import injected, names, project, siblings, stars, table
from port.names import dotted_name
from port.result import writing
from port.scopes import File
from port.symbols import too_much


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
    starred: dict[str, str] = field(default_factory=dict)  # what star imports of packages that are not read may give
    own: dict[str, str] = field(default_factory=dict)  # names of `port`'s own helpers, which `module` lacks: symbols
    whole: cst.Module | None = None  # the module with them

    def again(self) -> None:
        self.bound = names.collect(self.module)
        self.bound.bound |= self.own | self.starred


def rows(direction: str) -> Mapping[str, tuple[table.Row, ...]]:
    """The rows by the names of the framework that is read."""
    return table.by_tf_name() if direction == "tf2torch" else table.by_torch_name()


def read(texts: Mapping[str, tuple[str, cst.Module]], direction: str) -> dict[str, Unit]:
    """The units of these files (by path, each with its tree) and of what they import, behind what they import."""
    known = rows(direction)
    given = {Path(path).resolve() if path else Path(): path for path in texts}
    trees = dict(texts.values())

    def imports(text: str) -> project.Imports | None:
        return tuple(siblings.imports(trees[text])) if text in trees else project.imports(text)

    found = project.closure({key: texts[path][0] for key, path in given.items() if path}, project.has_rows(known),
                            imports, through=direction == "torch2tf")
    units: dict[Path, Unit] = {}
    for key in [*found, *([Path()] if "" in texts else [])]:
        path = given.get(key)
        tree = texts[path][1] if path is not None else _parsed(found[key].text)
        if tree is not None:
            text = texts[path][0] if path is not None else found[key].text
            units[key] = Unit(path or key.name, text, tree, tree, names.Names(), wanted=path is not None)
    for key, unit in units.items():
        with writing(unit.name):
            if key in found:
                _tie(unit, found[key], units)
                unit.module = siblings.beside(unit.module, *_moved(found[key], given, direction))
            if "import *" in unit.text:
                unit.module = stars.expand(unit.module, direction, known)
    for key, unit in units.items():
        if "import *" in unit.text:
            unread = found[key].unread if key in found else stars.modules(unit.module)
            unit.starred = stars.unread(unit.module, unread, _all_names(unit, set()) if unread else ())
    if direction == "tf2torch":
        injected.read_in(list(units.values()))
    for unit in units.values():
        with writing(unit.name):
            unit.again()
    live = _live(list(units.values()), direction)
    for unit in live:
        unit.links = {name: link for name, link in unit.links.items() if link[0] in live}
        unit.stars = [other for other in unit.stars if other in live]
        unit.inside = {name: other for name, other in unit.inside.items() if other in live}
    return {given.get(key, str(key)): unit for key, unit in units.items() if unit in live}


def scoped(units: Sequence[Unit], forms: Sequence[cst.Module]) -> list[File]:
    """What the interpreter reads: `forms` are their modules, as they are to be read."""
    made = {u: File(u.name, form, u.bound, wanted=u.wanted) for u, form in zip(units, forms, strict=True)}
    for unit, file in made.items():
        file.links = {name: (made[other], symbol) for name, (other, symbol) in unit.links.items()}
        file.stars = [made[other] for other in unit.stars]
        file.inside = {name: made[other] for name, other in unit.inside.items()}
        for other in unit.stars:
            unit.bound.bound = {**other.bound.bound, **unit.bound.bound}
    return list(made.values())


def _live(units: list[Unit], direction: str) -> set[Unit]:
    """Units that use the framework, or import from one that does; what others hold concerns no translation, but that an
    empty `__init__.py` may lead to such a one (`import package.parts`).

    To Keras, axes and layouts depend on numbers too, and helpers may work on tensors without naming the framework:
    what such units import is read as well.
    """
    live = {unit for unit in units if unit.bound.uses(direction)}
    while more := {u for u in units if u not in live and live & _imported(u)} | {
            o for u in live for o in _imported(u) if o not in live and live & {*o.inside.values()}}:
        live |= more
    while direction == "torch2tf" and (more := {o for u in live for o in _imported(u)} - live):
        live |= more
    return live


def _all_names(unit: Unit, seen: set[Unit]) -> set[str]:
    """Names that the files may give of which this one imports all, and these in turn."""
    seen.add(unit)
    found: set[str] = set()
    for other in unit.stars:
        if other not in seen:
            found |= stars.bound(other.module) | names.collect(other.module).bound.keys() | _all_names(other, seen)
    return found


def _imported(unit: Unit) -> set[Unit]:
    return {*unit.stars, *(other for other, _ in unit.links.values())}


def _parsed(text: str) -> cst.Module | None:
    if too_much(text) or project.too_deep(text):
        return None
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


def _moved(member: project.Member, given: Mapping[Path, str], direction: str) -> tuple[dict[project.Key, str], str]:
    """Neighbours that are imported through the framework's own package, and how they are imported once ported."""
    roots = names.FRAMEWORKS[direction]
    moved = {key: target.path.stem for key, target in member.targets.items()
             if not key[0] and names.canonical(key[1]).split(".")[0] in roots}
    return moved, "." if member.path.parent / "__init__.py" in given else ""


def symbol_of(unit: Unit, node: cst.BaseExpression) -> str:
    """The framework's name of what an expression names, also where another file of the project hands that on; or ''."""
    head, _, tail = dotted_name(node).partition(".")
    seen = {unit}
    while head in unit.links and unit.links[head][0] not in seen:
        unit, head = unit.links[head]
        seen.add(unit)
    return unit.bound.resolve_text(".".join(part for part in (head, tail) if part))


def layer_row(unit: Unit, node: cst.BaseExpression) -> str:
    """The row of a layer's class; '' for all else."""
    symbol = symbol_of(unit, node)
    found = table.by_tf_name().get(symbol, ()) if symbol.startswith("keras.layers.") else ()
    return found[0].name if found and found[0].kind == "layer" else ""


def relinked(unit: Unit, others: dict[Unit, Unit]) -> Unit:
    """The file with its imports from the files that stand for those."""
    unit.links = {name: (others[other], symbol) for name, (other, symbol) in unit.links.items()}
    unit.stars = [others[other] for other in unit.stars]
    unit.inside = {name: others[other] for name, other in unit.inside.items()}
    unit.again()
    return unit
