"""Whole calls that a row's parameters alone do not tell: the form depends on ranks, sizes and kinds of arguments."""

from __future__ import annotations

import math
from typing import Any

import libcst as cst

from port.build import build, expression, helper_names
from port.facts import Layout, dim_value
from port.torch2tf import args, dtypes, openviews, thinviews
from port.torch2tf.binds import tuple_of
from port.torch2tf.conditions import is_number, is_sequence
from port.torch2tf.jobs import ABSENT, Job
from port.torch2tf.opaxes import may_stay
from port.torch2tf.refused import Refused
from port.torch2tf.values import ShapeOf
from port.tree import code


def first(job: Job) -> str:
    return job.bound.signature.params[0].name


def made(job: Job, tf: str, keras: str = "", **nodes: Any) -> cst.BaseExpression:
    """A template in the target's spelling, with the imports and helpers that it needs."""
    from port.torch2tf.rows import note_needs

    text = keras if job.w.target == "keras" and keras else tf
    new = build(text, **nodes)
    note_needs(job.w, build(text, **dict.fromkeys(nodes, "None")))
    return helper_names(new)  # type: ignore[return-value]


def size_at(job: Job, name: str, axis: int) -> cst.BaseExpression:
    """One size of a tensor: a Python number where it is known at all."""
    fact = job.fact(name)
    if fact.layout is Layout.FLIPPED:
        assert fact.rank is not None
        axis = args.moved_axis(axis, fact.rank)
    rank = fact.rank if fact.rank is not None else abs(axis) + 1
    if not -rank <= axis < rank:
        raise Refused("P208", f"a tensor of {rank} axes has no axis {axis}", job.node)
    known = fact.shape is not None and axis % rank != 0 and dim_value(fact.shape[axis]) is not None
    job.w.need("keras")
    return build(f"{{x}}.shape[{axis}]" if known else f"keras.ops.shape({{x}})[{axis}]",
                 x=job.w.expr(job.bound.args[name]))


# ---------------------------------------------------------------- shapes
def reshape(job: Job) -> cst.BaseExpression:
    """`view` takes a dtype as well; one unknown size beside the batch is written out where it is known."""
    x, name = first(job), job.bound.signature.params[1].name
    node = job.bound.args.get(name)
    if node is not None and (d := dtypes.dtype_name(job.w.fact(node).symbol)):
        return made(job, "tf.bitcast({x}, {d})", x=job.expr(x), d=dtypes.spell(job.w, d))
    sizes = args.value(job, name)
    known = _merged(job, node)
    if known is not None and isinstance(sizes, cst.Tuple | cst.List):
        elements = [e if not openviews.is_minus_one(e.value) else e.with_changes(value=expression(str(known)))
                    for e in sizes.elements]
        sizes = sizes.with_changes(elements=elements)
    result = job.w.fact(job.node)
    if result.layout is Layout.FLIPPED:
        assert result.rank is not None
        sizes = thinviews.ordered(sizes, result.rank, Layout.FLIPPED)
        if sizes is None:
            raise job.refuse("P209", "its sizes cannot be written for a tensor that is channels last")
    if isinstance(sizes, cst.Tuple | cst.List) and (
            openviews.hides_a_size(job.w.it, job.node, node) or openviews.gives_images(job.w, job.node, node)):
        return made(job, "helpers.view({x}, {s})", x=job.expr(x), s=sizes)
    return made(job, "tf.reshape({x}, {s})", "keras.ops.reshape({x}, {s})", x=job.expr(x), s=sizes)


def _merged(job: Job, node: Any) -> int | None:
    """The size that -1 stands for in `x.view(x.size(0), -1)`: a layer that follows must know it."""
    shape = job.fact(first(job)).shape
    if not isinstance(node, cst.Tuple | cst.List) or len(node.elements) != 2 or shape is None or len(shape) < 3:
        return None
    one, two = (e.value for e in node.elements)
    if not openviews.is_minus_one(two) or not openviews.is_batch(job.w.fact(one)):
        return None
    sizes = [dim_value(d) for d in shape[1:]]
    return None if None in sizes else math.prod(sizes)  # type: ignore[arg-type]


def stays(job: Job) -> bool:
    """Channels last to first, or back: the tensor has these axes in the target already."""
    return job.want is Layout.FLIPPED or job.w.fact(job.node).layout is Layout.FLIPPED


def permute(job: Job) -> cst.BaseExpression:
    x = first(job)
    if stays(job):
        return job.expr(x)
    return made(job, "tf.transpose({x}, {p})", "keras.ops.transpose({x}, {p})", x=job.expr(x),
                p=args.perm(job, job.bound.signature.params[1].name, ""))


