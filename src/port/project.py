"""Which files of a project import which: told from their text and from what lies on disk; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from port import files
from port.names import FRAMEWORKS, canonical

Key = tuple[int, str, str]  # dots, module, name ('' for `import module`), as the import writes them
_FRAMEWORKS = {root for roots in FRAMEWORKS.values() for root in roots}


@dataclass(frozen=True)
class Target:
    """Where an import leads: a file, and the name in it ('' for the module itself)."""

    path: Path
    name: str = ""


@dataclass(frozen=True)
class Member:
    """One file, with those of its imports that lead to other files of the project."""

    path: Path
    text: str
    targets: Mapping[Key, Target]
    bound: Mapping[str, Key]  # local name -> the import that binds it
    stars: tuple[Path, ...] = ()


def closure(texts: Mapping[Path, str], rows: Callable[[str], bool]) -> dict[Path, Member]:
    """These files and all that they import, directly or not; a file stands behind those that it imports.

    `rows`: is there a row for this symbol, or for something below it? Then the row serves, and no file is followed.
    """
    found: dict[Path, Member] = {}
    open_: set[Path] = set()

    def visit(path: Path, text: str) -> None:
        open_.add(path)
        member = _member(path, text, rows)
        for target in sorted({t.path for t in member.targets.values()} | set(member.stars)):
            if target not in open_ and (other := texts.get(target, _read(target))) is not None:
                visit(target, other)
        found[path] = member

    for path, text in texts.items():
        if path not in open_:
            visit(path, text)
    return {path: _without_missing(member, found) for path, member in found.items()}


def groups(paths: Sequence[Path], rows: Callable[[str], bool]) -> list[list[Path]]:
    """The files in the order given, those together that are tied by imports, be it through files not named."""
    texts = {path: text for path in paths if path.suffix == ".py" and (text := _read(path)) is not None}
    found = closure({path.resolve(): text for path, text in texts.items()}, rows)
    root = {path: path for path in found}

    def top(path: Path) -> Path:
        while root[path] != path:
            path = root[path]
        return path

    for path, member in found.items():
        for target in [*(t.path for t in member.targets.values()), *member.stars]:
            root[top(target)] = top(path)
    together: dict[Path, list[Path]] = {}
    for path in paths:
        known = path.resolve() if path in texts else path
        together.setdefault(top(known) if known in root else known, []).append(path)
    return list(together.values())


def locate(path: Path, level: int, module: str, name: str) -> Target | None:
    """The file that `from <level dots><module> import <name>`, written in the file `path`, leads to."""
    if level:
        parents = list(path.parents)
        if level > len(parents):
            return None
        base = parents[level - 1]
    else:
        base = import_root(path)
        inside = path.relative_to(base).parts
        if len(inside) > 1 and module.split(".")[0] != inside[0]:
            return None  # another package, which only happens to be installed beside this one
    folder = base.joinpath(*module.split(".")) if module else base
    if name and name != "*" and (part := _file(folder / name)) is not None:
        return Target(part) if part != path else None
    own = _file(folder)
    return Target(own, name) if own is not None and own != path else None


def import_root(path: Path) -> Path:
    """The folder from which the module is imported: above the outermost package it is in."""
    folder = path.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _file(module: Path) -> Path | None:
    for path in (module.with_name(module.name + ".py"), module / "__init__.py"):
        if path.is_file():
            return path
    return None


def _read(path: Path) -> str | None:
    """Its text; None if there is none that is Python."""
    try:
        text = files.read(path).text
        ast.parse(text)
        return text
    except (files.FileProblem, SyntaxError, ValueError, RecursionError):
        return None


def _member(path: Path, text: str, rows: Callable[[str], bool]) -> Member:
    targets: dict[Key, Target] = {}
    bound: dict[str, Key] = {}
    stars: list[Path] = []
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):
        nodes = []
    for key, local in _imports(nodes):
        target = _followed(path, key, rows)
        if target is None:
            continue
        if key[2] == "*":
            stars.append(target.path)
        else:
            targets[key] = target
            bound.setdefault(local, key)
    return Member(path, text, targets, bound, tuple(dict.fromkeys(stars)))


def _imports(nodes: Iterable[ast.AST]) -> Iterable[tuple[Key, str]]:
    """(key, local name) of everything that imports bind."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.asname else alias.name.split(".")[0]
                yield (0, module, ""), alias.asname or module
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (node.level, node.module or "", alias.name), alias.asname or alias.name


def _followed(path: Path, key: Key, rows: Callable[[str], bool]) -> Target | None:
    """Where the import leads, if it is followed: the frameworks' own files only to their neighbours without rows."""
    level, module, name = key
    symbol = canonical(f"{module}.{name}" if name else module)
    target = locate(path, level, module, name)
    if target is None or level or symbol.split(".")[0] not in _FRAMEWORKS:
        return target
    return target if target.path.parent == path.parent and name and not rows(symbol) else None


def _without_missing(member: Member, found: Mapping[Path, Member]) -> Member:
    targets = {k: t for k, t in member.targets.items() if t.path in found}
    return Member(member.path, member.text, targets, {n: k for n, k in member.bound.items() if k in targets},
                  tuple(p for p in member.stars if p in found))


def has_rows(symbols: Iterable[str]) -> Callable[[str], bool]:
    """For `closure`: of a table's symbols."""
    return partial(_has, frozenset(symbols))


def _has(symbols: frozenset[str], symbol: str) -> bool:
    return symbol in symbols or any(s.startswith(symbol + ".") for s in symbols)
