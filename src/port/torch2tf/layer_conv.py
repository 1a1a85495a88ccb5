"""nn.Linear and convolutions. A padding that Keras lacks is a layer of its own before them."""

from __future__ import annotations

import libcst as cst

from port.build import build, expression
from port.torch2tf.initial import default_init, lazy_init
from port.torch2tf.layer_args import At, Passed, Plan, layer_call, node, product, tuple_of, write_call
from port.torch2tf.layer_pad import padding_layer
from port.tree import code

CONV = {"out_channels": "filters", "kernel_size": "kernel_size", "stride": "strides", "dilation": "dilation_rate",
        "groups": "groups", "bias": "use_bias"}
POSITIONAL = ("filters", "kernel_size", "strides")


def axes_of(at: At) -> int:
    return int(at.short[-2])


def place(at: At) -> None:
    """`device` is a matter of tf.device, a dtype one of the layer's policy."""
    if at.given("dtype") and at.lit("dtype") is not None:
        at.w.report("P103", "the layer computes in Keras' floatx: the dtype argument was left out", at.node)


def linear(at: At) -> Plan:
    place(at)
    extra = default_init(at.w, at.expr("in_features"), at)
    return Plan((write_call(at, at.w.layer("Dense"), {"out_features": "units", "bias": "use_bias"}, extra,
                            ("units",)),))


def lazy_linear(at: At) -> Plan:
    place(at)
    return Plan((write_call(at, at.w.layer("Dense"), {"out_features": "units", "bias": "use_bias"}, lazy_init(at),
                            ("units",)),))


def conv(at: At) -> Plan:
    place(at)
    axes = axes_of(at)
    before, padding = _padding(at, axes)
    passed: Passed = dict(CONV)
    after: tuple[cst.BaseExpression, ...] = ()
    if _strided_dilation(at, axes):  # Keras has no such convolution: every stride-th cell of the dense one
        steps = at.parts("stride", axes)
        if steps is None:
            raise at.refuse("stride together with dilation needs a stride that is known")
        passed.pop("stride")
        after = (_subsample(at, steps),)
    if padding:
        passed["padding"] = ("padding", expression(padding))
    if dropped_stride(at):
        passed.pop("stride", None)
    extra = lazy_init(at) if at.short.startswith("Lazy") else default_init(at.w, fan_in(at, "in_channels", axes), at)
    made = write_call(at, at.w.layer(f"Conv{axes}D"), passed, extra, POSITIONAL)
    return Plan((*before, made, *after))




def _strided_dilation(at: At, axes: int) -> bool:
    """Both known to be more than one somewhere. If they are not known, Keras raises."""
    stride, dilation = at.ints("stride", axes), at.ints("dilation", axes)
    return stride is not None and dilation is not None and max(stride) > 1 and max(dilation) > 1


def _subsample(at: At, steps: tuple[cst.BaseExpression, ...]) -> cst.Call:
    inner = ", ".join(f"::{code(at.w.expr(s))}" for s in steps)
    body = expression(f"x[:, {inner}]")
    return cst.Call(func=at.w.layer("Lambda"), args=[cst.Arg(value=build("lambda x: {body}", body=body))])


def dropped_stride(at: At) -> bool:
    """A stride of 1 that stands only because a padding follows it."""
    names = list(at.layer.bound)
    last = len([a for a in at.node.args if a.keyword is None])
    return at.is_lit("stride", 1) and "padding" in names[:last] and "stride" in names[:last]


def fan_in(at: At, channels: str, axes: int) -> cst.BaseExpression:
    """in_channels // groups * kernel cells."""
    first = at.expr(channels)
    if not at.is_lit("groups", 1):
        first = expression("1") if at.text(channels) == at.text("groups") else build(
            "{c} // {g}", c=first, g=at.expr("groups"))
    sizes = at.parts("kernel_size", axes)
    if sizes is None:
        at.w.helper("cells")
        return product([first, build("cells({k}, {n})", k=at.expr("kernel_size"), n=str(axes))])
    return product([first, *(at.w.expr(s) if s is not None else s for s in sizes)])