def transpose(job: Job) -> cst.BaseExpression:
    x = first(job)
    if stays(job):
        return job.expr(x)
    a, b, rank = job.literal("dim0"), job.literal("dim1"), job.fact(x).rank
    if isinstance(a, int) and isinstance(b, int) and rank is not None:
        order = list(range(rank))
        order[a % rank], order[b % rank] = order[b % rank], order[a % rank]
        if order == list(range(rank)):
            return job.expr(x)
        if rank == 2:
            return made(job, "tf.transpose({x})", "keras.ops.transpose({x})", x=job.expr(x))
        return made(job, f"tf.transpose({{x}}, {order})", f"keras.ops.transpose({{x}}, {order})", x=job.expr(x))
    if {a, b} == {-1, -2}:
        return made(job, "tf.linalg.matrix_transpose({x})", "keras.ops.swapaxes({x}, -1, -2)", x=job.expr(x))
    return made(job, "keras.ops.swapaxes({x}, {a}, {b})", x=job.expr(x), a=job.expr("dim0"), b=job.expr("dim1"))


def flatten(job: Job) -> cst.BaseExpression:
    x = first(job)
    start, end, shape = job.literal("start_dim"), job.literal("end_dim"), job.fact(x).shape
    if start == 0 and end == -1:
        return made(job, "tf.reshape({x}, [-1])", "keras.ops.reshape({x}, [-1])", x=job.expr(x))
    fact = job.fact(x)
    if fact.layout is Layout.FLIPPED and job.want is Layout.FLIPPED and shape is not None and (start, end) == (1, -1):
        axes = str(list(range(1, len(shape) - 1)))  # all of size 1: the static size of the channels is kept
        return made(job, f"tf.squeeze({{x}}, {axes})", f"keras.ops.squeeze({{x}}, {axes})", x=job.expr(x))
    if fact.layout is Layout.FLIPPED and job.want is Layout.FLIPPED and shape is not None:  # the positions are joined
        if start != 2 or end not in (-1, len(shape) - 1):
            raise Refused("P209", "axes of a channels-last tensor are joined that do not lie side by side", job.node)
        return made(job, f"helpers.flatten({{x}}, 1, {len(shape) - 2})", x=job.expr(x))
    hidden = start == 1 and end == -1 and openviews.is_followed(job.w.it, job.node, True)
    if isinstance(start, int) and isinstance(end, int) and shape is not None and not (
            hidden and None in shape[1:]) and dtypes.is_variable(job.bound.args[x]):
        rank = len(shape)
        start, end = start % rank, end % rank
        inner = [dim_value(d) for d in shape[start:end + 1]]
        merged = "-1" if None in inner else str(math.prod(inner))  # type: ignore[arg-type]
        parts: list[Any] = [_size(job, x, i) for i in range(start)]
        parts += [expression(merged), *(_size(job, x, i) for i in range(end + 1, rank))]
        return made(job, "tf.reshape({x}, {s})", "keras.ops.reshape({x}, {s})", x=job.expr(x), s=tuple_of(parts))
    return made(job, "helpers.flatten({x}, {a}, {b})" if end != -1 else "helpers.flatten({x}, {a})", x=job.expr(x),
                a=job.expr("start_dim"), b=job.expr("end_dim"))


def _size(job: Job, x: str, axis: int) -> cst.BaseExpression:
    """A size that stays: its number, if it is not the batch and known."""
    known = dim_value(job.fact(x).shape[axis])  # type: ignore[index]
    return expression(str(known)) if known is not None and axis > 0 else size_at(job, x, axis)


def unflatten(job: Job) -> cst.BaseExpression:
    return made(job, "helpers.unflatten({x}, {d}, {s})", x=job.expr(first(job)), d=job.expr("dim"),
                s=args.sizes(job, "sizes", ""))


def squeeze(job: Job) -> cst.BaseExpression:
    """torch leaves an axis that is not of size 1; TF raises there."""
    x = first(job)
    axes, shape = job.literal("dim"), job.fact(x).shape
    if shape == ():
        return job.expr(x)
    if shape is not None and axes is not ...:
        several = axes if isinstance(axes, tuple) else (axes,)
        known = {a: dim_value(shape[a % len(shape)]) for a in several}
        unit = [a for a in several if known[a] in (1, None)]
        if not unit:
            return job.expr(x)
        if len(unit) < len(several):
            unit = [args.moved_axis(a, len(shape)) for a in unit] if job.want is Layout.FLIPPED else unit
            return made(job, f"tf.squeeze({{x}}, {unit})", f"keras.ops.squeeze({{x}}, {unit})", x=job.expr(x))
        if shape is not None and may_stay(shape, axes):
            return made(job, "helpers.squeeze({x}, {a})", x=job.expr(x), a=job.expr("dim"))
    return made(job, "tf.squeeze({x}, {a})", "keras.ops.squeeze({x}, {a})", x=job.expr(x), a=args.axis(job, "dim", x))


