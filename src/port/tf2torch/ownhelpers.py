"""Helpers that `port torch2tf` writes into its output, read back as the PyTorch layer or function that they stand for.

A definition is a helper if it is that of `helpers/keras`, comments and spacing aside, and its imports are those of the
helper. It leaves the file before it is read; its name then stands for `helpers.<name>`, which has a row
(`mappings/keras_helpers.yaml`). What is edited, imported by another file, or used by code that stays in Keras is
ordinary code of the user's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import libcst as cst

from port import imports
from port.table import by_tf_name
from port.tree import code, loads, named
from port.units import Unit

Definition = cst.FunctionDef | cst.ClassDef
PACKED = "PackedSequence"  # a file that packs sequences gives its recurrent helpers what torch's do not know
SYMBOLS = {"keras": "keras", "layers": "keras.layers", "initializers": "keras.initializers", "tf": "tf"}


def recognise(units: Sequence[Unit]) -> None:
    """Take the helpers out of the units, which know them by name from then on."""
    linked = {link for unit in units for link in unit.links.values()}
    starred = {other for unit in units for other in unit.stars}
    for unit in units:
        own = {} if unit in starred else _found(unit)
        own = {name: node for name, node in own.items() if (unit, name) not in linked}
        if own:
            gone = set(own.values())
            unit.whole, unit.own = unit.module, {name: f"helpers.{name}" for name in own}
            unit.module = unit.module.with_changes(body=[s for s in unit.module.body if s not in gone])
            unit.again()


def forget(units: Sequence[Unit], kept: Iterable[cst.CSTNode]) -> bool:
    """Put the helpers back into units if code that stays in Keras uses them; True if there are such."""
    used = {name for node in kept for name in named(node)}
    wrong = [unit for unit in units if unit.whole is not None and used & unit.own.keys()]
    for unit in wrong:
        assert unit.whole is not None
        unit.module, unit.whole, unit.own = unit.whole, None, {}
        unit.again()
    return bool(wrong)


def _found(unit: Unit) -> dict[str, Definition]:
    """The helpers that have a row, and those that only they need."""
    tops = [s for s in unit.module.body if isinstance(s, Definition)]
    names = [s.name.value for s in tops]
    same = {s.name.value: s for s in tops if names.count(s.name.value) == 1 and _is_helper(unit, s)}
    if PACKED in names:
        return {}
    rows = by_tf_name()
    found = {name: node for name, node in same.items() if f"helpers.{name}" in rows and _needs(name) <= same.keys()}
    inner = {need for name in found for need in _needs(name)} - found.keys()
    gone = {id(same[name]) for name in (*found, *inner)}
    read = {n for s in unit.module.body if id(s) not in gone for n in loads(s)}
    return found | {name: same[name] for name in inner if name not in read}


def _needs(name: str) -> frozenset[str]:
    """Helpers that a helper uses, through each other too."""
    return frozenset(imports.helper_order([name], "keras")) - {name}


def _is_helper(unit: Unit, node: Definition) -> bool:
    name = node.name.value
    if not (imports.HELPERS / "keras" / f"{name}.py").exists() or _shape(code(node)) not in _shapes(name):
        return False
    return all(unit.bound.bound.get(word) == SYMBOLS[word] for word in loads(node) & SYMBOLS.keys())


@cache
def _shapes(name: str) -> tuple[str, str]:
    """The helper as it is written, and for a file that says `keras.layers`."""
    text = imports.helper_source(name, "keras")[2]
    return _shape(text), _shape(imports.spelled_out(text))


def _shape(text: str) -> str:
    """A definition without comments, spacing and docstrings."""
    tree: Any = ast.parse(text)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and body and isinstance(body[0], ast.Expr) and isinstance(
                body[0].value, ast.Constant):
            node.body = body[1:]
    return ast.dump(tree)
