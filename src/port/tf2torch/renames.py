"""Imports between the files of a project: they name what functions have become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port.siblings import last_plain, local_name
from port.tf2torch.file import Pass
from port.tf2torch.infer.values import Function
from port.tree import kinds, named, rebuild

ASSIGNMENTS = (cst.Assign, cst.AugAssign, cst.AnnAssign)
AROUND = kinds(cst.SimpleStatementLine, cst.IndentedBlock, cst.BaseCompoundStatement, cst.Else, cst.ExceptHandler)


def renamed(done: Pass) -> list[Any]:
    """The statements, with imports and `__all__` naming the classes that functions of the project have become."""
    it = done.em.it
    own = done.converted()
    used = {n for s in done.out for n in named(s)}
    taken: dict[str, list[str]] = {}  # imported name -> what is imported in its place
    for local, (_, symbol) in it.file.links.items():
        function = it.globals.names[local].payload if local in it.globals.names else None
        if symbol and isinstance(function, Function) and function.name == symbol and function.file in done.passes:
            other = done.passes[function.file]
            new = other.converted().get(symbol)
            if new is not None:
                taken[local] = _choice(symbol, new, local == symbol, used, other)
    if not taken and not (own and "__all__" in used):
        return done.out
    listed = {name: [new, name] if _defines(done, name) else [new] for name, new in own.items()} | {
        name: names for name, names in taken.items() if names != [name]}
    return [_changed(s, taken, listed) for s in done.out]


def _choice(symbol: str, new: str, plain: bool, used: set[str], other: Pass) -> list[str]:
    kept = _defines(other, symbol)
    if not plain:
        return [new]
    found = [n for n in (new, symbol) if n in used and (n == new or kept)]
    return found or [symbol if kept else new]


def _defines(done: Pass, name: str) -> bool:
    return any(isinstance(s, cst.FunctionDef | cst.ClassDef) and s.name.value == name for s in done.out)


def _changed(node: Any, taken: dict[str, list[str]], listed: dict[str, list[str]]) -> Any:
    change: Callable[[Any], Any] = lambda child: _changed(child, taken, listed)  # noqa: E731
    kind = type(node)
    if kind is cst.ImportFrom and not isinstance(node.names, cst.ImportStar):
        aliases = [b for a in node.names for b in _aliases(a, taken)]
        return node if aliases == list(node.names) else node.with_changes(names=last_plain(aliases))
    if kind in ASSIGNMENTS and _is_all(node):
        return node.with_changes(value=_listed(node.value, listed))
    return rebuild(node, change) if kind in AROUND else node


def _aliases(alias: cst.ImportAlias, taken: dict[str, list[str]]) -> list[cst.ImportAlias]:
    names = taken.get(local_name(alias))
    if names is None or not isinstance(alias.name, cst.Name) or names == [alias.name.value]:
        return [alias]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [alias.with_changes(name=cst.Name(n), comma=comma) for n in names]
    return [*made[:-1], made[-1].with_changes(comma=alias.comma)]


def _is_all(node: cst.Assign | cst.AugAssign | cst.AnnAssign) -> bool:
    target = node.targets[0].target if isinstance(node, cst.Assign) else node.target
    return isinstance(target, cst.Name) and target.value == "__all__"


def _elements(element: Any, listed: dict[str, list[str]]) -> list[Any]:
    value = element.value
    names = listed.get(value.raw_value) if isinstance(value, cst.SimpleString) else None
    if names is None:
        return [element]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [element.with_changes(value=value.with_changes(value=value.quote + n + value.quote), comma=comma)
            for n in names]
    return [*made[:-1], made[-1].with_changes(comma=element.comma)]


def _listed(value: Any, listed: dict[str, list[str]]) -> Any:
    """The same list of strings with other names; with both, where a function is kept beside its class."""
    if isinstance(value, cst.List | cst.Tuple | cst.Set):
        return value.with_changes(elements=[m for e in value.elements for m in _elements(e, listed)])
    return rebuild(value, lambda child: _listed(child, listed)) if value is not None else None
