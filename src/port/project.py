"""Which files of a project import which: told from their text and from what lies on disk; nothing is imported."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

from port import files
from port.symbols import FRAMEWORKS, above, canonical, too_much, uses

Key = tuple[int, str, str]  # dots, module, name ('' for `import module`), as the import writes them
Imports = tuple[tuple[Key, str], ...]  # what the imports of a text bind, each with its local name
Reader = Callable[[str], Imports | None]  # the imports of a text; None if it is not Python
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
    unread: tuple[str, ...] = ()  # modules of star imports that lead to no file of it

    @property
    def leads_to(self) -> set[Path]:
        return {target.path for target in self.targets.values()} | set(self.stars)


def imports(text: str) -> Imports | None:
    """Everything that the imports of a text bind; None if it is not Python, or too much of it."""
    return _scanned(text)[0]


def too_deep(text: str) -> bool:
    """Are its statements or expressions nested so deep that libcst's parser would take minutes, or die of it?"""
    return _scanned(text)[1]


@lru_cache(1 << 12)
def _scanned(text: str) -> tuple[Imports | None, bool]:
    if too_much(text):
        return None, False
    try:
        return tuple(_imports(_statements(ast.parse(text)))), False
    except (SyntaxError, ValueError):
        return None, False
    except (RecursionError, MemoryError):  # Python's own parser gives up at a depth of about 3,000
        return None, True


@lru_cache(1 << 12)
def _lazy(text: str) -> Imports:
    """What only `if TYPE_CHECKING:` imports: an `__init__.py` that gives its names lazily says there what they are."""
    if "TYPE_CHECKING" not in text or imports(text) is None:
        return ()
    checked, rest = [], []
    for node in ast.parse(text).body:
        if isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
            checked += node.body
            rest += node.orelse
        else:
            rest.append(node)
    run = {key for key, _ in _imports(_statements(ast.Module(rest, [])))}
    return tuple(each for each in _imports(_statements(ast.Module(checked, []))) if each[0] not in run)


def closure(texts: Mapping[Path, str], rows: Callable[[str], bool], reader: Reader = imports, through: bool = False,
            packages: Iterable[Path] = (), lazy: bool = False) -> dict[Path, Member]:
    """These files and all that they import, directly or not; a file stands behind those that it imports.

    `rows`: is there a row for this symbol, or for something below it? Then the row serves, and no file is followed.
    `through`: a name from an `__init__.py` that only imports leads to the file that the latter has it from.
    `packages`: those that are followed beside those of the files themselves.
    `lazy`: all that an `__init__.py` gives lazily is followed; else what the others take of it, straight to its file.
    """
    found: dict[Path, Member] = {}
    open_: set[Path] = set()
    followed = frozenset(package(path) for path in texts) | frozenset(packages)

    def member(path: Path) -> Member | None:
        text = texts[path] if path in texts else _read(path, reader)
        return None if text is None else _member(path, text, rows, reader, through, followed, lazy)

    for path in texts:
        _visit(path, member, open_, found)
    return {path: _without_missing(each, found) for path, each in found.items()}


def _visit(path: Path, member: Callable[[Path], Member | None], open_: set[Path], found: dict[Path, Member]) -> None:
    """Adds the file behind those that it leads to; not if it cannot be read, or is looked at already."""
    if path in open_ or (made := member(path)) is None:
        return
    open_.add(path)
    for target in sorted(made.leads_to):
        _visit(target, member, open_, found)
    found[path] = made


def reached(paths: Iterable[Path], members: Mapping[Path, Member]) -> list[Member]:
    """These files and all that they lead to, in a stable order."""
    found: set[Path] = set()
    todo = list(paths)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += members[path].leads_to
    return [members[path] for path in sorted(found)]


