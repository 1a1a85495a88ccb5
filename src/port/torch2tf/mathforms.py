"""Products, new tensors, losses and what is left of whole calls that need a look at their arguments."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Kind, Layout
from port.torch2tf import args, dtypes
from port.torch2tf.conditions import is_number
from port.torch2tf.jobs import ABSENT, Job
from port.torch2tf.rowforms import first, made

PLAIN = Layout.PLAIN
SWAPS = ("transpose", "swapaxes", "permute", "t", "mT", "T")


# ---------------------------------------------------------------- products
def matmul(job: Job) -> cst.BaseExpression:
    a, b = (p.name for p in job.bound.signature.params[:2])
    rank = {"bmm": 3, "mm": 2}.get(job.symbol.rpartition(".")[2])
    return product(job.w, job.bound.args[a], job.bound.args[b], job.node, rank)


def product(w: Any, a: cst.BaseExpression, b: cst.BaseExpression, at: cst.CSTNode,
            rank: int | None = None) -> cst.BaseExpression:
    """Matrices, vectors, and transposes that are part of the product."""
    x, y = w.fact(a), w.fact(b)
    if x.rank == 1 and y.rank == 1:
        return _made(w, "tf.reduce_sum({a} * {b})", "keras.ops.sum({a} * {b})", a=w.expr(a, PLAIN), b=w.expr(b, PLAIN))
    if y.rank == 1:
        return _made(w, "tf.linalg.matvec({a}, {b})", "keras.ops.matmul({a}, {b})",
                     a=w.expr(a, PLAIN), b=w.expr(b, PLAIN))
    if x.rank == 1 or w.target == "keras":
        return _made(w, "keras.ops.matmul({a}, {b})", a=w.expr(a, PLAIN), b=w.expr(b, PLAIN))
    casts = dtypes.promotions(w, [a, b], at)
    words = ""
    nodes: dict[str, Any] = {}
    for name, node, c in (("a", a, casts[0]), ("b", b, casts[1])):
        inner = swapped(w, node, rank) if c is None else None
        if inner is not None:
            words += f", transpose_{name}=True"
        new = w.expr(inner if inner is not None else node, PLAIN)
        nodes[name] = new if c is None else dtypes.cast(w, new, c)
    return _made(w, "tf.matmul({a}, {b}" + words + ")", **nodes)


def swapped(w: Any, node: cst.BaseExpression, known: int | None = None) -> cst.BaseExpression | None:
    """x of `x.transpose(-1, -2)`, `x.mT`, `x.t()`: a transpose of the last two axes."""
    if isinstance(node, cst.Attribute) and node.attr.value in ("mT", "T") and w.fact(node.value).kind is Kind.TENSOR:
        return node.value if node.attr.value == "mT" or w.fact(node.value).rank == 2 else None
    if not isinstance(node, cst.Call):
        return None
    symbol = w.fact(node.func).symbol
    name = symbol.rpartition(".")[2]
    if name not in SWAPS or not symbol.startswith(("tensor.", "torch.")):
        return None
    method = symbol.startswith("tensor.")
    inner = node.func.value if method and isinstance(node.func, cst.Attribute) else node.args[0].value
    given = [w.fact(a.value).literal(...) for a in node.args[0 if method else 1:] if a.keyword is None]
    rank = w.fact(inner).rank or known
    if any(a.keyword is not None for a in node.args):
        return None
    if name == "t":
        return inner
    if name in ("transpose", "swapaxes") and len(given) == 2 and all(isinstance(g, int) for g in given):
        axes = {g if g < 0 or rank is None else g - rank for g in given}
        return inner if axes == {-1, -2} else None
    flat = given[0] if len(given) == 1 and isinstance(given[0], tuple) else tuple(given)
    n = len(flat)
    return inner if n >= 2 and flat == (*range(n - 2), n - 1, n - 2) else None


def _made(w: Any, tf: str, keras: str = "", **nodes: Any) -> cst.BaseExpression:
    text = keras if w.target == "keras" and keras else tf
    w.need(text.partition(".")[0])
    return build(text, **nodes)


def einsum(job: Job) -> cst.BaseExpression:
    operands = job.bound.args["operands"]
    function = "keras.ops.einsum" if job.w.target == "keras" else "tf.einsum"
    job.w.need(function.partition(".")[0])
    equation = job.expr("equation")
    if isinstance(operands, cst.Tuple | cst.List):
        parts = [cst.Arg(job.w.expr(e.value, Layout.PLAIN)) for e in operands.elements]
    else:
        single = job.w.fact(operands).kind is Kind.TENSOR
        parts = [cst.Arg(job.w.expr(operands, Layout.PLAIN), star="" if single else "*")]
    return cst.Call(expression(function), [cst.Arg(equation), *parts])


# ---------------------------------------------------------------- new tensors
def zeros(job: Job) -> cst.BaseExpression:
    word = "ones" if job.symbol.endswith("ones") else "zeros"
    size = args.value(job, "size") if job.given("size") else job.w.expr(job.bound.args["size"])
    return filled(job, word, size, args.value(job, "dtype"))


def filled(job: Job, word: str, size: Any, dtype: Any) -> cst.BaseExpression:
    if dtype is ABSENT:
        return made(job, f"tf.{word}({{s}})", f"keras.ops.{word}({{s}})", s=size)
    return made(job, f"tf.{word}({{s}}, {{d}})", f"keras.ops.{word}({{s}}, dtype={{d}})", s=size, d=dtype)


def full(job: Job) -> cst.BaseExpression:
    size, value, dtype = (args.value(job, n) for n in ("size", "fill_value", "dtype"))
    if dtype is ABSENT:
        tail = ', dtype="bool"' if isinstance(job.literal("fill_value"), bool) else ""
        return made(job, "tf.fill({s}, {v})", "keras.ops.full({s}, {v}" + tail + ")", s=size, v=value)
    number = is_number(job.fact("fill_value")) or isinstance(job.literal("fill_value"), bool)
    if not number:
        value = dtypes.cast(job.w, value, dtype)
        return made(job, "tf.fill({s}, {v})", "keras.ops.broadcast_to({v}, {s})", s=size, v=value)
    return made(job, "tf.fill({s}, tf.constant({v}, {d}))", "keras.ops.full({s}, {v}, dtype={d})",
                s=size, v=value, d=dtype)


def zeros_like(job: Job) -> cst.BaseExpression:
    word = "ones" if "ones" in job.symbol else "zeros"
    x, dtype = first(job), args.value(job, "dtype")
    if dtype is ABSENT:
        return made(job, f"tf.{word}_like({{x}})", f"keras.ops.{word}_like({{x}})", x=job.expr(x))
    return made(job, f"tf.{word}_like({{x}}, {{d}})", f"keras.ops.{word}_like({{x}}, dtype={{d}})",
                x=job.expr(x), d=dtype)


def as_tensor(job: Job) -> cst.BaseExpression:
    """Of a tensor: itself, cast if a dtype is given; torch.tensor copies, and nothing changes in place here."""
    new, dtype = job.expr("data"), args.dtype(job, "dtype", "")
    return new if dtype is ABSENT else dtypes.cast(job.w, new, dtype)


def arange(job: Job) -> cst.BaseExpression:
    """`tf.range(start, end, step)`: a step of 1 is not written."""
    words = "{a}, {b}" if not job.given("step") else "{a}, {b}, {c}"
    nodes = {"a": job.expr("start"), "b": job.expr("end"), "c": job.expr("step")}
    dtype = args.value(job, "dtype")
    tail = "" if dtype is ABSENT else ", dtype={d}"
    nodes |= {} if dtype is ABSENT else {"d": dtype}
    return made(job, f"tf.range({words}{tail})", f"keras.ops.arange({words}{tail})", **nodes)


def linspace(job: Job) -> cst.BaseExpression:
    """tf.linspace takes floats; another dtype is cast to before, so that it counts in it."""
    dtype = args.value(job, "dtype")
    a, b = (_float(job, n) for n in ("start", "end"))
    if job.w.target == "keras":
        tail = "" if dtype is ABSENT else ", dtype={d}"
        return made(job, "keras.ops.linspace({a}, {b}, {n}" + tail + ")", a=a, b=b, n=job.expr("steps"), d=dtype)
    if dtype is not ABSENT:
        a = made(job, "tf.constant({a}, {d})", a=a, d=dtype)
    return made(job, "tf.linspace({a}, {b}, {n})", a=a, b=b, n=job.expr("steps"))


def _float(job: Job, name: str) -> cst.BaseExpression:
    value = job.literal(name)
    return expression(f"{value}.0") if type(value) is int and value >= 0 else (
        expression(repr(float(value))) if type(value) is int else job.expr(name))


# ---------------------------------------------------------------- picking
def index_select(job: Job) -> cst.BaseExpression:
    x, axis = first(job), job.literal("dim")
    words = "" if axis == 0 else ", axis={a}"
    return made(job, "tf.gather({x}, {i}" + words + ")", "keras.ops.take({x}, {i}, axis={a})", x=job.expr(x),
                i=job.expr("index"), a=args.axis(job, "dim", x))


def scatter(job: Job) -> cst.BaseExpression:
    name = "src" if "src" in job.bound.args else "value"
    return made(job, "helpers.scatter({x}, {d}, {i}, {s})", x=job.expr(first(job)), d=job.expr("dim"),
                i=job.expr("index"), s=job.expr(name))


def tril(job: Job) -> cst.BaseExpression:
    """tf.linalg.band_part counts what is kept; -1 is all."""
    k, lower = job.literal("diagonal"), job.symbol.endswith("tril")
    x = job.expr(first(job))
    if job.w.target == "keras" or not isinstance(k, int) or (k < 0 if lower else k > 0):
        word = "tril" if lower else "triu"
        return made(job, f"keras.ops.{word}({{x}})" if k == 0 else f"keras.ops.{word}({{x}}, k={{k}})", x=x,
                    k=job.expr("diagonal"))
    return made(job, f"tf.linalg.band_part({{x}}, -1, {k})" if lower else f"tf.linalg.band_part({{x}}, {-k}, -1)", x=x)


def bucketize(job: Job) -> cst.BaseExpression:
    """tf.searchsorted takes one row of boundaries for each row of values; keras.ops' takes one for all."""
    side = {False: "left", True: "right"}.get(job.literal("right"))
    boundaries = "boundaries" if "boundaries" in job.bound.args else "sorted_sequence"
    if side is None:
        raise job.refuse("P208", "`right` is not known")
    tail = "" if side == "left" else ', side="right"'
    nodes: dict[str, Any] = {"b": job.expr(boundaries), "x": job.expr("input")}
    keras = 'keras.ops.cast(keras.ops.searchsorted({b}, {x}' + tail + '), "int64")'
    ranks = job.fact(boundaries).rank, job.fact("input").rank
    if ranks[0] is None or (ranks[0] != 1 and ranks[0] != ranks[1]):
        raise job.refuse("P208", "whether there is one row of boundaries for all is not known")
    if job.w.target == "keras" and ranks[0] != 1:
        raise job.refuse("P203", "keras.ops.searchsorted takes one row of boundaries")
    if ranks[0] == ranks[1]:
        return made(job, "tf.searchsorted({b}, {x}" + tail + ", out_type=tf.int64)", keras, **nodes)
    return made(job, "helpers.bucketize({x}, {b}" + tail + ")", **nodes)


