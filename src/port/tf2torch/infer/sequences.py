"""Results of layers whose shape depends on an inner layer, or on how they are called."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, arithmetic, tensor
from port.tf2torch.infer import rowcalls
from port.tf2torch.infer.given import pair
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.layershapes import window
from port.tf2torch.infer.masks import name_of
from port.tf2torch.infer.values import Items, LayerCall

CONVOLUTIONAL = ("ConvLSTM1D", "ConvLSTM2D")


def inner_of(it: Interp, layer: LayerCall, name: str = "layer") -> Fact:
    node = layer.bound.get(name)
    return it.facts.get(node, UNKNOWN) if node is not None else UNKNOWN


def setting(it: Interp, layer: LayerCall, name: str, default: Any) -> Any:
    node = layer.bound.get(name)
    return default if node is None else it.facts.get(node, UNKNOWN).literal(...)


def outcome(it: Interp, node: cst.Call, layer: LayerCall, inputs: tuple[Fact, ...], result: Fact) -> Fact:
    name = name_of(layer)
    x = inputs[0] if inputs else UNKNOWN
    if name == "Bidirectional":
        return _bidirectional(it, layer, x)
    if name == "TimeDistributed":
        return _time_distributed(it, node, layer, x)
    if name == "RNN":
        return _cells(it, layer, x)
    if name in CONVOLUTIONAL:
        return _conv_lstm(it, layer, x)
    if name in ("Attention", "AdditiveAttention"):
        return _scores(it, node, _attention(inputs))
    if name in ("MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention"):
        return _scores(it, node, _heads(it, layer, x))
    if name == "Dot":
        return _dot(it, layer, inputs)
    return result


def _apply(it: Interp, inner: Fact, x: Fact, node: cst.Call) -> Fact:
    """The result of an inner layer; it remembers what arrived."""
    payload, saved = inner.payload, dict(it.applications)
    try:
        if isinstance(payload, LayerCall):
            return it.parts.layer(it, payload.node, inner, [x])
        if inner.kind in (Kind.LAYER, Kind.MODEL):
            return it.parts.apply(it, node, inner, [x])
        return tensor()
    finally:  # a wrapper applies it: no call of the source does, but there are some in what the user's layer does
        it.applications = saved | {n: a for n, a in it.applications.items() if n is not node and not _makes(it, n)}


def _makes(it: Interp, node: cst.Call) -> bool:
    """Is this a layer's constructor? `layers.add([x, y])` applies one as well."""
    return node in it.layers and not it.names.resolve(node.func).rpartition(".")[2][:1].islower()


def _bidirectional(it: Interp, layer: LayerCall, x: Fact) -> Fact:
    inner = inner_of(it, layer)
    if not isinstance(inner.payload, LayerCall):
        return tensor()
    one = _apply(it, inner, x, layer.node)
    states: list[Fact] = []
    if isinstance(one.payload, Items):
        one, *states = one.payload.elements
    mode = setting(it, layer, "merge_mode", "concat")
    out = [_merged(one, mode)] if mode is not None else [one, one]
    backward = inner_of(it, layer, "backward_layer")
    if isinstance(backward.payload, LayerCall):
        other = _apply(it, backward, x, layer.node)
        if mode == "concat" and other.shape and one.shape:
            width = arithmetic("+", one.shape[-1], other.shape[-1])
            out = [one.but(shape=(*one.shape[:-1], width))]
    if len(out) == 1 and not states:
        return out[0]
    return Fact(Kind.PLAIN, payload=Items([*out, *states, *states], "list"))


def _merged(one: Fact, mode: Any) -> Fact:
    if mode in ("sum", "ave", "mul") or one.shape is None:
        return one
    width = arithmetic("*", 2, one.shape[-1]) if mode == "concat" else None
    return one.but(shape=(*one.shape[:-1], width))


def _time_distributed(it: Interp, node: cst.Call, layer: LayerCall, x: Fact) -> Fact:
    inner = inner_of(it, layer)
    step = x if x.shape is None else x.but(shape=(x.shape[0], *x.shape[2:]), payload=None)
    step = tensor(step.shape, x.dtype)
    if step.shape is not None and len(step.shape) >= 3 and wants_flip(inner):
        step = step.but(layout=Layout.FLIPPED)
    one = _apply(it, inner, step, node)
    if one.kind is not Kind.TENSOR or one.shape is None or x.shape is None:
        return tensor()
    return tensor((x.shape[0], x.shape[1], *one.shape[1:]), one.dtype)