def expand(job: Job) -> cst.BaseExpression:
    """-1 keeps a size. One axis that grows is a repeat along it."""
    x, name = first(job), job.bound.signature.params[1].name
    node, shape = job.bound.args[name], job.fact(x).shape
    if not isinstance(node, cst.Tuple | cst.List) or any(isinstance(e, cst.StarredElement) for e in node.elements):
        sizes = args.sizes(job, name, "")
        return made(job, "helpers.expand({x}, {s})", x=job.expr(x), s=sizes)
    kept = [job.w.fact(e.value).literal(...) == -1 for e in node.elements]
    if shape is not None and len(shape) == len(kept):
        grown = [i for i, k in enumerate(kept) if not k]
        if len(grown) == 1 and shape[grown[0]] == 1:
            return made(job, f"tf.repeat({{x}}, {{n}}, axis={_signed(grown[0], len(kept))})",
                        f"keras.ops.repeat({{x}}, {{n}}, axis={_signed(grown[0], len(kept))})", x=job.expr(x),
                        n=job.w.expr(node.elements[grown[0]].value))
    grown = [i for i, k in enumerate(kept) if not k]
    if len(grown) == 1 and _just_made(job, job.bound.args[x]) in (grown[0], grown[0] - len(kept)):
        return made(job, f"tf.repeat({{x}}, {{n}}, axis={_signed(grown[0], len(kept))})",
                    f"keras.ops.repeat({{x}}, {{n}}, axis={_signed(grown[0], len(kept))})", x=job.expr(x),
                    n=job.w.expr(node.elements[grown[0]].value))
    if any(kept) and not dtypes.is_variable(job.bound.args[x]):
        return made(job, "helpers.expand({x}, {s})", x=job.expr(x), s=args.sizes(job, name, ""))
    parts = []
    for i, element in enumerate(node.elements):
        behind = i - len(kept)
        axis = behind if shape is None or len(shape) != len(kept) else i
        parts.append(size_at(job, x, axis) if kept[i] else job.w.expr(element.value))
    return made(job, "tf.broadcast_to({x}, {s})", "keras.ops.broadcast_to({x}, {s})", x=job.expr(x),
                s=tuple_of(parts))


def _just_made(job: Job, node: cst.BaseExpression) -> Any:
    """The axis of `x.unsqueeze(axis)`, which has the size 1."""
    if isinstance(node, cst.Call) and job.w.fact(node.func).symbol == "tensor.unsqueeze" and len(node.args) == 1:
        return job.w.fact(node.args[0].value).literal(...)
    return None


def _signed(axis: int, rank: int) -> int:
    return -1 if axis == rank - 1 else axis


def repeat(job: Job) -> cst.BaseExpression:
    """`tf.tile` wants a number for each axis; torch adds axes in front."""
    x, name = first(job), job.bound.signature.params[1].name
    node, rank = job.bound.args[name], job.fact(x).rank
    count = len(node.elements) if isinstance(node, cst.Tuple | cst.List) and not any(
        isinstance(e, cst.StarredElement) for e in node.elements) else None
    if count is None and is_number(job.fact(name)):
        count = 1
    if (rank is not None and count == rank) or (count is None and rank is None and not is_sequence(job.fact(name))):
        return made(job, "tf.tile({x}, {n})", "keras.ops.tile({x}, {n})", x=job.expr(x), n=args.sizes(job, name, ""))
    return made(job, "keras.ops.tile({x}, {n})", x=job.expr(x), n=args.sizes(job, name, ""))


# ---------------------------------------------------------------- sizes
def size(job: Job) -> cst.BaseExpression:
    x = first(job)
    node = job.bound.args[x]
    return shape_of(job.w, node, job.bound.args.get("dim"))