def tied(found: Mapping[Path, Member], direction: str) -> dict[Path, Path]:
    """Each file of a closure with one that stands for all those that are translated together with it.

    What holds nothing of the framework, nor imports from what does, ties nothing: no translation looks into it. To
    Keras, functions that work on tensors without naming the framework count as well; a file that only imports, and
    from which nothing is imported, does not: no name changes.
    """
    live = {path for path, member in found.items() if uses(member.text, direction)}
    while more := {p for p, m in found.items() if p not in live and live & m.leads_to}:
        live |= more
    if direction == "torch2tf":
        while more := {o for p in live for o in found[p].leads_to if "def " in found[o].text} - live:
            live |= more
        read = {o for p in live for o in found[p].leads_to}
        live -= {p for p in live - read if only_imports(found[p].text)}
    root = {path: path for path in found}

    def top(path: Path) -> Path:
        while root[path] != path:
            root[path] = path = root[root[path]]
        return path

    for path in live:
        for target in found[path].leads_to & live:
            root[top(target)] = top(path)
    return {path: top(path) for path in found}


def state(path: Path) -> str:
    """A digest of a file, or of those in a folder, and of all that they import; the same wherever the folder lies."""
    named = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    texts = {p.resolve(): text for p in named if (text := _read(p, lambda text: ())) is not None}
    found = sorted(closure(texts, lambda symbol: False, lazy=True).items())
    root = import_root(path.resolve() / "a.py" if path.is_dir() else path.resolve())
    digest = hashlib.blake2b(digest_size=16)
    for place, member in found:
        name = place.relative_to(root).as_posix() if root in place.parents else ""
        digest.update(f"{name}\0{len(member.text)}\0{member.text}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest() if found else ""


@lru_cache(1 << 12)
def only_imports(text: str) -> bool:
    """Does a file nothing but import, and name what it exports?"""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(s, ast.Import | ast.ImportFrom) or (isinstance(s, ast.Expr) and isinstance(
        s.value, ast.Constant)) or (isinstance(s, ast.Assign | ast.AugAssign) and not any(
            isinstance(n, ast.Call | ast.Attribute) for n in ast.walk(s.value))) for s in body)


def hands_on(text: str) -> bool:
    """Does a file nothing but import, and nothing of PyTorch's own packages? Another's name may hold theirs."""
    if not only_imports(text):
        return False
    lines = [s for s in ast.parse(text).body if isinstance(s, ast.Import | ast.ImportFrom)]
    modules = [s.module for s in lines if isinstance(s, ast.ImportFrom) and s.module and not s.level]
    return not any(name.startswith("torch") for name in (*modules, *(a.name for s in lines for a in s.names)))


def locate(path: Path, level: int, module: str, name: str, packages: Container[Path] = ()) -> Target | None:
    """The file that `from <level dots><module> import <name>`, written in the file `path`, leads to.

    A package leads to no other one beside it, which only happens to be installed there, unless it is among `packages`.
    """
    if level:
        parents = list(path.parents)
        if level > len(parents):
            return None
        base = parents[level - 1]
    else:
        base = import_root(path)
        inside, first = path.relative_to(base).parts, module.split(".")[0]
        if len(inside) > 1 and first != inside[0] and base / first not in packages:
            return None
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


def package(path: Path) -> Path:
    """The outermost package that a file is in; the file itself where it is in none."""
    base = import_root(path)
    return base / path.relative_to(base).parts[0]


def _file(module: Path) -> Path | None:
    for path in (module.with_name(module.name + ".py"), module / "__init__.py"):
        if path.is_file():
            return path
    return None


def _read(path: Path, reader: Reader) -> str | None:
    """Its text; None if there is none that is Python."""
    try:
        text = files.read(path).text
    except files.FileProblem:
        return None
    return text if reader(text) is not None else None


def _member(path: Path, text: str, rows: Callable[[str], bool], reader: Reader, through: bool,
            packages: Container[Path], lazy: bool) -> Member:
    targets: dict[Key, Target] = {}
    bound: dict[str, Key] = {}
    stars: list[Path] = []
    unread: list[str] = []
    given = {key for key, _ in _lazy(text)} if path.name == "__init__.py" and not lazy else ()
    for key, local in reader(text) or ():
        if key in given:
            continue
        target = _followed(path, key, rows, packages)
        if target is not None and not lazy:
            target = _source(target, rows, packages, through)
        if target is None:
            unread += ["." * key[0] + key[1]] if key[2] == "*" else []
        elif key[2] == "*":
            stars.append(target.path)
        else:
            targets[key] = target
            bound.setdefault(local, key)
    return Member(path, text, targets, bound, tuple(dict.fromkeys(stars)), tuple(unread))