def variable(job: Job) -> cst.BaseExpression:
    """Variable(x) is a tensor without x's history; what is new has none."""
    node = job.bound.args["data"]
    new = job.expr("data")
    if isinstance(node, cst.Call) or (isinstance(node, cst.Attribute) and node.attr.value == "data"):
        return new
    return made(job, "tf.stop_gradient({x})", "keras.ops.stop_gradient({x})", x=new)


# ---------------------------------------------------------------- activations, dropout, norms
def dropout(job: Job) -> cst.BaseExpression:
    """The rate is 0 outside training."""
    flag = "train" if "train" in {p.name for p in job.bound.signature.params} else "training"
    training = job.literal(flag)
    x, p = job.expr("input"), job.expr("p")
    if training is False:
        return x
    keras = "keras.random.dropout({x}, {p})"
    if training is True:
        return made(job, "tf.nn.dropout({x}, {p})", keras, x=x, p=p)
    rate = build("{p} if {t} else 0.0", p=p, t=job.expr(flag))
    return made(job, "tf.nn.dropout({x}, {p})", keras, x=x, p=rate)


def channel_dropout(job: Job) -> cst.BaseExpression:
    """Whole channels: the noise is one number for all places of a channel."""
    training, rank = job.literal("training"), job.fact("input").rank
    if training is False:
        return job.expr("input")
    p = job.expr("p") if training is True else build("{p} if {t} else 0.0", p=job.expr("p"), t=job.expr("training"))
    if not dtypes.is_variable(job.bound.args["input"]):
        return made(job, "helpers.channel_dropout({x}, {p})", x=job.expr("input"), p=p)
    ones = ", ".join(["1"] * ((rank or 4) - 2))
    job.w.need("keras")
    shape = build(f"(keras.ops.shape({{x}})[0], {ones}, keras.ops.shape({{x}})[-1])", x=job.expr("input"))
    return made(job, "tf.nn.dropout({x}, {p}, noise_shape={n})", "keras.random.dropout({x}, {p}, noise_shape={n})",
                x=job.expr("input"), p=p, n=shape)


