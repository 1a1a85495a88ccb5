"""Tensors that pass no gradient on: what is computed under `torch.no_grad()`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind
from port.tree import walk


def stopped(w: Any, node: cst.With) -> list[Any]:
    """What was computed without a gradient has none: tf.stop_gradient of what leaves the block."""
    names: dict[str, None] = {}
    for n in walk(node.body):
        if isinstance(n, cst.Assign) and w.fact(n.value).kind is Kind.TENSOR and w.fact(n.value).dtype not in (
                "int64", "int32", "bool"):
            names.update(dict.fromkeys(t.target.value for t in n.targets if isinstance(t.target, cst.Name)))
    return [cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(name))], stop_gradient(w, cst.Name(name)))])
            for name in names]


def stop_gradient(w: Any, x: Any) -> Any:
    if w.target == "keras":
        w.need("keras")
        return build("keras.ops.stop_gradient({x})", x=x)
    w.need("tf")
    return build("tf.stop_gradient({x})", x=x)
