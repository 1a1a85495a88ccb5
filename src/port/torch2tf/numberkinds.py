"""Is a number whole? The dtype of a new tensor follows from it."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import literal_text
from port.torch2tf.jobs import Job
from port.torch2tf.pynumbers import is_whole
from port.tree import code


def number_kind(job: Job, name: str) -> str:
    found = job.literal(name)
    if found is ...:
        fact = job.fact(name)
        node = job.bound.args.get(name)
        if is_whole(fact):
            return "int"
        if fact.dtype == "float":
            return "float"
        return _number_text(job, node) if node is not None else ""
    return _kind(found)


def usual_kind(job: Job, name: str) -> str:
    """'float' of a parameter whose default is one, or several: whole numbers that are given act alike among floats."""
    node, function = job.bound.args.get(name), job.w.function
    if not isinstance(node, cst.Name) or function is None or node.value not in function.params:
        return ""
    default = function.defaults.get(node.value)
    try:
        return "float" if default is not None and _kind(literal_text(code(default))) == "float" else ""
    except LookupError:
        return ""


def _number_text(job: Job, node: cst.BaseExpression) -> str:
    """Of arithmetic: a float if there is a division or a float in it, whole if all its parts are."""
    if isinstance(node, cst.BinaryOperation):
        kinds = {_number_text(job, node.left), _number_text(job, node.right)}
        return "float" if isinstance(node.operator, cst.Divide) or "float" in kinds else (
            "int" if kinds <= {"int", "bool"} else "")
    if isinstance(node, cst.UnaryOperation):
        return _number_text(job, node.expression)
    if isinstance(node, cst.List | cst.Tuple) and node.elements:
        kinds = {_number_text(job, e.value) for e in node.elements}
        return "" if "" in kinds else next(k for k in ("float", "int", "bool") if k in kinds)
    fact = job.w.fact(node)
    if is_whole(fact):
        return "int"
    found = fact.literal(...)
    if found is ... and isinstance(node, cst.Call) and fact.symbol == "" and isinstance(node.func, cst.Name):
        return {"len": "int", "int": "int", "float": "float"}.get(node.func.value, "")
    return "" if found is ... else _kind(found)


def _kind(found: Any) -> str:
    while isinstance(found, tuple):
        kinds = {_kind(v) for v in found}
        return "float" if "float" in kinds else "int" if "int" in kinds else "bool" if kinds == {"bool"} else "float"
    return {bool: "bool", int: "int", float: "float"}.get(type(found), "")
