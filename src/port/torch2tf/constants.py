"""Tensors that pass no gradient on: what is computed under `torch.no_grad()`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.build import build
from port.facts import Fact, Kind
from port.torch2tf.values import Items, tensors_in
from port.tree import find

WHOLE = ("int64", "int32", "bool")


def stopped(w: Any, node: cst.With) -> list[Any]:
    """What was computed without a gradient has none: tf.stop_gradient of what leaves the block."""
    names: dict[str, Any] = {}
    for n in find(node.body, cst.Assign):
        for target in _names(n):
            if (stopped := without_gradient(w, w.fact(target), cst.Name(target.value), n.value)) is not None:
                names.setdefault(target.value, stopped)
    return [cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], value)])
            for name, value in names.items()]


def _names(node: cst.Assign) -> Iterator[cst.Name]:
    for target in (each.target for each in node.targets):
        parts = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else [target]
        yield from (part for part in parts if isinstance(part, cst.Name))


def without_gradient(w: Any, fact: Fact, x: Any, made: cst.BaseExpression | None = None) -> Any:
    """`x` of this fact, which `made` has made if that is told, with no gradient behind it; None if there is none."""
    if fact.kind is Kind.TENSOR:
        return None if fact.dtype in WHOLE else stop_gradient(w, x)
    called = made is None or (isinstance(made, cst.Call) and (
        w.it.receivers.get(made) or w.fact(made.func)).kind is Kind.UNKNOWN)
    held = tensors_in(fact) if isinstance(fact.payload, Items) else ()
    if not (fact.kind is Kind.UNKNOWN and called) and all(t.dtype in WHOLE for t in held):
        return None
    w.helper("no_gradient")
    if isinstance(x, cst.Tuple) and not x.lpar:
        x = x.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return build("no_gradient({x})", x=x)


def stop_gradient(w: Any, x: Any) -> Any:
    if w.target == "keras":
        w.need("keras")
        return build("keras.ops.stop_gradient({x})", x=x)
    w.need("tf")
    return build("tf.stop_gradient({x})", x=x)
