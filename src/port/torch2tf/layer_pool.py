"""Pooling. Channels are last in the target; a padding that Keras lacks is written with tf.nn or a helper."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.torch2tf.layer_args import At, Passed, Plan, function_layer, layer_call, write_call
from port.torch2tf.layer_conv import axes_of, zero_padding
from port.tree import code

POSITIONAL = ("pool_size", "strides")
PASSED = {"kernel_size": "pool_size", "stride": "strides"}


def max_pool(at: At) -> Plan:
    axes = axes_of(at)
    if not at.is_lit("return_indices", False):
        raise at.refuse("Keras pools give no indices; tf.nn.max_pool_with_argmax does, counted otherwise")
    plain = at.ints("dilation", axes) == (1,) * axes and at.is_lit("ceil_mode", False)
    if plain and at.ints("padding", axes) == (0,) * axes:
        return _layer(at, f"MaxPooling{axes}D")
    if (plain and _is_same(at, axes)) or _ceil_is_same(at, axes):
        return _layer(at, f"MaxPooling{axes}D", same=True)
    pads = at.parts("padding", axes)
    if plain and pads is not None:
        return Plan((_padded_max(at, axes, pads),))
    return Plan((_helper(at, "max_pool", axes, ("padding", "dilation", "ceil_mode")),))


def avg_pool(at: At) -> Plan:
    axes = axes_of(at)
    if at.short != "AvgPool1d" and at.lit("divisor_override") is not None:
        return Plan((_helper(at, "avg_pool", axes, ("padding", "ceil_mode", "count_include_pad", "divisor_override")),))
    name = f"AveragePooling{axes}D"
    if _ceil_is_same(at, axes):
        return _layer(at, name, same=True)
    if at.is_lit("ceil_mode", False):
        if at.ints("padding", axes) == (0,) * axes:
            return _layer(at, name)
        if at.is_lit("count_include_pad", True):
            return Plan((zero_padding(at, axes), *_layer(at, name).elements))
        if at.is_lit("count_include_pad", False) and _is_same(at, axes):
            return _layer(at, name, same=True)
    return Plan((_helper(at, "avg_pool", axes, ("padding", "ceil_mode", "count_include_pad")),))


def _layer(at: At, name: str, same: bool = False) -> Plan:
    passed: Passed = dict(PASSED)
    if at.lit("stride") is None:
        passed.pop("stride")
    extra = []
    if same and at.given("padding"):
        passed["padding"] = ("padding", expression('"same"'))
    elif same:
        extra = [("padding", '"same"')]
    return Plan((write_call(at, at.w.layer(name), passed, extra, POSITIONAL),))


def _is_same(at: At, axes: int) -> bool:
    """Stride 1 and k = 2p + 1: as many cells as before, padded alike on both sides."""
    kernel, pad, stride = (at.ints(p, axes) for p in ("kernel_size", "padding", "stride"))
    return stride == (1,) * axes and kernel is not None and pad is not None and at.is_lit("ceil_mode", False) and all(
        k == 2 * p + 1 for k, p in zip(kernel, pad, strict=True))


def _ceil_is_same(at: At, axes: int) -> bool:
    """Windows of 2 by steps of 2, a half one at the end: one cell of padding at the end, as Keras' same."""
    kernel, pad, stride = (at.ints(p, axes) for p in ("kernel_size", "padding", "stride"))
    steps = stride if at.lit("stride") is not None else kernel
    plain = at.short[:3] == "Avg" or at.ints("dilation", axes) == (1,) * axes
    return plain and at.is_lit("ceil_mode", True) and pad == (0,) * axes and kernel == (2,) * axes == steps


def _padded_max(at: At, axes: int, pads: tuple[cst.BaseExpression, ...]) -> cst.Call:
    """torch pads with minus infinity."""
    inner = ", ".join(f"[{p}, {p}]" for p in (code(at.w.expr(p)) for p in pads))
    widths = f"[[0, 0], {inner}, [0, 0]]"
    size, steps = at.expr("kernel_size"), at.expr("stride" if at.lit("stride") is not None else "kernel_size")
    if at.w.target == "tf" and axes < 3:
        at.w.need("tf")
        return function_layer(at.w, f"tf.nn.max_pool{axes}d(x, ksize={{k}}, strides={{s}}, padding={widths})",
                              k=size, s=steps)
    at.w.need("keras")
    return function_layer(
        at.w, f'keras.ops.max_pool(keras.ops.pad(x, {widths}, constant_values=float("-inf")), {{k}}, {{s}})',
        k=size, s=steps)


def _helper(at: At, name: str, axes: int, optional: tuple[str, ...]) -> cst.Call:
    """A function with torch's arguments."""
    at.w.helper(name)
    texts = ["{kernel_size}"]
    nodes: dict[str, Any] = {"kernel_size": at.expr("kernel_size")}
    if at.lit("stride") is not None:
        texts.append("{stride}")
        nodes["stride"] = at.expr("stride")
    for p in optional:
        if at.given(p):
            texts.append(f"{p}={{{p}}}")
            nodes[p] = at.expr(p)
    return function_layer(at.w, f"{name}(x, {', '.join(texts)})", **nodes)


# ---------------------------------------------------------------- adaptive
def adaptive_pool(at: At) -> Plan:
    axes = axes_of(at)
    kind = "Average" if at.short.startswith("AdaptiveAvg") else "Max"
    if kind == "Max" and not at.is_lit("return_indices", False):
        raise at.refuse("Keras pools give no indices")
    sizes = at.ints("output_size", axes)
    if sizes == (1,) * axes:
        return Plan((layer_call(at.w, f"Global{kind}Pooling{axes}D", keepdims="True"),))
    at.w.helper("adaptive_pool")  # Keras' layer cannot be traced where an axis of x or of the result has one element
    body = f'adaptive_pool(x, {{size}}, "{kind.lower()}")'
    return Plan((function_layer(at.w, body, size=at.expr("output_size")),))


def lp_pool(at: At) -> Plan:
    at.w.helper("lp_pool")
    texts, nodes = ["{norm_type}", "{kernel_size}"], {n: at.expr(n) for n in ("norm_type", "kernel_size")}
    if at.lit("stride") is not None:
        texts.append("{stride}")
        nodes["stride"] = at.expr("stride")
    if at.given("ceil_mode"):
        texts.append("ceil_mode={ceil_mode}")
        nodes["ceil_mode"] = at.expr("ceil_mode")
    return Plan((function_layer(at.w, f"lp_pool(x, {', '.join(texts)})", **nodes),))
