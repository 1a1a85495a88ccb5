"""Builder functions that models traced and models that are classes both call: they are there in both forms.

    def block(x, n): ...        ->    def block(x, n): ...            # becomes a class
                                      def traced_block(x, n): ...     # stays a function
    def net(...):                     def net(...):
        x = block(x, 8)                   x = traced_block(x, 8)

The models that are traced, and what only they call, are left where they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import libcst as cst

from port.scopes import File
from port.siblings import local_name
from port.tf2torch.infer.values import Function
from port.tree import clone, find, rebuild
from port.units import Unit

PREFIX = "traced_"


def separated(units: Sequence[Unit], files: Sequence[File], group: Collection[Function], shared: Collection[Function]
              ) -> tuple[list[Unit], set[cst.CSTNode], dict[cst.CSTNode, cst.CSTNode]]:
    """The units with copies of the `shared` functions for the `group`; the nodes of all that is traced then, and what
    these were before.
    """
    made: dict[Unit, Unit] = {}
    nodes: dict[cst.CSTNode, cst.CSTNode] = {}
    for unit, file in zip(units, files, strict=True):
        names = {n: PREFIX + n for n, fact in file.env.names.items()
                 if isinstance(fact.payload, Function) and fact.payload in shared}
        mine: dict[Any, Function] = {f.node: f for f in group if f.file is file}
        body: list[Any] = []
        for line in file.module.body:
            own = mine.get(line)
            if isinstance(line, cst.ClassDef) and any(s in mine for s in line.body.body):  # its constructor builds one
                body.append(_renamed(line, names))
                both = zip(find(body[-1], cst.FunctionDef), find(line, cst.FunctionDef), strict=True)
                nodes |= {new: old for new, old in both if old in mine}
                continue
            if own is None:
                body.append(_importing(line, names))
                continue
            new = _renamed(clone(line) if own in shared else line, names)
            if own in shared:
                body.append(line)
                new = new.with_changes(name=cst.Name(PREFIX + own.name))
            body.append(new)
            nodes |= dict(zip(find(new, cst.FunctionDef), find(line, cst.FunctionDef), strict=True))
        made[unit] = replace(unit, module=file.module.with_changes(body=body))
    for old, unit in made.items():
        links = {n: (made[other], symbol) for n, (other, symbol) in old.links.items()}
        copies = {f.name for f in shared}
        links |= {PREFIX + n: (other, PREFIX + symbol) for n, (other, symbol) in links.items() if symbol in copies}
        unit.links = links
        unit.stars = [made[other] for other in old.stars]
        unit.inside = {n: made[other] for n, other in old.inside.items()}
        unit.again()
    return list(made.values()), {*nodes}, nodes


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """The function with other names of what it calls."""
    taken = {p.name.value for p in find(node, cst.Param)} | {
        t.target.value for t in find(node, cst.AssignTarget) if isinstance(t.target, cst.Name)}
    return _replaced(node, {old: new for old, new in names.items() if old not in taken})


def _replaced(node: Any, names: Mapping[str, str]) -> Any:
    kind = type(node)
    if kind is cst.Name:
        return node.with_changes(value=names[node.value]) if node.value in names else node
    if kind is cst.Attribute:
        value = _replaced(node.value, names)
        return node if value is node.value else node.with_changes(value=value)
    if kind is cst.Arg:
        value = _replaced(node.value, names)
        return node if value is node.value else node.with_changes(value=value)
    if kind is cst.FunctionDef:
        return rebuild(node, lambda child: child if child is node.name else _replaced(child, names))
    return rebuild(node, lambda child: _replaced(child, names))


def _importing(line: Any, names: Mapping[str, str]) -> Any:
    """`from .blocks import block, traced_block`."""
    if not isinstance(line, cst.SimpleStatementLine):
        return line
    return rebuild(line, lambda small: _with_copies(small, names))


def _with_copies(small: Any, names: Mapping[str, str]) -> Any:
    if type(small) is not cst.ImportFrom or isinstance(small.names, cst.ImportStar):
        return small
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    aliases: list[cst.ImportAlias] = []
    for alias in small.names:
        local = local_name(alias)
        if local in names and isinstance(alias.name, cst.Name):
            as_name = None if alias.asname is None else cst.AsName(cst.Name(names[local]))
            copy = cst.ImportAlias(cst.Name(PREFIX + alias.name.value), as_name, alias.comma)
            aliases += [alias.with_changes(comma=comma), copy]
        else:
            aliases.append(alias)
    return small if len(aliases) == len(small.names) else small.with_changes(names=aliases)