# ---------------------------------------------------------------- padding
def _padding(at: At, axes: int) -> tuple[tuple[cst.BaseExpression, ...], str]:
    """(layers before, value of Keras' padding argument)."""
    mode = at.lit("padding_mode")
    value = at.lit("padding")
    words = at.w.fact(at.layer.bound["padding"]).values if at.given("padding") else None
    if mode == "zeros" and words and len(words) > 1 and words <= {"same", "valid"}:
        return (), code(at.expr("padding"))
    if value == "valid" or at.ints("padding", axes) == (0,) * axes:
        return (), ""
    if mode not in ("zeros", "reflect", "replicate", "circular"):
        raise at.refuse("padding_mode must be one of torch's words")
    if value == "same" and mode == "zeros":
        return (), '"same"'
    if value == "same":
        kernel, dilation = at.ints("kernel_size", axes), at.ints("dilation", axes)
        if kernel is None or dilation is None:
            raise at.refuse('padding="same" with this padding_mode needs a kernel_size that is known')
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return (padding_layer(at, mode, [(t // 2, t - t // 2) for t in totals]),), ""
    if mode == "zeros" and _is_same(at, axes):
        return (), '"same"'
    if mode == "zeros":
        return (zero_padding(at, axes),), ""
    sizes = at.parts("padding", axes)
    if sizes is None:
        raise at.refuse("this padding_mode needs a padding that is a number or one per axis")
    return (padding_layer(at, mode, [(at.w.expr(s), at.w.expr(s)) for s in sizes]),), ""


def zero_padding(at: At, axes: int) -> cst.Call:
    sizes = at.parts("padding", axes)
    if sizes is not None and len({code(s) for s in sizes}) > 1:
        return layer_call(at.w, f"ZeroPadding{axes}D", tuple_of([at.w.expr(s) for s in sizes]))
    return layer_call(at.w, f"ZeroPadding{axes}D", at.w.expr(sizes[0]) if sizes is not None else at.expr("padding"))


def _is_same(at: At, axes: int) -> bool:
    """Stride 1 and k = 2p/d + 1 on each axis, in numbers, or p and d the same text and k = 3."""
    if at.ints("stride", axes) != (1,) * axes:
        return False
    kernel, pad, dilation = (at.ints(p, axes) for p in ("kernel_size", "padding", "dilation"))
    if kernel is not None and pad is not None and dilation is not None:
        return all(d * (k - 1) == 2 * p for k, p, d in zip(kernel, pad, dilation, strict=True))
    return kernel == (3,) * axes and at.text("padding") == at.text("dilation") and at.is_number("padding")


# ---------------------------------------------------------------- transposed
def conv_transpose(at: At) -> Plan:
    place(at)
    axes = axes_of(at)
    if not at.is_lit("groups", 1):
        raise at.refuse("Keras has no grouped transposed convolution: split the channels and use one layer each")
    if not at.is_lit("padding_mode", "zeros"):
        raise at.refuse("torch itself allows only padding_mode='zeros'")
    passed: Passed = {k: v for k, v in CONV.items() if k != "groups"}
    extra = default_init(at.w, fan_in(at, "out_channels", axes), at)
    kernel, stride, pad, more, dilation = (at.ints(p, axes) for p in (
        "kernel_size", "stride", "padding", "output_padding", "dilation"))
    callee = at.w.layer(f"Conv{axes}DTranspose")
    if None not in (kernel, stride, pad) and more == (0,) * axes and dilation == (1,) * axes and any(
            pad) and all(k - s == 2 * p for k, s, p in zip(kernel, stride, pad, strict=True)):  # type: ignore[arg-type]
        passed["padding"] = ("padding", expression('"same"'))
        return Plan((write_call(at, callee, passed, extra, POSITIONAL),))
    whole = kernel is not None and stride is not None and dilation is not None and all(
        d * (k - 1) + 1 >= s for k, s, d in zip(kernel, stride, dilation, strict=True))
    if not whole or more != (0,) * axes:  # with it, Keras gives exactly (n - 1) * stride + kernel + output_padding
        passed["output_padding"] = "output_padding"
    if "output_padding" in passed and not at.given("output_padding"):
        extra = [("output_padding", "0"), *extra]
    made = write_call(at, callee, passed, extra, POSITIONAL)
    return Plan((made,) if pad == (0,) * axes else (made, _cropping(at, axes)))


def _cropping(at: At, axes: int) -> cst.Call:
    sizes = at.parts("padding", axes)
    if sizes is None:
        return layer_call(at.w, f"Cropping{axes}D", at.expr("padding"))
    if len({code(s) for s in sizes}) > 1:
        return layer_call(at.w, f"Cropping{axes}D", tuple_of([at.w.expr(s) for s in sizes]))
    return layer_call(at.w, f"Cropping{axes}D", at.w.expr(sizes[0]))


def bilinear(at: At) -> Plan:
    place(at)
    at.w.helper("Bilinear")
    names = ("in1_features", "in2_features", "out_features", "bias")
    return Plan((write_call(at, node("Bilinear"), {n: n for n in names}, (), names),))
