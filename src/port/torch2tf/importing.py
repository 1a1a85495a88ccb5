"""Imports of the output: Keras in the place of PyTorch, and what the helpers need."""

from __future__ import annotations

import collections
import sys
from typing import Any

import libcst as cst

from port import imports, siblings
from port.build import expression
from port.names import dotted_name, import_bindings, is_import
from port.scopes import File
from port.tree import find, loads

LINES = {"keras": "import keras", "tf": "import tensorflow as tf"}
ROOTS = ("torch", "torchvision")
SHORT = {"import keras": "keras", "import tensorflow as tf": "tf", "import numpy as np": "np", "import math": "math",
         "import collections": "collections"}


def local(w: Any, node: cst.Import | cst.ImportFrom) -> list[Any]:
    """An import inside a function, or of a `try` of the module, whose names may be there for other files alone."""
    if imports.is_framework(node, roots(w.it.file)):
        inside = w.function is not None or w.cls is not None
        return [] if inside or not import_bindings(node).keys() - _read(w.it.module) else [node]
    return [with_einops(node)]


def _read(module: cst.Module) -> frozenset[str]:
    return frozenset[str]().union(*(loads(s) for s in module.body if not isinstance(s, cst.Try) and not is_import(s)))


def defined_instead(w: Any, node: Any) -> list[Any]:
    """What a file defines where PyTorch has no such function: `try: from torch import _assert / except ...: def ...`.

    Empty if nothing reads it, or it is no such place.
    """
    if not imports.is_fallback(node, ROOTS) or len(node.handlers) != 1:
        return []
    names = {n for line in node.body.body for small in line.body for n in import_bindings(small)}
    inner = list(node.handlers[0].body.body)
    own = {d.name.value for d in inner if isinstance(d, cst.FunctionDef | cst.ClassDef)}
    return inner if own == names and len(own) == len(inner) and names & (_read(w.it.module) | w.exported) else []


def roots(file: File) -> tuple[str, ...]:
    """Packages that the output does without; the one that is ported itself is none of them."""
    nodes: list[Any] = [*find(file.module, cst.Import), *find(file.module, cst.ImportFrom)]
    found = {name.split(".")[0] for node in nodes for bound, name in import_bindings(node).items()
             if bound in file.links}
    return tuple(root for root in ROOTS if root not in found)


def with_einops(node: Any) -> Any:
    """einops has the same layers for Keras."""
    if isinstance(node, cst.ImportFrom) and node.module is not None and dotted_name(node.module).startswith(
            "einops.layers.torch"):
        return node.with_changes(module=expression("einops.layers.keras"))
    return node


def rewrite(w: Any, body: list[Any], originals: list[Any], blocks: list[Any]) -> list[Any]:
    """The module with its imports and helpers."""
    body = [s.with_changes(body=[with_einops(b) for b in s.body])
            if isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.ImportFrom) else s for s in body]
    body = [s for s in (_without_passed_on(s, passed_on(w.it.file)) for s in body) if s is not None]
    body = _without_unused(body, originals, blocks, w.exported)
    names = sorted(w.needs & {"initializers", "layers"})
    extra = {f"from keras import {', '.join(names)}"} if names else set()
    extra |= w.lines
    own = {name for node in originals if is_import(node) for small in node.body for name in import_bindings(small)
           } - passed_on(w.it.file)
    extra |= {w.original_imports[name] for name in w.top_level - own if name in w.original_imports}
    if "np" in w.needs and w.it.names.bound.get("np") != "numpy":
        extra.add("import numpy as np")
    return imports.rewrite(body, originals, w, blocks, extra, roots(w.it.file), LINES)


def passed_on(file: File) -> frozenset[str]:
    """Names for PyTorch and its parts that the file imports from another file of the project, which imports them."""
    return frozenset(n for n in file.links if file.names.bound.get(n, "").split(".")[0] in ROOTS)


def _without_passed_on(node: Any, names: frozenset[str]) -> Any:
    """Without them: the other file no longer has them. None if nothing is left."""
    if not names or not is_import(node) or len(node.body) != 1 or isinstance(node.body[0].names, cst.ImportStar):
        return node
    aliases = list(node.body[0].names)
    kept = [a for a in aliases if siblings.local_name(a) not in names]
    if len(kept) == len(aliases):
        return node
    return node.with_changes(body=[node.body[0].with_changes(names=siblings.last_plain(kept))]) if kept else None


def _without_unused(body: list[Any], originals: list[Any], blocks: list[Any], exported: frozenset[str]) -> list[Any]:
    """Imports of the standard library that only code which is gone has used."""
    standard = [_standard(node) for node in body]
    if not any(standard):
        return body
    before, after = _variables(originals), _variables([*body, *blocks]) | exported
    out: list[Any] = []
    carried: list[Any] = []
    for node, bound in zip(body, standard, strict=True):
        if bound and bound <= before - after:
            carried = carried or list(node.leading_lines)
            continue
        if carried and is_import(node) and not node.leading_lines:
            node = node.with_changes(leading_lines=carried)
        carried = []
        out.append(node)
    return out


def _standard(node: Any) -> frozenset[str]:
    """What an import binds that is of the standard library alone; nothing for any other statement."""
    bound = import_bindings(node.body[0]) if is_import(node) and len(node.body) == 1 else {}
    standard = all(target.split(".")[0] in sys.stdlib_module_names for target in bound.values())
    return frozenset(bound) if standard else frozenset()


def _variables(body: list[Any]) -> set[str]:
    """Names that are read, without those of attributes."""
    count: collections.Counter[str] = collections.Counter()
    for part in body:
        if not is_import(part):
            count.update([n.value for n in find(part, cst.Name)])
            count.subtract([n.attr.value for n in find(part, cst.Attribute)])
    return {name for name, times in count.items() if times > 0}


def helper_blocks(w: Any) -> list[Any]:
    """Definitions of the helpers that the file uses, those first that others need."""
    blocks: list[Any] = []
    for name in imports.helper_order(list(w.helpers), "keras"):
        _, lines, _ = imports.helper_source(name, "keras")
        for line in lines:
            if line in SHORT:
                w.need(SHORT[line])
            elif line.startswith("from keras import ") and w.layers == "layers":
                w.need(*(n.strip() for n in line.removeprefix("from keras import ").split(",")))
            elif not line.startswith("from keras import "):
                w.lines.add(line)
        spelled = w.layers == "keras.layers"
        blocks += imports.helper_body(name, "keras", spelled)
        if spelled:
            w.need("keras")
    return blocks


def bindings(node: Any) -> dict[str, str]:
    return import_bindings(node)
