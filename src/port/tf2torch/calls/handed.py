"""Functions that are handed on, to tf.map_fn or tf.nest.map_structure: nothing says what axes they are called with."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Kind, Layout
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Function, GraphModel, Instance, LayerCall, SequentialModel, find_method
from port.tree import code, walk


def check_handed(em: Emitter, function: cst.BaseExpression, node: cst.CSTNode) -> None:
    """Refuse a function that works on channels first: it is given tensors with their axes as in the source."""
    lambda_ = isinstance(function, cst.Lambda)
    for n in walk(function.body) if lambda_ else (function,):  # type: ignore[attr-defined]
        if not isinstance(n, cst.Name | cst.Attribute | cst.Call):
            continue
        fact = em.fact(n)
        if fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED and fact.rank not in (0, 1, 2):
            raise Refused("P209", f"`{code(n)}` is channels first in a function that is handed on: write a loop", node)
        if works_on_first(em, fact.payload):
            raise Refused("P209", f"`{code(n)}` works on channels first, and who is handed on is called with channels "
                          "last: write a loop", node)


def works_on_first(em: Emitter, payload: Any) -> bool:
    """May it be given images channels first?"""
    if isinstance(payload, LayerCall):
        rows = em.it.rows.get(payload.symbol)
        return not rows or any(row.layout for row in rows)
    if isinstance(payload, Function):
        return bool(payload.flipped) or payload in em.classes
    if isinstance(payload, Instance):
        method = find_method(payload.cls, "call")
        return method is None or bool(method.flipped)
    return isinstance(payload, SequentialModel | GraphModel)
