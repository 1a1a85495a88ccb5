"""Parts of tensors: splits, slices along an axis, and lists of tensors."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind, Layout, dim_value
from port.torch2tf import args, dtypes
from port.torch2tf.conditions import is_sequence
from port.torch2tf.jobs import ABSENT, Job
from port.torch2tf.rowforms import first, made


def split(job: Job) -> cst.BaseExpression:
    """torch's number is the size of a part, TF's is how many."""
    x, name = first(job), job.bound.signature.params[1].name
    sizes, shape, dim = job.literal(name), job.fact(x).shape, job.literal("dim")
    node = job.bound.args[name]
    axis = args.axis(job, "dim", x)
    if is_sequence(job.fact(name)) or isinstance(node, cst.List | cst.Tuple):
        return _split(job, x, job.expr(name), axis, sizes if isinstance(sizes, tuple) else None)
    targets = job.w.unpacked(job.node) if hasattr(job.w, "unpacked") else None
    known = dim_value(shape[dim % len(shape)]) if shape is not None and isinstance(dim, int) else None
    if isinstance(sizes, int) and known is not None:
        return _parts(job, x, known, sizes, axis)
    if targets and (isinstance(sizes, int) or dtypes.is_variable(node)):  # the last part is what is left
        each = cst.List([cst.Element(job.expr(name)) for _ in range(targets - 1)] + [cst.Element(expression("-1"))])
        return _split(job, x, each, axis, None)
    return made(job, "helpers.split({x}, {n}, axis={a})", x=job.expr(x), n=job.expr(name), a=axis)


def _parts(job: Job, x: str, total: int, size: int, axis: Any) -> cst.BaseExpression:
    if total % size == 0:
        return _split(job, x, expression(str(total // size)), axis, None)
    each = [size] * (total // size) + [total % size]
    return _split(job, x, expression(repr(each)), axis, tuple(each))


def _split(job: Job, x: str, n: Any, axis: Any, sizes: tuple[int, ...] | None) -> cst.BaseExpression:
    """keras.ops.split takes the places between the parts."""
    zero = axis is ABSENT or (isinstance(axis, cst.Integer) and axis.value == "0")
    tail = "" if zero else ", axis={a}"
    nodes = {"x": job.expr(x), "n": n} | ({} if zero else {"a": axis})
    if job.w.target == "keras" and isinstance(n, cst.List | cst.Tuple):
        if sizes is None:
            return made(job, "helpers.split({x}, {n}" + tail + ")", **nodes)
        places = [sum(sizes[:i]) for i in range(1, len(sizes))]
        return made(job, f"keras.ops.split({{x}}, {places}" + tail + ")", **nodes)
    return made(job, "tf.split({x}, {n}" + tail + ")", "keras.ops.split({x}, {n}" + tail + ")", **nodes)


def chunk(job: Job) -> cst.BaseExpression:
    """An uneven chunk is refused by TF, so it changes no number."""
    x = first(job)
    count, shape, dim = job.literal("chunks"), job.fact(x).shape, job.literal("dim")
    axis = args.axis(job, "dim", x)
    known = dim_value(shape[dim % len(shape)]) if shape is not None and isinstance(dim, int) else None
    if isinstance(count, int) and known is not None and known % count:
        return _parts(job, x, known, -(-known // count), axis)
    return _split(job, x, job.expr("chunks"), axis, None)


def tensor_split(job: Job) -> cst.BaseExpression:
    """By the places between the parts, as keras.ops.split takes them."""
    x, name = first(job), job.bound.signature.params[1].name
    if not is_sequence(job.fact(name)) and not isinstance(job.bound.args[name], cst.List | cst.Tuple):
        raise job.refuse("P208", "whether a number of parts or their places are given is not known")
    axis = args.axis(job, "dim", x)
    tail = "" if axis is ABSENT else ", axis={a}"
    return made(job, "keras.ops.split({x}, {p}" + tail + ")", x=job.expr(x), p=job.expr(name), a=axis)


def narrow(job: Job) -> cst.BaseExpression:
    x = first(job)
    start, length, rank = job.literal("start"), job.literal("length"), job.fact(x).rank
    begin = job.expr("start")
    end = expression(str(start + length)) if isinstance(start, int) and isinstance(length, int) else (
        job.expr("length") if start == 0 else build("{a} + {b}", a=begin, b=job.expr("length")))
    return _taken(job, x, rank, cst.Slice(None if start == 0 else begin, end, None))


def select(job: Job) -> cst.BaseExpression:
    x = first(job)
    return _taken(job, x, job.fact(x).rank, cst.Index(job.expr("index")))


def _taken(job: Job, x: str, rank: int | None, part: cst.BaseSlice) -> cst.BaseExpression:
    """`x[:, :, part]`."""
    dim = job.literal("dim")
    if not isinstance(dim, int):
        raise job.refuse("P208", "the axis is not written out")
    whole = cst.Slice(None, None, None)
    if dim < 0 and rank is None:
        parts: list[cst.BaseSlice] = [cst.Index(cst.Ellipsis()), part, *[whole] * (-1 - dim)]
    else:
        parts = [*[whole] * (dim % rank if rank else dim), part]
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    elements = [cst.SubscriptElement(p, comma=comma if i < len(parts) - 1 else cst.MaybeSentinel.DEFAULT)
                for i, p in enumerate(parts)]
    return cst.Subscript(paren(job.expr(x)), elements)


def meshgrid(job: Job) -> cst.BaseExpression:
    node = job.bound.args["tensors"]
    how = job.expr("indexing")
    function = "keras.ops.meshgrid" if job.w.target == "keras" else "tf.meshgrid"
    job.w.need(function.split(".")[0])
    if isinstance(node, cst.Tuple | cst.List):
        parts = [cst.Arg(job.w.expr(e.value, Layout.PLAIN), star="*" if isinstance(e, cst.StarredElement) else "")
                 for e in node.elements]
    else:
        parts = [cst.Arg(job.w.expr(node), star="*")]
    plain = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Call(expression(function), [*parts, cst.Arg(how, keyword=cst.Name("indexing"), equal=plain)])


def broadcast_tensors(job: Job) -> cst.BaseExpression:
    return made(job, "helpers.broadcast_tensors({t})", t=_listed(job))


def cartesian_prod(job: Job) -> cst.BaseExpression:
    return made(job, "helpers.cartesian_prod({t})", t=_listed(job))


def _listed(job: Job) -> Any:
    """Tensors that are given one by one, as a list."""
    node = job.bound.args["tensors"]
    if job.w.fact(node).kind is Kind.TENSOR:
        return cst.List([cst.Element(job.w.expr(node, Layout.PLAIN))])
    if not isinstance(node, cst.Tuple | cst.List):
        return job.w.expr(node)
    return cst.List([e.with_changes(value=job.w.expr(e.value, Layout.PLAIN)) for e in node.elements])


ROWS: dict[str, Any] = {f.__name__: f for f in (
    split, tensor_split, chunk, narrow, select, meshgrid, broadcast_tensors, cartesian_prod)}
