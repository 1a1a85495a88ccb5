"""Load the user's file in a child, find its lines on the stack, and put its exceptions into one line."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import sys
import traceback
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

# attributes that hold the rate of random draws, when they are floats in (0, 1]
DROPS = ("rate", "dropout", "recurrent_dropout", "_dropout", "stddev", "drop_rate", "drop_path_rate", "drop_prob",
         "drop_path", "dropout_rate", "survival_probability")


def load(path: Path, tag: str) -> ModuleType:
    """The file as a module of a neutral name; its folder comes last on sys.path, so that it shadows nothing."""
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.append(folder)
    name = f"port_case_{tag}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def lines(path: str, owner: Any = None, limit: int = 4) -> list[int]:
    """Lines of the user's file on the stack, innermost first; frames of `owner`'s own methods are left out."""
    frame: FrameType | None = sys._getframe(1)
    found: list[int] = []
    while frame is not None and len(found) < limit:
        if frame.f_code.co_filename == path and frame.f_code.co_name != "<module>" or (
                frame.f_code.co_filename == path and not found):
            if owner is None or frame.f_locals.get("self") is not owner:
                found.append(frame.f_lineno)
        frame = frame.f_back
    return found


def explain(fault: BaseException, path: str) -> str:
    """'line 12: ValueError: ...': the innermost line of the user's file, and the first line of the message."""
    at = [f.lineno for f in traceback.extract_tb(fault.__traceback__) if f.filename == path]
    text = str(fault).strip().splitlines()
    message = text[0][:300] if text else ""
    if message.endswith(":") and len(text) > 1:
        message += " " + next((t.strip() for t in text[1:] if t.strip()), "")[:200]
    last = traceback.extract_tb(fault.__traceback__)[-1] if fault.__traceback__ else None
    inside = f"[{os.path.basename(last.filename)} line {last.lineno}] " if last else ""
    where = f"{os.path.basename(path)} line {at[-1]}: " if at else inside
    return f"{where}{type(fault).__name__}: {message}"


def positional(function: Any) -> list[str]:
    kinds = inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.kind in kinds and p.name not in ("training", "mask")]


def builds(node: ast.FunctionDef, classes: tuple[str, ...]) -> bool:
    """A function without required arguments that returns something and calls one of these classes."""
    args = node.args
    required = len(args.posonlyargs + args.args) - len(args.defaults) + sum(d is None for d in args.kw_defaults)
    calls = {getattr(c.func, "attr", getattr(c.func, "id", "")) for c in ast.walk(node) if isinstance(c, ast.Call)}
    returns = any(isinstance(r, ast.Return) and r.value is not None for r in ast.walk(node))
    return not required and returns and bool(calls & set(classes)) and not calls & {"fit", "train"}
