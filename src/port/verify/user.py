"""Load the user's file in a child, find its lines on the stack, and put its exceptions into one line."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from . import widened

FRAMEWORKS = ("tensorflow", "keras", "tf_keras", "torch")
CELL = re.compile(r"__cell__ = (\d+)")  # begins each cell of a notebook, which comes here as one module
Line = int | str  # of a file; of a notebook as 'cell 3 line 2'


def load(path: Path, dtype: str, name: str = "") -> ModuleType:
    """The file as a module of a neutral name; its folder comes last on sys.path, so that it shadows nothing.

    With a dotted `name`, it is imported as that module of its package. For float64, float32 is widened in it.
    """
    wide = dtype == widened.WIDE
    widened.below(_top(path, name), wide)
    if name:
        return _imported(path, name)
    level = _levels(path)
    for folder in (import_root(path), path.parent, *list(path.parents)[1:level + 1]):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    name = f"port_case_{dtype}"
    if path.suffix == ".ipynb":
        return _notebook(path, name, wide)
    loader = widened.Loader(name, str(path)) if wide else None
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if level:  # `from .blocks import Block`: the folders above the file are its package
        module.__package__ = ".".join(reversed([p.name for p in list(path.parents)[:level]]))
    spec.loader.exec_module(module)
    return module


def _top(path: Path, name: str) -> Path:
    """The folder that holds all that is the user's: above the package, or that of the file."""
    return path.parents[name.count(".") + (path.name == "__init__.py")] if name else import_root(path)


def _notebook(path: Path, name: str, wide: bool) -> ModuleType:
    """Cell by cell: where one stops the others go on, as in a notebook, and `port_stopped` says where and why.

    A cell that trains or downloads need not run for a model to be verified; what depends on it fails by its name.
    """
    module = ModuleType(name)
    module.__file__ = str(path)
    module.port_stopped = []  # type: ignore[attr-defined]
    sys.modules[name] = module
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if wide and widened.widen(tree):
        widened.CHANGED.add(str(path))
    for cell in _cells(tree):
        try:
            exec(compile(cell, str(path), "exec"), vars(module))
        except Exception as fault:
            module.port_stopped.append(explain(fault, str(path)))  # type: ignore[attr-defined]
    return module


def _cells(tree: ast.Module) -> Iterator[ast.Module]:
    part: list[ast.stmt] = []
    for statement in tree.body:
        if CELL.fullmatch(ast.unparse(statement)):
            yield ast.Module(part, [])
            part = []
        part.append(statement)
    yield ast.Module(part, [])


def stopped(module: ModuleType | None, side: str) -> list[str]:
    """Notes on the cells of a notebook that did not run to their end."""
    return [f"a cell of the {side} did not run to its end: {text}" for text in getattr(module, "port_stopped", ())]


def _imported(path: Path, name: str) -> ModuleType:
    """`name` from the tree that `path` lies in, its whole package anew: modules keep what another dtype left there."""
    top, root = name.partition(".")[0], _top(path, name)
    for known in [m for m in sys.modules if m == top or m.startswith(top + ".")]:
        del sys.modules[known]
    if str(root) not in sys.path:
        sys.path.append(str(root))
    elsewhere = importlib.util.find_spec(top)
    if elsewhere is None or root not in Path(elsewhere.origin or "").parents:
        sys.path.insert(0, str(root))  # another one of this name is installed
    module = importlib.import_module(name)
    if Path(module.__file__ or "") != path:
        raise ImportError(f"{name} is {module.__file__}, not {path}")
    return module


