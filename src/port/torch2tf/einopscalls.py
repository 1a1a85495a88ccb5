"""Calls of einops, and layouts that cost nothing there, since the pattern says the order of axes."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Kind, Layout
from port.torch2tf import containers, einops
from port.torch2tf.refused import Refused
from port.torch2tf.values import MAYBE_WEIGHT
from port.tree import code, find


def write(w: Any, node: cst.Call, symbol: str) -> Any:
    if symbol.startswith("einops.layers."):
        return containers.einops_layer(w, node, symbol)
    last = symbol.rpartition(".")[2]
    if last == "unpack" and _of_batch(w, node):
        w.helper("unpack_axes")
        w.spent.add(code(node.func))
        return cst.Call(cst.Name("unpack_axes"), [a.with_changes(value=_plain(w, a.value)) for a in node.args])
    if last not in ("rearrange", "reduce", "repeat") or not node.args:
        return node.with_changes(func=w.expr(node.func), args=[a.with_changes(value=_plain(w, a.value))
                                                               for a in node.args])
    x, pattern = w.fact(node.args[0].value), einops.pattern_of(w.it, node, 1)
    if x.kind is Kind.TENSOR and einops.only_layout(x, pattern):
        return w.expr(node.args[0].value)
    return einops_call(w, node, left=x.layout is Layout.FLIPPED and w.it.wants.get(node) is Layout.FLIPPED)


def _of_batch(w: Any, node: cst.Call) -> bool:
    """Are axes unpacked that `pack` found first, the batch among them? einops asks whether their sizes are -1."""
    held = node.args[1].value if len(node.args) == 3 else None
    if w.function is None or not isinstance(held, cst.Name) or any(a.star or a.keyword for a in node.args):
        return False
    for made in find(w.function.node, cst.Assign):
        target, call = made.targets[0].target, made.value
        if isinstance(target, cst.Tuple) and isinstance(call, cst.Call) and len(call.args) == 2 and any(
                code(e.value) == held.value for e in target.elements) and w.it.names.resolve(
                call.func) == "einops.pack":
            pattern = einops.pattern_of(w.it, call, 1)
            return isinstance(pattern, str) and pattern.split()[:1] == ["*"]
    return False


def einops_call(w: Any, node: cst.Call, left: bool = False, right: bool = False) -> Any:
    x = node.args[0].value
    value = value_of(w, x, w.expr(x, Layout.FLIPPED if left else Layout.PLAIN))
    args = [node.args[0].with_changes(value=value), *(w.expr(a) for a in node.args[1:])]
    if left or right:
        args[1] = args[1].with_changes(value=flipped_text(args[1].value, w.fact(x).rank, left, right))
    return node.with_changes(func=w.expr(node.func), args=args)


def _plain(w: Any, node: cst.BaseExpression) -> Any:
    """What `pack` and `einsum` are given: tensors, or a list of such, with the axes of the source."""
    if isinstance(node, cst.List | cst.Tuple):
        return node.with_changes(elements=[e.with_changes(value=_plain(w, e.value)) for e in node.elements])
    new = w.plain(node)
    return value_of(w, node, new) if w.fact(node).kind is Kind.TENSOR else new


def value_of(w: Any, node: cst.BaseExpression, new: Any) -> Any:
    """einops knows tensors, but not Keras' variables."""
    symbol = w.fact(node).symbol
    if symbol == MAYBE_WEIGHT:
        word = "keras.ops.copy" if w.target == "keras" else "tf.convert_to_tensor"
        w.need(word.partition(".")[0])
        return build(f"{word}({{x}})", x=new)
    return cst.Attribute(paren(new), cst.Name("value")) if symbol == "weight" else new


def flipped_text(node: cst.BaseExpression, rank: int | None, left: bool, right: bool) -> cst.BaseExpression:
    if not isinstance(node, cst.SimpleString):
        raise Refused("P208", "the pattern is not written here, and the tensor is channels last in Keras", node)
    inner = einops.spelled(node.raw_value, rank)
    if left and "..." in inner:
        raise Refused("P208", "the axes of `...` are not known, and the tensor is channels last in Keras", node)
    return node.with_changes(value=node.prefix + node.quote + einops.flipped_pattern(inner, left, right) + node.quote)


def in_wanted_layout(w: Any, node: Any, want: Layout) -> Any:
    """An expression that can be written in the other layout at no cost: einops, where the pattern says the order."""
    if not isinstance(node, cst.Call) or not node.args:
        return None
    callee = w.it.receivers.get(node)
    if callee is None or not callee.symbol.startswith("einops.") or callee.symbol.rpartition(".")[2] not in (
            "rearrange", "reduce", "repeat"):
        return None
    fact, x = w.fact(node), w.fact(node.args[0].value)
    pattern = einops.pattern_of(w.it, node, 1)
    parts = einops.sides(pattern)
    if fact.layout is want or want is Layout.PLAIN or parts is None or fact.rank != len(parts[1]) or (
            x.kind is Kind.TENSOR and einops.only_layout(x, pattern)):
        return None
    return einops_call(w, node, left=x.layout is Layout.FLIPPED and w.it.wants.get(node) is Layout.FLIPPED, right=True)


__all__ = ["flipped_text", "in_wanted_layout", "write"]
