"""Adapters of whole function calls: casts, moments, slices, gathers by batch, resizing."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind, Layout
from port.table import Arg
from port.tf2torch.adapt.ops import STACKS, dtype, index
from port.tf2torch.calls.arguments import print_call
from port.tf2torch.calls.handed import check_handed
from port.tf2torch.calls.job import Job
from port.tf2torch.infer.analysis import documented_rank
from port.tf2torch.infer.arrays import is_array
from port.tf2torch.infer.conditions import is_number
from port.tf2torch.infer.opshapes import dtype_of
from port.tf2torch.infer.sizes import is_truth
from port.tf2torch.infer.values import Size
from port.tree import code

CASTS = {"to_float": "float32", "to_double": "float64", "to_int": "int64", "cast_to_floatx": "float32"}


def cast(job: Job) -> cst.BaseExpression | None:
    """A number or a size needs no cast to a float; a tensor that has the dtype, none at all."""
    name = job.bound.signature.params[0].name
    fact = job.fact(name)
    kind = CASTS.get(job.row.name) or dtype_of(job.fact("dtype")) or ""
    whole = kind.startswith(("int", "uint"))
    if is_truth(fact):
        return job.expr(name) if kind == "bool" else build(f"{'int' if whole else 'float'}({{x}})", x=job.expr(name))
    if is_number(fact) or fact.dtype == "setting":
        value = job.expr(name)
        known = isinstance(fact.payload, Size) or fact.dtype in ("int", "int?") or isinstance(
            fact.literal(None), int)
        if kind == "bool":
            return cst.Call(cst.Name("bool"), [cst.Arg(value)])
        return cst.Call(cst.Name("int"), [cst.Arg(value)]) if whole and not known else value
    if fact.kind is not Kind.TENSOR:
        node = job.bound.args[name]
        array = not isinstance(node, cst.Name) or is_array(fact)
        if (fact.kind is Kind.SHAPE or (fact.kind is Kind.PLAIN and array)) and "dtype" in job.bound.args:
            job.em.need("torch")
            maker = "tensor" if fact.kind is Kind.SHAPE else "as_tensor"
            return build(f"torch.{maker}({{x}}, dtype={{d}})", x=job.expr(name), d=dtype(job, "dtype", Arg("dtype")))
        return None
    same = fact.dtype == kind and (whole or kind == "bool")
    target = job.bound.args.get("dtype")
    source = job.bound.args[name]
    same |= isinstance(target, cst.Attribute) and target.attr.value == "dtype" and code(target.value) == code(source)
    return job.expr(name, job.want) if same else None




def moments(job: Job) -> None:
    """As the row says; `control.statement_rule` swaps the names of an assignment instead."""
    return None


def slice_(job: Job) -> cst.BaseExpression:
    """`x[b0:b0 + s0, ...]`."""
    tensor, first, count = (p.name for p in job.bound.signature.params[:3])
    begin, size = job.bound.args[first], job.bound.args[count]
    x = job.expr(tensor, Layout.PLAIN)
    starts, sizes = _elements(job, begin), _elements(job, size)
    if starts is None or sizes is None or len(starts) != len(sizes):
        raise job.refuse("P208", "begin and size of tf.slice are not written out")
    parts = []
    for b, s in zip(starts, sizes, strict=True):
        parts.append(cst.Slice(None if code(b) == "0" else b, _end(b, s), None))
    while len(parts) > 1 and parts[-1].lower is None and parts[-1].upper is None:
        parts.pop()
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [cst.SubscriptElement(p, comma=comma if i < len(parts) - 1 else cst.MaybeSentinel.DEFAULT)
            for i, p in enumerate(parts)]
    return cst.Subscript(paren(x), made)


def _end(begin: cst.BaseExpression, size: cst.BaseExpression) -> cst.BaseExpression | None:
    b, s = code(begin), code(size)
    if s.replace(" ", "") == "-1":
        return None
    if b == "0":
        return size
    if b.isdigit() and s.isdigit():
        return expression(str(int(b) + int(s)))
    return build("{b} + {s}", b=begin, s=size)


def _elements(job: Job, node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    if isinstance(node, cst.Call) and node.args and job.em.symbol(node.func) in STACKS:
        return _elements(job, node.args[0].value)
    if isinstance(node, cst.List | cst.Tuple):
        return [job.em.expr(e.value) for e in node.elements]
    value = job.em.fact(node).literal(...)
    return [expression(repr(v)) for v in value] if isinstance(value, tuple) else None


def gather_batch_dims(job: Job) -> cst.BaseExpression:
    """One row of indices per row of the batch: take_along_dim, the indices spread over what lies behind."""
    x, i = job.fact("params"), job.fact("indices")
    batch, axis = job.literal("batch_dims"), job.literal("axis")
    axis = batch if axis is None else axis
    if x.rank is None or i.rank is None or not isinstance(batch, int) or not isinstance(axis, int):
        raise job.refuse("P208", "tf.gather with batch_dims: the ranks of tensor and indices must be known; "
                                 "write torch.take_along_dim with the indices in the tensor's rank")
    axis %= x.rank
    batch %= i.rank + 1
    if axis != batch or i.rank not in (batch, batch + 1):
        raise job.refuse("P202", "tf.gather with these batch_dims, axis and ranks; use torch.take_along_dim")
    function = job.em.scope.function
    for a in (job.bound.args["params"], job.bound.args["indices"]):
        if isinstance(a, cst.Name) and function is not None and documented_rank(function, a.value):
            job.em.report("P103", f"`{a.value}` is taken to have the axes that the docstring names", a)
    job.em.need("torch")
    indices = index(job, "indices", Arg("indices"))
    behind = x.rank - batch - 1 + (i.rank == batch)
    if behind:
        spread = ", ".join([":"] * i.rank) if i.rank < 4 else "..."
        indices = build(f"{{i}}[{spread}{', None' * behind}]", i=indices)
    made = build(f"torch.take_along_dim({{x}}, {{i}}, dim={batch})", x=job.expr("params", Layout.PLAIN), i=indices)
    return build(f"{{g}}.squeeze({batch})", g=made) if i.rank == batch else made


def resize(job: Job) -> cst.BaseExpression:
    """TensorFlow's interpolation gives float32 whatever it gets."""
    if job.fact("images").dtype != "float32":
        job.before.append(lambda x: build("{x}.float()", x=x))
    return print_call(job)


def handed(job: Job) -> None:
    """The row's own form, if the function may be called with tensors whose axes are the source's."""
    check_handed(job.em, job.bound.args["func"], job.node)


ROWS: dict[str, Any] = {"cast": cast, "moments": moments, "slice": slice_, "gather_batch_dims": gather_batch_dims,
                        "resize": resize, "handed": handed}