def _levels(path: Path) -> int:
    """How many folders up the relative imports of this file reach."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return max((n.level for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)), default=0)


def import_root(path: Path) -> Path:
    """The folder above the outermost package that the file is in."""
    folder = path.parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def lines(path: str, owner: Any = None, limit: int = 4) -> list[Line]:
    """Lines of the user's file on the stack, innermost first; frames of `owner`'s own methods are left out."""
    frame: FrameType | None = sys._getframe(1)
    found: list[Line] = []
    while frame is not None and len(found) < limit:
        here = frame.f_code.co_filename == path and (frame.f_code.co_name != "<module>" or not found)
        if here and (owner is None or frame.f_locals.get("self") is not owner):
            found.append(line(path, frame.f_lineno or 0))
        frame = frame.f_back
    return found


def line(path: str, number: int) -> Line:
    """The line as it is told: of a notebook that of its cell."""
    above = [(at, cell) for at, cell in _marks(path) if at < number] if path.endswith(".ipynb") else []
    return f"cell {above[-1][1]} line {number - above[-1][0]}" if above else number


@cache
def _marks(path: str) -> list[tuple[int, str]]:
    """(line, cell) of the marks that begin the cells."""
    text = Path(path).read_text(encoding="utf-8").split("\n")
    return [(at, match[1]) for at, one in enumerate(text, 1) if (match := CELL.fullmatch(one))]


def told(at: Line) -> str:
    return f"line {at}" if isinstance(at, int) else at


def plain(text: str) -> str:
    """Without the codes for colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def explain(fault: BaseException, path: str) -> str:
    """'line 12: ValueError: ...': the innermost line of the user's file, and the first line of the message."""
    at = [f.lineno for f in traceback.extract_tb(fault.__traceback__) if f.filename == path]
    text = plain(str(fault)).strip().splitlines()
    if text and text[0].startswith("Exception encountered when calling") and len(text) > 1:  # Keras' wrapping
        text = [t for t in text[1:] if t.strip()]
    message = text[0][:300] if text else ""
    if message.endswith(":") and len(text) > 1:
        message += " " + next((t.strip() for t in text[1:] if t.strip()), "")[:200]
    if isinstance(fault, ModuleNotFoundError) and (fault.name or "").partition(".")[0] in FRAMEWORKS:
        message += "; the port still needs it where parts were refused: translate those, or install it beside the other"
    last = traceback.extract_tb(fault.__traceback__)[-1] if fault.__traceback__ else None
    inside = f"[{os.path.basename(last.filename)} line {last.lineno}] " if last else ""
    where = f"{os.path.basename(path)} {told(line(path, at[-1] or 0))}: " if at else inside
    return f"{where}{type(fault).__name__}: {message}"


def positional(function: Any, hidden: tuple[str, ...] = ("training", "mask")) -> list[str]:
    """Names of the parameters that may be given by position, without those of Keras' own."""
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.kind in kinds and p.name not in hidden]


def builders(module: ModuleType, made: set[str]) -> list[str]:
    """Functions without required arguments that return something and call one of `made`, or another that does."""
    found = [n for n in ast.parse(inspect.getsource(module)).body if isinstance(n, ast.FunctionDef) and _returns(n)]
    known = set(made)
    while more := {n.name for n in found if n.name not in known and _called(n) & known}:
        known |= more
    return [n.name for n in found if n.name in known and not _required(n.args) and not _called(n) & {"fit", "train"}]


def roots(module: ModuleType, classes: set[str]) -> list[str]:
    """Those of `classes` that nothing else in the file mentions, and whose constructor needs no argument."""
    tree = ast.parse(inspect.getsource(module))
    used = {n.id for statement in tree.body for n in ast.walk(statement)
            if isinstance(n, ast.Name) and n.id in classes and n.id != getattr(statement, "name", "")}
    return [n.name for n in tree.body if isinstance(n, ast.ClassDef) and n.name in classes - used
            and not needs(vars(module)[n.name])]


def needs(function: Any) -> bool:
    """Has it parameters without defaults?"""
    kinds = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD
    return any(p.default is p.empty and p.kind not in kinds for p in inspect.signature(function).parameters.values())


def _returns(node: ast.FunctionDef) -> bool:
    return any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(node))


def _called(node: ast.FunctionDef) -> set[str]:
    return {getattr(n.func, "attr", getattr(n.func, "id", "")) for n in ast.walk(node) if isinstance(n, ast.Call)}


def _required(args: ast.arguments) -> int:
    return len(args.posonlyargs + args.args) - len(args.defaults) + sum(d is None for d in args.kw_defaults)
