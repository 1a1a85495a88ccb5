"""Which names of a file stand for one number: a hint says so, or a use that only a number allows."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tree import code, walk

ARITHMETIC = (cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power, cst.Subtract)
SIZES = {"Linear": 2, "Embedding": 2, "Conv1d": 2, "Conv2d": 2, "Conv3d": 2, "BatchNorm1d": 1, "BatchNorm2d": 1,
         "GroupNorm": 2, "LSTM": 2, "GRU": 2, "Bilinear": 3, "MultiheadAttention": 2}  # leading arguments


def named_numbers(w: Any) -> frozenset[str]:
    """Last words of names and attributes that stand for numbers everywhere in the file."""
    it = getattr(w, "it", None)
    if it is None:
        return frozenset()
    if "numbers" not in it.notes:
        it.notes["numbers"] = frozenset(_collect(it.module))
    return it.notes["numbers"]  # type: ignore[no-any-return]


def last_word(node: cst.BaseExpression) -> str:
    return node.value if isinstance(node, cst.Name) else node.attr.value if isinstance(node, cst.Attribute) else ""


def _collect(module: cst.Module) -> set[str]:
    found: set[str] = set()
    denied: set[str] = set()
    for node in walk(module):
        if (type(node) is cst.Param or type(node) is cst.AnnAssign) and node.annotation is not None:
            hint = code(node.annotation.annotation)
            name = last_word(node.name if isinstance(node, cst.Param) else node.target)
            (found if hint == "int" else denied if any(t in hint for t in ("Tuple", "tuple", "List", "list", "Sequence",
                                                                           "Union")) else set()).add(name)
        elif type(node) is cst.BinaryOperation and _number(node):
            found |= {last_word(node.left), last_word(node.right)}
        elif type(node) is cst.Call:
            found |= _sizes(node)
        elif type(node) is cst.Subscript:
            denied.add(last_word(node.value))
        elif type(node) is cst.Assign and isinstance(node.value, cst.BinaryOperation) and _number(node.value):
            found |= {last_word(t.target) for t in node.targets if isinstance(t.target, cst.Name | cst.Attribute)}
    return (found - denied) - {""}


def _number(node: cst.BinaryOperation) -> bool:
    """Arithmetic that sequences do not have."""
    return isinstance(node.operator, ARITHMETIC) or (isinstance(node.operator, cst.Multiply) and not _sequence(
        node.left) and not _sequence(node.right))


def _sequence(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.List | cst.Tuple | cst.SimpleString | cst.ListComp)


def _sizes(node: cst.Call) -> set[str]:
    name = last_word(node.func) if isinstance(node.func, cst.Name | cst.Attribute) else ""
    if name == "range":
        return {last_word(a.value) for a in node.args}
    count = SIZES.get(name, 0)
    return {last_word(a.value) for a in node.args[:count] if a.keyword is None and not a.star}
