"""Modules that only move numbers: flatten, shuffles, folds, resizing."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.torch2tf.layer_args import UNKNOWN, At, Plan, function_layer, layer_call, write_call
from port.tree import code


def flatten(at: At) -> Plan:
    """In the source's order: channels have come first again, unless the other axes have one cell."""
    start, end = at.lit("start_dim"), at.lit("end_dim")
    if start == 1 and end == -1:
        return Plan((layer_call(at.w, "Flatten"),))
    if UNKNOWN in (start, end):
        raise at.refuse("`start_dim` and `end_dim` must be numbers")
    at.w.helper("flatten")
    if start == 2 and at.flipped and at.rank is not None:
        return Plan((function_layer(at.w, f"flatten(x, 1, {at.rank - 2})"),))
    text = f"flatten(x, {start}, {end})" if end != -1 else f"flatten(x, {start})"
    return Plan((function_layer(at.w, text),))


def unflatten(at: At) -> Plan:
    if at.flipped:
        raise at.refuse("splitting an axis of a tensor that has channels last is not understood", "P209")
    if at.rank == 2 and at.is_lit("dim", 1, -1):
        return Plan((write_call(at, at.w.layer("Reshape"), {"unflattened_size": "target_shape"}, (),
                                ("target_shape",)),))
    at.w.helper("unflatten")
    return Plan((function_layer(at.w, "unflatten(x, {dim}, {size})", dim=at.expr("dim"),
                                size=at.expr("unflattened_size")),))


def pixel_shuffle(at: At) -> Plan:
    name = "pixel_shuffle" if at.short == "PixelShuffle" else "pixel_unshuffle"
    at.w.helper(name)
    factor = at.expr("upscale_factor" if name == "pixel_shuffle" else "downscale_factor")
    return Plan((function_layer(at.w, f"{name}(x, {{r}})", r=factor),))


def channel_shuffle(at: At) -> Plan:
    at.w.helper("channel_shuffle")
    return Plan((function_layer(at.w, "channel_shuffle(x, {g})", g=at.expr("groups")),))


def fold(at: At) -> Plan:
    """unfold: images with channels last to (N, C * k, L) as in torch; fold: back, channels last."""
    name = at.short.lower()
    at.w.helper(name)
    names = [n for n in ("output_size", "kernel_size", "dilation", "padding", "stride") if at.given(n)]
    texts = [f"{{{n}}}" if n in ("output_size", "kernel_size") else f"{n}={{{n}}}" for n in names]
    return Plan((function_layer(at.w, f"{name}(x, {', '.join(texts)})", **{n: at.expr(n) for n in names}),))


# ---------------------------------------------------------------- resizing
def upsample(at: At) -> Plan:
    if at.short == "Upsample":
        mode, corners = at.lit("mode"), at.lit("align_corners")
    else:
        mode, corners = ("bilinear", True) if at.short == "UpsamplingBilinear2d" else ("nearest", None)
    if at.input is not None and not at.flipped and at.short == "Upsample" and mode in ("nearest", "nearest-exact"):
        raise at.refuse("the rank of its tensor is not known", "P208")
    factor, rank = at.lit("scale_factor"), at.rank or (4 if at.short != "Upsample" or mode == "bilinear" else None)
    whole = (isinstance(factor, int) and not isinstance(factor, bool)) or (isinstance(factor, float) and factor == int(
        factor)) or (isinstance(factor, tuple) and all(isinstance(f, int) for f in factor))
    if whole and at.lit("size") is None and rank in (3, 4, 5) and not corners:
        size = str(int(factor)) if isinstance(factor, int | float) else code(at.expr("scale_factor"))
        if mode == "nearest":
            return Plan((layer_call(at.w, f"UpSampling{rank - 2}D", _one(size, rank)),))
        if mode == "bilinear" and rank == 4:
            return Plan((layer_call(at.w, "UpSampling2D", size, interpolation='"bilinear"'),))
    return Plan((_interpolate(at, mode, corners),))


def _one(size: str, rank: int) -> str:
    return size.strip("(),") if rank == 3 else size


def _interpolate(at: At, mode: Any, corners: Any) -> cst.Call:
    at.w.helper("interpolate")
    texts, nodes = [], {}
    for name in ("size", "scale_factor"):
        if at.lit(name) is not None:
            texts.append(f"{name}={{{name}}}")
            nodes[name] = at.expr(name)
    if at.short == "Upsample":
        names = [n for n in ("mode", "align_corners", "recompute_scale_factor") if at.given(n)]
        texts += [f"{n}={{{n}}}" for n in names]
        nodes |= {n: at.expr(n) for n in names}
    elif mode != "nearest":
        texts += ['mode="bilinear"', "align_corners=True"]
    return function_layer(at.w, f"interpolate(x, {', '.join(texts)})", **nodes)


def cosine_similarity(at: At) -> Plan:
    from port.torch2tf.layer_args import helper_layer

    names = ("dim", "eps") if at.short == "CosineSimilarity" else ("p", "eps", "keepdim")
    if at.flipped:
        raise at.refuse("the axis counts in the source's layout", "P209")
    return Plan((helper_layer(at, at.short, names),))


