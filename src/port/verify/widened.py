"""The user's files as they are imported for a float64 run: where they write float32, that run has float64.

`x.float()`, `dtype=torch.float32`, `tf.cast(x, tf.float32)` mean the float of the model in code that is trained in
float32. Left as they are, both sides would round at such places, each in its own way, and float64 would prove nothing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

NARROW, WIDE = "float32", "float64"
TYPES = {"FloatTensor": "DoubleTensor", NARROW: WIDE}  # attributes, and names that are imported
TAKING = ("cast", "astype", "array", "asarray", "constant", "convert_to_tensor")  # a dtype may be their second argument
MENTIONS = re.compile(r"float32|\.float\(\)|torch\.float\b|FloatTensor")
INSTALLED = {"site-packages", "dist-packages"}
LIMITS = ("finfo",)  # they ask what float32 can hold


class _Widen(ast.NodeTransformer):
    """`changed`: was there anything?"""

    def __init__(self, torch: set[str]):
        self.torch, self.changed = torch, False

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        new = TYPES.get(node.attr)
        if node.attr == "float" and isinstance(node.value, ast.Name) and node.value.id in self.torch:
            new = WIDE
        return self._as(node, ast.Attribute(node.value, new, node.ctx)) if new else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in LIMITS:
            return node
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and name == "float" and self.torch and not (node.args or node.keywords):
            node.func = self._as(node.func, ast.Attribute(node.func.value, "double", ast.Load()))
        if name in TAKING:
            node.args[1:] = [self._text(a) for a in node.args[1:]]
            if name == "astype":
                node.args = [self._text(a) for a in node.args]
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        self.generic_visit(node)
        if node.arg in ("dtype", "param_dtype", "out_type"):
            node.value = self._text(node.value)
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        self.generic_visit(node)
        given = [*node.posonlyargs, *node.args]
        for i, arg in enumerate(given[len(given) - len(node.defaults):]):
            if arg.arg == "dtype":
                node.defaults[i] = self._text(node.defaults[i])
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        for alias in node.names:
            if alias.name in TYPES:
                alias.asname, alias.name, self.changed = alias.asname or alias.name, TYPES[alias.name], True
        return node

    def _text(self, node: ast.expr) -> ast.expr:
        return self._as(node, ast.Constant(WIDE)) if isinstance(node, ast.Constant) and node.value == NARROW else node

    def _as(self, old: ast.AST, new: Any) -> Any:
        self.changed = True
        return ast.copy_location(new, old)


def widen(tree: ast.Module) -> bool:
    """Change the tree in place; was there anything to change?"""
    names = {(alias.asname or alias.name).partition(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import)
             for alias in n.names if alias.name.partition(".")[0] == "torch"}
    found = _Widen(names | {"torch"} if names or _from_torch(tree) else set())
    found.visit(tree)
    ast.fix_missing_locations(tree)
    return found.changed


def _from_torch(tree: ast.Module) -> bool:
    return any(isinstance(n, ast.ImportFrom) and (n.module or "").partition(".")[0] == "torch" for n in ast.walk(tree))


def writes(path: Path, name: str = "") -> bool:
    """Does the file, or the package of the module `name`, mention float32? Then TensorFlow's own is widened as well."""
    at = name.count(".") - 1 + (path.name == "__init__.py")
    files = path.parents[at].rglob("*.py") if name and at >= 0 else [path]
    return any(MENTIONS.search(file.read_text(encoding="utf-8", errors="replace")) for file in files if file.is_file())


class Loader(SourceFileLoader):
    """Compiles the changed tree; lines stay where they are, and no bytecode is read or kept."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        if widen(tree):
            CHANGED.add(path)
        return compile(tree, path, "exec", dont_inherit=True)


CHANGED: set[str] = set()  # files of this process in which something was changed


class _Finder:
    """Modules below a folder of the user's, widened or not; `found`: their names."""

    def __init__(self, root: Path, wide: bool):
        self.root, self.wide = root, wide
        self.found: set[str] = set()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
                  ) -> ModuleSpec | None:
        if name.partition(".")[0] in (*sys.stdlib_module_names, __name__.partition(".")[0]):
            return None
        spec = PathFinder.find_spec(name, path, target)
        origin = Path(spec.origin) if spec is not None and spec.origin else None
        if origin is None or self.root not in origin.parents or INSTALLED & set(origin.parts[len(self.root.parts):]):
            return None
        self.found.add(name)
        if self.wide and spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = Loader(name, str(origin))
        return spec


def below(root: Path, wide: bool) -> None:
    """From now on modules below this folder are imported anew, with float32 widened or as it is."""
    for finder in [f for f in sys.meta_path if isinstance(f, _Finder)]:
        for name in finder.found:
            sys.modules.pop(name, None)
        sys.meta_path.remove(finder)
    sys.meta_path.insert(0, _Finder(root, wide))  # type: ignore[arg-type]