def elu(job: Job) -> cst.BaseExpression:
    if job.literal("alpha") in (1, 1.0):
        return made(job, "tf.nn.elu({x})", "keras.ops.elu({x})", x=job.expr("input"))
    return made(job, "keras.ops.elu({x}, alpha={a})", x=job.expr("input"), a=job.expr("alpha"))


def prelu(job: Job) -> cst.BaseExpression:
    """One slope for each channel, which is the last axis here."""
    rank, count = job.fact("input").rank, job.fact("weight").shape
    if count != (1,) and rank != 2 and job.want.value == "plain":
        raise job.refuse("P208", "which axis holds the channels is not known")
    x, weight = job.expr("input"), job.w.expr(job.bound.args["weight"])
    if not dtypes.is_variable(job.bound.args["input"]):
        return made(job, "helpers.prelu({x}, {w})", x=x, w=weight)
    return made(job, "tf.where({x} > 0, {x}, {w} * {x})", "keras.ops.where({x} > 0, {x}, {w} * {x})", x=x, w=weight)


def normalize(job: Job) -> cst.BaseExpression:
    """max(norm, eps) squared is what tf.math.l2_normalize takes."""
    eps, axis = job.literal("eps"), args.axis(job, "dim", "input")
    if job.w.target == "keras" or not isinstance(eps, float | int):
        return made(job, "helpers.l2_normalize({x}, {a}, {e})", x=job.expr("input"), a=axis, e=job.expr("eps"))
    square = repr(float(f"{eps * eps:.15g}"))
    return made(job, f"tf.math.l2_normalize({{x}}, axis={{a}}, epsilon={square})", x=job.expr("input"), a=axis)