def _statements(module: ast.AST) -> Iterable[ast.AST]:
    """All statements, wherever they stand; expressions hold no imports, and are most of a tree."""
    todo = [module]
    for node in todo:  # those of the module before those of functions
        yield node
        for name in ("body", "handlers", "cases", "orelse", "finalbody"):
            below = getattr(node, name, None)
            todo += below if isinstance(below, list) else []


def _imports(nodes: Iterable[ast.AST]) -> Iterable[tuple[Key, str]]:
    """(key, local name) of everything that imports bind; `import a.b` gives `a.b` under this name besides."""
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                for module in [alias.name] if alias.asname else above(alias.name):
                    yield (0, module, ""), alias.asname or module
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (node.level, node.module or "", alias.name), alias.asname or alias.name


def _source(target: Target, rows: Callable[[str], bool], packages: Container[Path], through: bool) -> Target:
    """Past `__init__.py` files that give the name lazily, or only import it (`through`)."""
    seen = {target}
    while target.name not in ("", "*") and target.path.name == "__init__.py":
        text = _read(target.path, imports)
        if text is None:
            return target
        keys = [key for key, local in _lazy(text) if local == target.name]
        found = None
        if keys:
            found = _followed(target.path, keys[0], rows, packages)
        elif through and only_imports(text):
            keys = [key for key, local in imports(text) or () if local == target.name]
            found = (_followed(target.path, keys[0], rows, packages) if keys
                     else _through_star(target, text, rows, packages))
        if found is None or found in seen:
            return target
        target = found
        seen.add(target)
    return target


def _through_star(target: Target, text: str, rows: Callable[[str], bool], packages: Container[Path]) -> Target | None:
    """The name in the last file that an `__init__.py` takes all names from, and that has it."""
    for key, _ in reversed(imports(text) or ()):
        found = _followed(target.path, key, rows, packages) if key[2] == "*" else None
        if found is not None and target.name in _public(_read(found.path, imports) or ""):
            return Target(found.path, target.name)
    return None


@lru_cache(1 << 12)
def _public(text: str) -> frozenset[str]:
    """What a star import takes of this text, as far as it is written there at the top."""
    body = ast.parse(text).body
    targets = [t for s in body for t in (s.targets if isinstance(s, ast.Assign) else [s.target] if isinstance(
        s, ast.AnnAssign) else [])]
    names = {t.id for t in targets if isinstance(t, ast.Name)} | {
        s.name for s in body if isinstance(s, ast.FunctionDef | ast.ClassDef)}
    listed = [s.value for s in body if isinstance(s, ast.Assign) and any(
        isinstance(t, ast.Name) and t.id == "__all__" for t in s.targets)]
    if not listed:
        return frozenset(n for n in names if not n.startswith("_"))
    try:
        return frozenset(names & set(ast.literal_eval(listed[-1])))
    except ValueError:
        return frozenset()


def _followed(path: Path, key: Key, rows: Callable[[str], bool], packages: Container[Path]) -> Target | None:
    """Where the import leads, if it is followed: the frameworks' own files only to their neighbours without rows."""
    level, module, name = key
    symbol = canonical(f"{module}.{name}" if name else module)
    target = locate(path, level, module, name, packages)
    if target is not None and target.name and not level and rows(symbol):
        return None
    if target is None or level or symbol.split(".")[0] not in _FRAMEWORKS:
        return target
    return target if target.path.parent == path.parent and name and not rows(symbol) else None


def _without_missing(member: Member, found: Mapping[Path, Member]) -> Member:
    targets = {k: t for k, t in member.targets.items() if t.path in found}
    return Member(member.path, member.text, targets, {n: k for n, k in member.bound.items() if k in targets},
                  tuple(p for p in member.stars if p in found), member.unread)


def has_rows(symbols: Iterable[str]) -> Callable[[str], bool]:
    """For `closure`: of a table's symbols."""
    return partial(_has, frozenset(symbols))


def _has(symbols: frozenset[str], symbol: str) -> bool:
    return symbol in symbols or any(s.startswith(symbol + ".") for s in symbols)