def wants_flip(inner: Fact) -> bool:
    row = inner.payload.row if isinstance(inner.payload, LayerCall) else None
    return row is not None and row.layout == "nchw"


def _cells(it: Interp, layer: LayerCall, x: Fact) -> Fact:
    fact = inner_of(it, layer, "cell")
    cells = fact.payload.elements if isinstance(fact.payload, Items) else [fact]
    if cells and isinstance(cells[0].payload, LayerCall) and name_of(cells[0].payload) == "StackedRNNCells":
        stacked = inner_of(it, cells[0].payload, "cells")
        cells = stacked.payload.elements if isinstance(stacked.payload, Items) else []
    width: Dim = x.shape[-1] if x.shape else None
    widths: list[Dim] = []
    for cell in cells:
        if not isinstance(cell.payload, LayerCall):
            return tensor()
        cell.payload.inputs.append(tensor((None, width)))
        node = cell.payload.bound.get("units")
        width = it.dim(node) if node is not None else None
        widths.append(width)
    batch: Dim = x.shape[0] if x.shape else None
    steps: Dim = x.shape[1] if x.shape and len(x.shape) > 1 else None
    seq = setting(it, layer, "return_sequences", False)
    if not isinstance(seq, bool):
        return tensor()
    out = tensor((batch, steps, width) if seq else (batch, width), x.dtype)
    if setting(it, layer, "return_state", False) is False:
        return out
    return Fact(Kind.PLAIN, payload=Items([out], "grown")) if len(cells) != 1 else Fact(Kind.PLAIN, payload=Items(
        [out, *[tensor((batch, width), x.dtype)] * (2 if name_of(cells[0].payload) == "LSTMCell" else 1)], "list"))


def _conv_lstm(it: Interp, layer: LayerCall, x: Fact) -> Fact:
    row = layer.row
    if x.shape is None or row is None:
        return tensor(None)
    n = len(x.shape) - 3
    given = rowcalls.given(it, rowcalls.matched(layer, row), (x,))
    kernel, stride, dilation = (pair(given.get(k), n) for k in ("kernel_size", "strides", "dilation_rate"))
    sizes = [window(s, k, t, d, given.get("padding")) for s, k, t, d in zip(
        x.shape[2:-1], kernel, stride, dilation, strict=True)]
    seq, state = given.get("return_sequences", ...), given.get("return_state", ...)
    if seq is ... or state is not False:
        return tensor()
    shape = (*sizes, given.dim("filters"))
    if seq:
        return tensor((x.shape[0], x.shape[1], *shape), x.dtype)
    return tensor((x.shape[0], *shape), x.dtype, Layout.FLIPPED)


def _attention(inputs: tuple[Fact, ...]) -> Fact:
    if len(inputs) < 2:
        return tensor()
    if inputs[0].shape is None:
        return tensor().but(last=inputs[1].width)
    return tensor((*inputs[0].shape[:-1], inputs[1].width), inputs[0].dtype)


def _heads(it: Interp, layer: LayerCall, x: Fact) -> Fact:
    node = layer.bound.get("output_shape")
    width = x.width
    if node is not None and it.facts.get(node, UNKNOWN).literal(...) is not None:
        width = it.dim(node)
    if x.shape is None:
        return tensor(None, x.dtype).but(last=width)
    return tensor((*x.shape[:-1], width), x.dtype)


def _scores(it: Interp, node: cst.Call, out: Fact) -> Fact:
    asked = keyword(node, "return_attention_scores")
    value = it.facts.get(asked, UNKNOWN).literal(...) if asked is not None else False
    if value is False:
        return out
    if value is True:
        return Fact(Kind.PLAIN, payload=Items([out, tensor()], "tuple"))
    return tensor()


def _dot(it: Interp, layer: LayerCall, inputs: tuple[Fact, ...]) -> Fact:
    axes = setting(it, layer, "axes", -1)
    if len(inputs) != 2 or not inputs[0].shape or not inputs[1].shape or axes is ...:
        return tensor()
    one, two = axes if isinstance(axes, tuple) else (axes, axes)
    a, b = list(inputs[0].shape), list(inputs[1].shape)
    del a[one % len(a)]
    del b[two % len(b)]
    shape = (*a, *b[1:])
    return tensor(shape if len(shape) > 1 else (*shape, 1), inputs[0].dtype)
