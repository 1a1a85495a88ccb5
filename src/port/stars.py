"""`from keras.layers import *` written out: the names that the file uses, so that later passes see plain imports."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable
from typing import Any

import libcst as cst

from port.foreign import is_foreign
from port.names import FRAMEWORKS, canonical, collect, dotted_name
from port.tree import find, named, rebuild, walk

ROWLESS = {"keras.Model", "keras.Sequential", "keras.Input", "keras.layers.Layer"}


def expand(module: cst.Module, direction: str, known: Collection[str]) -> cst.Module:
    """The module with the star imports of the source's framework written out; `known` are the symbols that have rows.

    A name that nothing in the file binds is taken from the last star import that has a row for it; if none has one,
    it can only come from the framework (a class from its layers), unless other modules are imported with a star too.
    """
    stars = [n for n in find(module, cst.ImportFrom) if isinstance(n.names, cst.ImportStar)]
    ours = {n: dotted_name(n.module) for n in stars if n.module is not None and not n.relative  # type: ignore[arg-type]
            and canonical(dotted_name(n.module)).split(".")[0] in FRAMEWORKS[direction]}  # type: ignore[arg-type]
    if not ours:
        return module
    taken: dict[cst.ImportFrom, list[str]] = {n: [] for n in ours}
    elsewhere = bound(module)
    for name in _free(module):
        fitting = [n for n, base in ours.items() if _has(canonical(f"{base}.{name}"), known, name in elsewhere)]
        if fitting:
            taken[fitting[-1]].append(name)
        elif name not in elsewhere and len(ours) == len(stars):
            classes = [n for n in ours if ours[n].endswith("layers") == name[:1].isupper()]
            taken[(classes or list(ours))[0]].append(name)
    return _written(module, taken)


def modules(module: cst.Module) -> list[str]:
    """The modules of which all names are imported, as the imports write them."""
    return ["." * len(n.relative) + (dotted_name(n.module) if n.module is not None else "")
            for n in find(module, cst.ImportFrom) if isinstance(n.names, cst.ImportStar)]


def unread(module: cst.Module, bases: Iterable[str], given: Collection[str]) -> dict[str, str]:
    """Name -> symbol of what can only come from the last of these modules whose code is not read.

    bases: modules that are imported with a star and are not files of the project. given: names that such files give.
    """
    foreign = [base for base in bases if is_foreign(f"{base}.")]
    if not foreign:
        return {}
    lead = foreign[-1] if foreign[-1].endswith(".") else f"{foreign[-1]}."
    own = bound(module)
    return {name: lead + name for name in _free(module) if name not in own and name not in given}


def bound(module: cst.Module) -> set[str]:
    """Names that anything in the file binds, in whatever scope."""
    found: set[str] = set()
    for node in walk(module):
        if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Param):
            found.add(node.name.value)
        elif isinstance(node, cst.AssignTarget | cst.AnnAssign | cst.For | cst.CompFor | cst.NamedExpr):
            found |= named(node.target)
        elif isinstance(node, cst.AsName):
            found |= named(node.name)
        elif isinstance(node, cst.Global | cst.Nonlocal):
            found |= {i.name.value for i in node.names}
    return found


def _written(node: Any, taken: dict[cst.ImportFrom, list[str]]) -> Any:
    """All nodes but the imports, and what holds them, stay the same objects: findings are placed by them."""
    if isinstance(node, cst.SimpleStatementLine):
        names = [taken.get(s) if isinstance(s, cst.ImportFrom) else None for s in node.body]
        if not any(names):
            return node
        return node.with_changes(body=[s.with_changes(names=[cst.ImportAlias(cst.Name(n)) for n in found])
                                       if found else s for s, found in zip(node.body, names, strict=True)])
    if isinstance(node, cst.Module | cst.IndentedBlock | cst.BaseCompoundStatement | cst.Else | cst.ExceptHandler):
        return rebuild(node, lambda child: _written(child, taken))
    return node


def _has(symbol: str, known: Collection[str], bound: bool) -> bool:
    """Whether there is a row; one for all of a module (`tf.python.*`) does not say that a name of the file is there."""
    if symbol in known and (not bound or symbol in iter(known)):
        return True
    return symbol in ROWLESS or any(k.startswith(symbol + ".") for k in known)


def _free(module: cst.Module) -> list[str]:
    """Names that are read and that no statement of the module itself binds, in alphabetical order."""
    own = set(collect(module).bound) | set(dir(builtins))
    for s in module.body:
        if isinstance(s, cst.FunctionDef | cst.ClassDef):
            own.add(s.name.value)
        elif isinstance(s, cst.SimpleStatementLine):
            own |= {t.value for small in s.body if isinstance(small, cst.Assign | cst.AnnAssign)
                    for t in find(small, cst.Name) if _is_target(small, t)}
    return sorted(_read(module) - own)


def _is_target(small: cst.Assign | cst.AnnAssign, name: cst.Name) -> bool:
    targets = [t.target for t in small.targets] if isinstance(small, cst.Assign) else [small.target]
    return any(n is name for t in targets for n in walk(t))


def _read(module: cst.Module) -> set[str]:
    """Names, but not those of attributes, keywords and definitions."""
    other: set[int] = set()
    found: list[cst.Name] = []
    for node in walk(module):
        if isinstance(node, cst.Attribute):
            other.add(id(node.attr))
        elif isinstance(node, cst.Arg) and node.keyword is not None:
            other.add(id(node.keyword))
        elif isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Param):
            other.add(id(node.name))
        elif isinstance(node, cst.Import | cst.ImportFrom):
            other |= {id(n) for n in walk(node)}
        elif isinstance(node, cst.Name):
            found.append(node)
    return {n.value for n in found if id(n) not in other}
