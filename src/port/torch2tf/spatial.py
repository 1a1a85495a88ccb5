"""Functions over images and sequences: windows, padding, resizing. Their tensors are channels last here."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Layout
from port.torch2tf import args
from port.torch2tf.conditions import is_number, is_sequence
from port.torch2tf.dtypes import is_variable
from port.torch2tf.jobs import Job
from port.torch2tf.rowforms import made


def dims(job: Job) -> int:
    """How many axes of space there are."""
    rank = job.fact("input").rank
    if rank is None or rank < 3:
        raise job.refuse("P208", "how many axes the tensor has is not known")
    return rank - 2


def each(value: Any, n: int) -> tuple[int, ...] | None:
    """An int or a tuple as n ints."""
    if isinstance(value, int):
        return (value,) * n
    if isinstance(value, tuple) and all(isinstance(v, int) for v in value):
        return value * n if len(value) == 1 else value
    return None


def space(pairs: Any) -> str:
    """`[[0, 0], [1, 1], [1, 1], [0, 0]]`."""
    return repr([[0, 0], *[list(p) for p in pairs], [0, 0]])


# ---------------------------------------------------------------- convolution
def conv(job: Job) -> cst.BaseExpression:
    """keras.ops.conv takes groups from the shapes; the kernel has its channels last."""
    n = dims(job)
    stride, dilation, padding = (job.literal(p) for p in ("stride", "dilation", "padding"))
    order = (*range(2, n + 2), 1, 0)
    nodes: dict[str, Any] = {"x": job.expr("input"), "w": job.w.expr(job.bound.args["weight"])}
    text = "{x}"
    how = "valid"
    if padding == "same":
        how = "same"
    elif padding not in ("valid", 0) and (amounts := each(padding, n)) != (0,) * n:
        if amounts is None:
            if is_sequence(job.fact("padding")):
                raise job.refuse("P208", "the padding is not written out")
            nodes["p"] = job.expr("padding")
            text = "keras.ops.pad({x}, [[0, 0]" + ", [{p}, {p}]" * n + ", [0, 0]])"
        else:
            text = f"keras.ops.pad({{x}}, {space((a, a) for a in amounts)})"
    tail = ""
    for name, word in (("stride", "strides"), ("dilation", "dilation_rate")):
        if each(job.literal(name), n) != (1,) * n:
            nodes[name] = job.expr(name)
            tail += f", {word}={{{name}}}"
    tail += ', padding="same"' if how == "same" else ""
    del stride, dilation
    new = made(job, f"keras.ops.conv({text}, keras.ops.transpose({{w}}, {order}){tail})", **nodes)
    return _biased(job, new)


def _biased(job: Job, new: cst.BaseExpression) -> cst.BaseExpression:
    if not job.given("bias") or job.literal("bias") is None:
        return new
    if job.fact("bias").values is not None or job.fact("bias").kind.value == "unknown":
        return made(job, "helpers.add_bias({y}, {b})", y=new, b=job.w.expr(job.bound.args["bias"]))
    return build("{y} + {b}", y=new, b=job.w.expr(job.bound.args["bias"]))


def conv_transpose(job: Job) -> cst.BaseExpression:
    n = dims(job)
    nodes: dict[str, Any] = {"x": job.expr("input"), "w": job.w.expr(job.bound.args["weight"])}
    tail = ""
    for name, usual in (("stride", 1), ("padding", 0), ("output_padding", 0), ("dilation", 1)):
        if each(job.literal(name), n) != (usual,) * n:
            nodes[name] = job.expr(name)
            tail += f", {name}={{{name}}}"
    return _biased(job, made(job, "helpers.conv_transpose({x}, {w}" + tail + ")", **nodes))


# ---------------------------------------------------------------- pooling
def max_pool(job: Job) -> cst.BaseExpression:
    """tf.nn.max_pool2d pads by itself, with what never wins."""
    n = dims(job)
    nodes: dict[str, Any] = {"x": job.expr("input"), "k": job.expr("kernel_size"), "s": _stride(job)}
    amounts = each(job.literal("padding"), n)
    if job.literal("ceil_mode") is not False or amounts is None:
        return made(job, "helpers.max_pool({x}, {k}, {s}" + _more(job, n, nodes) + ")", **nodes)
    if amounts == (0,) * n:
        return made(job, f'tf.nn.max_pool{n}d({{x}}, {{k}}, {{s}}, "VALID")', "keras.ops.max_pool({x}, {k}, {s})",
                    **nodes)
    if job.w.target == "keras" or n != 2:
        return made(job, "helpers.max_pool({x}, {k}, {s}" + _more(job, n, nodes) + ")", **nodes)
    return made(job, f"tf.nn.max_pool2d({{x}}, {{k}}, {{s}}, {space((a, a) for a in amounts)})", **nodes)


def avg_pool(job: Job) -> cst.BaseExpression:
    n = dims(job)
    nodes: dict[str, Any] = {"x": job.expr("input"), "k": job.expr("kernel_size"), "s": _stride(job)}
    amounts = each(job.literal("padding"), n)
    if job.literal("ceil_mode") is False and amounts is not None and (
            amounts == (0,) * n or job.literal("count_include_pad") is True):
        text = "{x}" if amounts == (0,) * n else f"keras.ops.pad({{x}}, {space((a, a) for a in amounts)})"
        plain = text.replace("keras.ops.pad", "tf.pad")
        return made(job, f'tf.nn.avg_pool{n}d({plain}, {{k}}, {{s}}, "VALID")',
                    f"keras.ops.average_pool({text}, {{k}}, {{s}})", **nodes)
    tail = _more(job, n, nodes)
    if job.literal("count_include_pad") is not True:
        nodes["c"] = job.expr("count_include_pad")
        tail += ", count_include_pad={c}"
    return made(job, "helpers.avg_pool({x}, {k}, {s}" + tail + ")", **nodes)


def _stride(job: Job) -> cst.BaseExpression:
    given = job.given("stride") and job.literal("stride") is not None
    return job.expr("stride" if given else "kernel_size")


def _more(job: Job, n: int, nodes: dict[str, Any]) -> str:
    tail = ""
    if each(job.literal("padding"), n) != (0,) * n:
        nodes["p"] = job.expr("padding")
        tail += ", padding={p}"
    if job.literal("ceil_mode") is not False:
        nodes["m"] = job.expr("ceil_mode")
        tail += ", ceil_mode={m}"
    return tail


def adaptive_pool(job: Job) -> cst.BaseExpression:
    """One window for all is a mean; several must be placed as torch places them."""
    n = dims(job)
    size = job.literal("output_size")
    kind = "max" if "max" in job.symbol else "avg"
    word = "max" if kind == "max" else "average"
    axes = tuple(range(1, n + 1))
    if each(size, n) == (1,) * n:
        tf, keras = ("tf.reduce_max", "keras.ops.max") if kind == "max" else ("tf.reduce_mean", "keras.ops.mean")
        tail = f"({{x}}, axis={axes if n > 1 else axes[0]}, keepdims=True)"
        return made(job, tf + tail, keras + tail, x=job.expr("input"))
    sizes = (size,) * n if isinstance(size, int) else size
    if not isinstance(sizes, tuple):
        if is_sequence(job.fact("output_size")):
            return made(job, f"helpers.adaptive_pool({{x}}, {{s}}, {word!r})", x=job.expr("input"),
                        s=job.expr("output_size"))
        if is_number(job.fact("output_size")):
            return made(job, f"helpers.adaptive_pool({{x}}, ({{s}},) * {n}, {word!r})", x=job.expr("input"),
                        s=job.expr("output_size"))
        raise job.refuse("P208", "whether one size or several are given is not known")
    return made(job, f"helpers.adaptive_pool({{x}}, {sizes!r}, {word!r})", x=job.expr("input"))


# ---------------------------------------------------------------- resizing
def interpolate(job: Job) -> cst.BaseExpression:
    n = dims(job)
    mode = job.literal("mode")
    corners = job.literal("align_corners") is True
    if mode not in ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"):
        raise job.refuse("P208", "the mode is not known")
    if job.literal("align_corners") is ...:
        raise job.refuse("P208", "whether corners are aligned is not known")
    factors = job.literal("scale_factor")
    x = job.expr("input")
    whole = each(factors, n)
    if mode == "nearest" and whole is not None and job.literal("size") is None:
        for axis, factor in enumerate(whole, start=1):
            if factor != 1:
                tail = f"repeat({{x}}, {factor}, axis={axis})"
                x = made(job, f"tf.{tail}", f"keras.ops.{tail}", x=x)
        return x
    sized = job.given("size") and job.literal("size") is not None
    if not sized and (factors is ... or not is_variable(job.bound.args["input"])):  # the helper asks for its sizes
        tail = ", align_corners=True" if corners else ""
        if job.literal("recompute_scale_factor") is True:
            tail += ", recompute_scale_factor=True"
        return made(job, "helpers.interpolate({x}, scale_factor={f}, mode={m}" + tail + ")", x=x,
                    f=job.expr("scale_factor"), m=job.expr("mode"))
    size, scale = _target(job, n, factors)
    if mode == "area":
        return made(job, 'helpers.adaptive_pool({x}, {s}, "average")', x=x, s=size)
    if mode == "bilinear" and not corners and scale is None:
        return made(job, 'keras.ops.image.resize({x}, {s}, interpolation="bilinear")', x=x, s=size)
    tail = ", align_corners=True" if corners else ""
    nodes: dict[str, Any] = {"x": x, "s": size, "m": job.expr("mode")}
    if scale is not None and not corners:
        nodes["f"] = scale
        tail += ", scale_factor={f}"
    return made(job, "helpers.interpolate({x}, {s}, mode={m}" + tail + ")", **nodes)


def _target(job: Job, n: int, factors: Any) -> tuple[cst.BaseExpression, cst.BaseExpression | None]:
    """The size of the result, and the factor where torch counts with it instead of the ratio of sizes."""
    if job.given("size") and job.literal("size") is not None:
        size = job.expr("size")
        fact = job.fact("size")
        if each(job.literal("size"), n) is not None and not isinstance(job.literal("size"), tuple):
            return expression(repr((job.literal("size"),) * n)), None
        if not is_sequence(fact) and not isinstance(job.bound.args["size"], cst.Tuple | cst.List):
            if is_number(fact):
                return build(f"({{s}},) * {n}", s=size), None
            raise job.refuse("P208", "whether one size or several are given is not known")
        return size, None
    if not isinstance(factors, int | float):
        if not isinstance(factors, tuple):
            raise job.refuse("P208", "the factor is not known")
        if len(set(factors)) > 1:
            raise job.refuse("P202", "several factors: give the size")
        factors = factors[0]
    job.w.need("keras")
    node = job.bound.args["input"]
    if job.fact("input").layout is not Layout.FLIPPED:
        raise job.refuse("P208", "give the size instead of a factor")
    shape = job.w.expr(node)
    whole = isinstance(factors, int) or float(factors).is_integer()
    times = "{x}[{i}] * " + str(int(factors)) if whole else "int({x}[{i}] * " + repr(factors) + ")"
    times = times.replace("{x}", "keras.ops.shape({x})")
    parts = [build(times.replace("{i}", str(i)), x=shape) for i in range(1, n + 1)]
    size = args.tuple_of(parts)
    again = job.literal("recompute_scale_factor") is True
    return size, None if whole or again else expression(repr(factors))


def grid_sample(job: Job) -> cst.BaseExpression:
    """The grid keeps its axes: (N, H, W, 2) in both."""
    nodes: dict[str, Any] = {"x": job.expr("input"), "g": job.w.expr(job.bound.args["grid"], Layout.PLAIN)}
    tail = ""
    for name in ("mode", "padding_mode", "align_corners"):
        if job.given(name):
            nodes[name] = job.expr(name)
            tail += f", {name}={{{name}}}"
    return made(job, "helpers.grid_sample({x}, {g}" + tail + ")", **nodes)


ROWS: dict[str, Any] = {f.__name__: f for f in (
    conv, conv_transpose, max_pool, avg_pool, adaptive_pool, interpolate, grid_sample)}
