"""Whole numbers taken out of tensors, `int(lengths.max())`: those that only say sizes stay tensors, which traces."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Kind
from port.torch2tf import dtypes
from port.torch2tf.values import Bound, Size
from port.tree import children, walk

WHOLE = ("int8", "int16", "int32", "int64", "uint8")
# Functions and methods -> the parameters, by position and by name, that are sizes; `...`: all positional ones.
SIZES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "torch.arange": (..., ("start", "end", "step")), "torch.zeros": (..., ("size",)), "torch.ones": (..., ("size",)),
    "torch.full": (1, ("size",)), "tensor.new_zeros": (..., ("size",)), "tensor.new_ones": (..., ("size",)),
    "tensor.new_full": (1, ("size",)), "tensor.expand": (..., ()), "tensor.view": (..., ()),
    "tensor.reshape": (..., ("shape",)), "tensor.repeat": (..., ())}
ARITHMETIC = (cst.Add, cst.Subtract, cst.Multiply, cst.FloorDivide, cst.Modulo)


def size(w: Any, node: cst.Call) -> Any:
    """`int(x)`, `x.item()` as a scalar of TensorFlow's type of sizes, if it is used as a size and nothing else."""
    taken, whole = _taken(w, node)
    if taken is None or w.function is None or w.fact(taken).shape != ():
        return None
    dtype = w.fact(taken).dtype
    if not (whole or dtype in WHOLE) or not _Uses(w).are_sizes(node):
        return None
    new = w.expr(taken)
    return new if dtype == "int32" else dtypes.cast(w, new, dtypes.spell(w, "int32"))


def _taken(w: Any, node: cst.Call) -> tuple[Any, bool]:
    """x of `int(x)`, `int(x.item())` and `x.item()`, and whether it is made whole."""
    if w.fact(node.func).symbol == "builtins.int" and len(node.args) == 1 and node.args[0].keyword is None:
        inner = node.args[0].value
        held = _item(w, inner) if isinstance(inner, cst.Call) else None
        held = inner if held is None and w.fact(inner).kind is Kind.TENSOR else held
        return held, True
    return _item(w, node), False


def _item(w: Any, node: cst.Call) -> Any:
    payload = (w.it.receivers.get(node) or w.fact(node.func)).payload
    is_item = isinstance(payload, Bound) and isinstance(node.func, cst.Attribute) and payload.owner.kind is Kind.TENSOR
    return node.func.value if is_item and w.fact(node.func).symbol == "tensor.item" else None  # type: ignore[attr-defined]


class _Uses:
    """Where the values of one function's expressions go."""

    def __init__(self, w: Any):
        self.w = w
        self.body = w.function.node
        known = w.it.objects.setdefault("parents", {})
        if self.body not in known:
            known[self.body] = {child: node for node in walk(self.body) for child in children(node)}
        self.parents = known[self.body]
