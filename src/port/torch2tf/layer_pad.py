"""Padding modules. Amounts are per spatial axis: (before, after)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import expression
from port.torch2tf.layer_args import At, Plan, function_layer, layer_call, node
from port.tree import code

Amounts = Sequence[tuple[Any, Any]]


def pad(at: At) -> Plan:
    axes = int(at.short[-2])
    amounts = _amounts(at, axes)
    if at.short.startswith("ConstantPad") and not at.is_lit("value", 0, 0.0):
        return Plan((padding_layer(at, "constant", amounts, at.expr("value")),))
    if at.short.startswith(("ZeroPad", "ConstantPad")):
        return Plan((_zeros(at, axes, amounts),))
    mode = {"Reflec": "reflect", "Replic": "replicate", "Circul": "circular"}[at.short[:6]]
    return Plan((padding_layer(at, mode, amounts),))


def _amounts(at: At, axes: int) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """torch gives the last axis first: (left, right, top, bottom)."""
    if at.is_number("padding"):
        return [(at.expr("padding"), at.expr("padding"))] * axes
    parts = at.parts("padding", 2 * axes)
    if parts is None:
        raise at.refuse("the padding must be a number or a tuple that is written out")
    made = [at.w.expr(p) for p in parts]
    return [(made[2 * i], made[2 * i + 1]) for i in reversed(range(axes))]


def _zeros(at: At, axes: int, amounts: Amounts) -> cst.Call:
    if any(code(node(a)).startswith("-") for pair in amounts for a in pair):
        if not all(code(node(a)).lstrip("-").isdigit() for pair in amounts for a in pair):
            raise at.refuse("negative amounts must be numbers")
        return _crop_and_pad(at, [(int(code(node(a))), int(code(node(b)))) for a, b in amounts])
    texts = [(code(node(a)), code(node(b))) for a, b in amounts]
    return layer_call(at.w, f"ZeroPadding{axes}D", expression(_shortest(texts)))


def _shortest(texts: list[tuple[str, str]]) -> str:
    """As Keras reads it: a number for all, one per axis, or (before, after) per axis."""
    if len(set(texts)) == 1 and texts[0][0] == texts[0][1]:
        return texts[0][0]
    if all(a == b for a, b in texts) and len(texts) > 1:
        return f"({', '.join(a for a, _ in texts)})"
    pairs = [f"({a}, {b})" for a, b in texts]
    return pairs[0] if len(pairs) == 1 else f"({', '.join(pairs)})"


def _crop_and_pad(at: At, amounts: list[tuple[int, int]]) -> cst.Call:
    cut = ", ".join(f"{max(-a, 0) or ''}:{min(b, 0) or ''}" for a, b in amounts)
    rest = [(max(a, 0), max(b, 0)) for a, b in amounts]
    body = f"x[:, {cut}]"
    if any(a or b for a, b in rest):
        at.w.need("keras")
        body = f"keras.ops.pad({body}, {_widths(rest)})"
    return function_layer(at.w, body)


def _widths(amounts: Amounts) -> str:
    inner = ", ".join(f"[{code(node(a))}, {code(node(b))}]" for a, b in amounts)
    return f"[[0, 0], {inner}, [0, 0]]"


def padding_layer(at: At, mode: str, amounts: Amounts, value: Any = None) -> cst.Call:
    """A Lambda that pads the spatial axes of a tensor with channels last."""
    widths = _widths(amounts)
    if mode in ("replicate", "circular"):
        at.w.helper(f"pad_{mode}")
        return function_layer(at.w, f"pad_{mode}(x, {widths})")
    if at.w.target == "tf":
        at.w.need("tf")
        tail = 'mode="REFLECT"' if mode == "reflect" else "constant_values={value}"
        return function_layer(at.w, f"tf.pad(x, {widths}, {tail})", **({} if value is None else {"value": value}))
    at.w.need("keras")
    tail = 'mode="reflect"' if mode == "reflect" else "constant_values={value}"
    return function_layer(at.w, f"keras.ops.pad(x, {widths}, {tail})", **({} if value is None else {"value": value}))
