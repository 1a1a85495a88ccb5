"""Imports between the files of a project, as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.names import alias_text, dotted_name
from port.symbols import above
from port.tree import rebuild, walk

Key = tuple[int, str, str]  # see port.project


def beside(module: cst.Module, moved: dict[Key, str], dots: str) -> cst.Module:
    """Imports of neighbours through the framework's own package become imports of the ported neighbours.

    `moved`: import -> name of the neighbour; `dots`: '.' inside a package that is ported whole, else ''.
    """
    return _beside(module, moved, dots) if moved else module  # type: ignore[no-any-return]


def _beside(node: Any, moved: dict[Key, str], dots: str) -> Any:
    if isinstance(node, cst.SimpleStatementLine):
        body = [part for s in node.body for part in _parts(s, moved, dots)]
        return node if body == list(node.body) else node.with_changes(body=body)
    if isinstance(node, cst.Module | cst.IndentedBlock | cst.BaseCompoundStatement | cst.Else | cst.ExceptHandler):
        return rebuild(node, lambda child: _beside(child, moved, dots))
    return node


def _parts(node: Any, moved: dict[Key, str], dots: str) -> list[Any]:
    """One import, apart where only some of its names move."""
    if not isinstance(node, cst.ImportFrom) or isinstance(node.names, cst.ImportStar) or node.module is None:
        return [node]
    base = dotted_name(node.module)
    key = {a: (len(node.relative), base, dotted_name(a.name)) for a in node.names}  # type: ignore[arg-type]
    stay = [a for a in node.names if key[a] not in moved]
    if len(stay) == len(node.names):
        return [node]
    made: list[Any] = [node.with_changes(names=last_plain(stay))] if stay else []
    texts = [_text(alias, moved[key[alias]], base, dots) for alias in node.names if key[alias] in moved]
    new = [cst.parse_statement(text).body[0] for text in texts]  # type: ignore[union-attr, index]
    if not stay and len({text.partition(" import ")[0] for text in texts}) == 1 and isinstance(new[0], cst.ImportFrom):
        return [node.with_changes(module=new[0].module, relative=new[0].relative)]  # with the comments of its names
    return [*made, *new]


def _text(alias: cst.ImportAlias, neighbour: str, base: str, dots: str) -> str:
    whole = neighbour == alias.name.value and not base.endswith("." + neighbour)
    tail = alias_text(alias)
    if whole:
        return f"from {dots} import {tail}" if dots else f"import {tail}"
    return f"from {dots}{neighbour} import {tail}"


def last_plain(aliases: list[cst.ImportAlias]) -> list[cst.ImportAlias]:
    return [*aliases[:-1], aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]


def imports(module: cst.Module) -> Iterator[tuple[Key, str]]:
    """(import, local name) of all that imports bind: what project.imports finds in a text."""
    for node in walk(module):
        if type(node) is cst.ImportFrom:
            base = dotted_name(node.module) if node.module is not None else ""
            if isinstance(node.names, cst.ImportStar):
                yield (len(node.relative), base, "*"), "*"
            else:
                for alias in node.names:
                    yield (len(node.relative), base, dotted_name(alias.name)), local_name(alias)  # type: ignore
        elif type(node) is cst.Import:
            for alias in node.names:
                name = dotted_name(alias.name)  # type: ignore[arg-type]
                if alias.asname is not None:
                    yield (0, name, ""), local_name(alias)
                else:
                    yield from (((0, module, ""), module) for module in above(name))


def importing(module: cst.Module, name: str) -> cst.CSTNode | None:
    """The import that binds this name."""
    for node in walk(module):
        if isinstance(node, cst.Import | cst.ImportFrom) and not isinstance(node.names, cst.ImportStar) and any(
                name == local_name(a) for a in node.names):
            return node
    return None


def local_name(alias: cst.ImportAlias) -> str:
    """What it binds."""
    if alias.asname is not None:
        return alias.asname.name.value  # type: ignore[union-attr]
    return dotted_name(alias.name).split(".")[0]  # type: ignore[arg-type]