def batch_norm(job: Job) -> cst.BaseExpression:
    nodes: dict[str, Any] = {n: job.w.expr(job.bound.args[n]) if job.given(n) else expression("None")
                             for n in ("running_mean", "running_var", "bias", "weight")}
    nodes |= {"x": job.expr("input"), "e": job.expr("eps")}
    both = "batch_normalization({x}, {running_mean}, {running_var}, "
    return made(job, f"tf.nn.{both}{{bias}}, {{weight}}, {{e}})",
                f"keras.ops.{both}axis=-1, offset={{bias}}, scale={{weight}}, epsilon={{e}})", **nodes)


def rms_norm(job: Job) -> cst.BaseExpression:
    shape = job.bound.args["normalized_shape"]
    several = isinstance(shape, cst.Tuple | cst.List) and len(shape.elements) != 1
    if several:
        raise job.refuse("P202", "several axes; write the mean of squares out")
    nodes: dict[str, Any] = {"x": job.expr("input"), "e": job.expr("eps")}
    if job.given("weight") and job.literal("weight") is not None:
        return made(job, "helpers.rms_norm({x}, {w}, {e})", w=job.expr("weight"), **nodes)
    return made(job, "helpers.rms_norm({x}, eps={e})", **nodes)


ROWS: dict[str, Any] = {f.__name__: f for f in (
    matmul, einsum, zeros, full, zeros_like, as_tensor, arange, linspace, index_select, scatter, tril, bucketize,
    variable, dropout, channel_dropout, elu, prelu, normalize, batch_norm, rms_norm)}