def shape_of(w: Any, node: cst.BaseExpression, index: cst.BaseExpression | None = None) -> cst.BaseExpression:
    """`x.shape`, `x.size()`, and one size of it; counted in the layout that the tensor has in the target."""
    w.need("keras")
    fact = w.fact(node)
    at = None if index is None else w.fact(index).literal(...)
    flipped = fact.layout is Layout.FLIPPED
    if index is None:
        if not flipped:
            return build("keras.ops.shape({x})", x=w.expr(node))
        order = args_order(fact.rank)
        return build(f"tuple(keras.ops.shape({{x}})[i] for i in {order})", x=w.expr(node))
    where: Any = w.expr(index)
    if flipped:
        if not isinstance(at, int) or fact.rank is None:
            return build("keras.ops.shape({x})[{i}]", x=w.expr(node, Layout.PLAIN), i=where)
        where = expression(str(args.moved_axis(at, fact.rank)))
    known = fact.shape is not None and isinstance(at, int) and -len(fact.shape) <= at < len(fact.shape) and dim_value(
        fact.shape[at]) is not None and at % len(fact.shape) != 0
    return build("{x}.shape[{i}]" if known else "keras.ops.shape({x})[{i}]", x=w.expr(node), i=where)


def args_order(rank: int | None) -> tuple[int, ...]:
    n = rank or 4
    return (0, n - 1, *range(1, n - 1))


# ---------------------------------------------------------------- numbers
def norm(job: Job) -> cst.BaseExpression:
    """p = 2 has the gradient 0 at zero in torch, and none in TF: `differs` in words, for it is what everyone writes."""
    x = first(job)
    name = next(p.name for p in job.bound.signature.params if p.name in ("p", "ord"))
    p, dim = job.literal(name), args.axis(job, "dim", x)
    keep = job.literal("keepdim")
    nodes: dict[str, Any] = {"x": args.plain(job, x)}
    tail = "" if dim is ABSENT else ", axis={d}"
    if keep is not False:
        tail += ", keepdims={k}"
        nodes["k"] = job.expr("keepdim")
    if dim is not ABSENT:
        nodes["d"] = dim
    one_axis = dim is ABSENT or is_number(job.fact("dim"))
    if p in ("fro", None, 2):
        keras = "keras.ops.sqrt(keras.ops.sum(keras.ops.square({x})" + tail + "))"
        matrix = isinstance(axes := job.literal("dim"), tuple) and len(axes) == 2
        tf = "tf.norm" if one_axis or matrix else "tf.math.reduce_euclidean_norm"  # tf.norm takes one axis or two
        job.w.report("P101", f"{job.symbol}: at a zero vector torch's gradient is 0, TensorFlow's is not a number",
                     job.node, job.symbol)
        return made(job, f"{tf}({{x}}{tail})", keras, **nodes)
    if p == 1:  # tf.norm of two axes is that of a matrix, another number
        tf = "tf.norm({x}, ord=1" + tail + ")" if one_axis else "tf.reduce_sum(tf.abs({x})" + tail + ")"
        return made(job, tf, "keras.ops.sum(keras.ops.abs({x})" + tail + ")", **nodes)
    if job.given(name) and _is_infinite(job.bound.args[name]):
        return made(job, "tf.reduce_max(tf.abs({x})" + tail + ")", "keras.ops.max(keras.ops.abs({x})" + tail + ")",
                    **nodes)
    if (p == ... and not is_number(job.fact(name))) or job.symbol.endswith("linalg.norm"):
        raise job.refuse("P208", f"`{name}` is not known")
    if (p != ... and not (isinstance(p, int | float) and p > 0)) or _is_negative(job.bound.args[name]):
        raise job.refuse("P202", f"`{name}` is no positive number")
    nodes["p"] = job.expr(name)
    return made(job, "tf.reduce_sum(tf.abs({x}) ** {p}" + tail + ") ** (1 / {p})",
                "keras.ops.sum(keras.ops.abs({x}) ** {p}" + tail + ") ** (1 / {p})", **nodes)


def _is_negative(node: cst.CSTNode) -> bool:
    return (isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Minus)) or '"-' in _text(node)


def _text(node: cst.CSTNode) -> str:
    return code(node).replace("'", '"')


def _is_infinite(node: cst.CSTNode) -> bool:
    return _text(node) in ('float("inf")', "math.inf", "torch.inf", "np.inf", "inf")


def addcmul(job: Job) -> cst.BaseExpression:
    op = "*" if job.symbol.rpartition(".")[2].startswith("addcmul") else "/"
    value = job.literal("value")
    nodes = {n: args.plain(job, n) for n in ("input", "tensor1", "tensor2")}
    if value == 1:
        return build(f"{{input}} + {{tensor1}} {op} {{tensor2}}", **nodes)
    return build(f"{{input}} + {{v}} * {{tensor1}} {op} {{tensor2}}", v=job.expr("value"), **nodes)


ROWS: dict[str, Any] = {f.__name__: f for f in (
    reshape, permute, transpose, flatten, unflatten, squeeze, expand, repeat, size, norm,
    addcmul)} | {"linalg_norm": norm}
__all__ = ["ROWS", "ShapeOf", "shape_of"]
