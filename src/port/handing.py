"""Under which keys modules of the framework are handed over as values: `kwargs['layers'] = keras.layers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from port import names
from port.tree import find, walk

MODULES = {"activations", "applications", "backend", "constraints", "initializers", "layers", "losses", "metrics",
           "models", "optimizers", "regularizers", "utils"}
Keys = Mapping[str, str]  # under which name which module is handed over


def bound_names(module: cst.Module) -> names.Names:
    """What names of the file stand for; also one that is None until a function gives it its module by `global`."""
    found = names.collect(module)
    lines = [n for n in find(module, cst.Assign) if len(n.targets) == 1] if find(module, cst.Global) else []
    empty = {names.dotted_name(n.targets[0].target) for n in lines if is_none(n.value)}
    for name in {a.name.value for n in find(module, cst.Global) for a in n.names} & empty:
        given = {found.resolve(n.value) for n in lines
                 if names.dotted_name(n.targets[0].target) == name and not is_none(n.value)}
        if len(given) == 1 and name not in found.bound and (symbol := given.pop()):
            found.bound[name] = symbol
    return found


def is_none(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


ENTRIES = (cst.DictElement, cst.Assign)


def handed(units: Sequence[Any], bound: Mapping[Any, names.Names]) -> dict[str, str]:
    """The keys of dicts that have modules of the framework for values; those of one meaning only."""
    found: dict[str, set[str]] = {}
    for unit in units:
        for node in [n for n in walk(unit.module) if type(n) in ENTRIES]:
            key, value = entry(node)
            if key and (symbol := bound[unit].resolve(value)).partition(".")[2] in MODULES:
                found.setdefault(key, set()).add(symbol)
    return {key: next(iter(symbols)) for key, symbols in found.items()
            if len(symbols) == 1 and next(iter(symbols)).startswith("keras.")}


def entry(node: Any) -> tuple[str, Any]:
    """Key and value of `{'layers': x}` and of `kwargs['layers'] = x`."""
    if type(node) is cst.DictElement:
        return text(node.key), node.value
    if type(node) is cst.Assign and len(node.targets) == 1:
        return subscript(node.targets[0].target), node.value
    return "", None


def subscript(node: Any) -> str:
    fits = isinstance(node, cst.Subscript) and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index)
    return text(node.slice[0].slice.value) if fits else ""


def text(node: Any) -> str:
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else ""
    return value if isinstance(value, str) else ""
