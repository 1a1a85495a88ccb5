"""Adapters of whole function calls: casts, moments, slices, gathers by batch, resizing."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression, paren
from port.facts import Kind, Layout
from port.tf2torch.calls import Job, arrange, print_call
from port.tf2torch.infer import users
from port.tf2torch.infer.apply import PYTHON
from port.tf2torch.infer.conditions import is_exact_number, is_number
from port.tf2torch.infer.interp import code
from port.tf2torch.infer.opshapes import dtype_of
from port.tf2torch.infer.values import ShapeOf, Size

CASTS = {"to_float": "float32", "to_double": "float64", "to_int": "int64", "cast_to_floatx": "float32"}


def cast(job: Job) -> cst.BaseExpression | None:
    """A number or a size needs no cast to a float; a tensor that has the dtype, none at all."""
    name = job.bound.signature.params[0].name
    fact = job.fact(name)
    kind = CASTS.get(job.row.name) or dtype_of(job.fact("dtype")) or ""
    whole = kind.startswith(("int", "uint"))
    if is_number(fact) or fact.dtype == "setting":
        value = job.expr(name)
        known = isinstance(fact.payload, Size) or fact.dtype in ("int", "int?") or isinstance(
            fact.literal(None), int)
        if kind == "bool":
            return cst.Call(cst.Name("bool"), [cst.Arg(value)])
        return cst.Call(cst.Name("int"), [cst.Arg(value)]) if whole and not known else value
    if fact.kind is not Kind.TENSOR:
        node = job.bound.args[name]
        if fact.kind is Kind.PLAIN and not isinstance(node, cst.Name) and "dtype" in job.bound.args:
            from port.build import build  # an array of NumPy or a list, not a parameter that may be a tensor

            job.em.need("torch")
            return build("torch.as_tensor({x}, dtype={d})", x=job.expr(name), d=job.expr("dtype"))
        return None
    same = fact.dtype == kind and (whole or kind == "bool")
    target = job.bound.args.get("dtype")
    source = job.bound.args[name]
    same |= isinstance(target, cst.Attribute) and target.attr.value == "dtype" and code(target.value) == code(source)
    return job.expr(name, job.want) if same else None


def python_form(job: Job) -> cst.BaseExpression | None:
    """`tf.sqrt` of a number is `math.sqrt`; of what is only by default a number, torch's with a tensor of it."""
    row = job.row
    if row.name == "reduce_prod" and list(job.bound.args) == ["input_tensor"] and isinstance(
            job.fact("input_tensor").payload, ShapeOf):
        job.em.need("math")
        return build("math.prod({s})", s=arrange(job, job.bound.args["input_tensor"], None))
    function = PYTHON.get(row.name, "")
    facts = [job.em.fact(a) for n, a in job.bound.args.items() if n not in row.ignore]
    if not function or job.inputs or not facts or not all(is_number(f) or f.dtype == "setting" for f in facts):
        return None
    values = [arrange(job, a, None) for n, a in job.bound.args.items() if n not in row.ignore]
    exact = all(is_exact_number(f) or f.dtype == "setting" for f in facts)
    if not exact and len(values) == 1 and function != "abs":
        job.em.need("torch")
        return build(f"torch.{row.name}(torch.as_tensor({{x}}))", x=values[0])
    if not exact and function == "math.pow":
        return build("{a} ** {b}", a=values[0], b=values[1])
    if function.startswith("math."):
        job.em.need("math")
    return cst.Call(expression(function), [cst.Arg(v) for v in values])


def moments(job: Job) -> None:
    """As the row says; `control.statement_rule` swaps the names of an assignment instead."""
    return None


def slice_(job: Job) -> cst.BaseExpression:
    """`x[b0:b0 + s0, ...]`."""
    begin, size = (job.bound.args[n] for n in ("begin", "size"))
    x = job.expr("input_", Layout.PLAIN)
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
        if isinstance(a, cst.Name) and function is not None and users.documented_rank(function, a.value):
            job.em.report("P103", f"`{a.value}` is taken to have the axes that the docstring names", a)
    from port.tf2torch import adapt

    job.em.need("torch")
    indices = adapt.ARGS["index"](job, "indices", job.row.args.get("indices"))
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


UNBOUND = "tuple(indices.unbind(-1))"


def shortened(job: Job, template: str, nodes: dict[str, cst.BaseExpression]) -> str:
    """Indices that were only just put together need not be taken apart: `t.index_put((p,), rows)`."""
    node = job.bound.args.get("indices")
    parts = _stacked(job, node) if UNBOUND in template and node is not None else None
    if parts is None:
        return template
    for i, part in enumerate(parts):
        value = job.em.expr(part)
        known = job.em.fact(part).dtype
        nodes[f"INDEX_{i}"] = build("{i}.long()", i=value) if known not in (None, "int32", "int64") else value
    names = ", ".join(f"INDEX_{i}" for i in range(len(parts)))
    return template.replace(UNBOUND, f"({names},)" if len(parts) == 1 else f"({names})")


def _stacked(job: Job, node: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """The tensors that `p[:, tf.newaxis]` or `tf.stack([a, b], axis=-1)` joins along a new last axis."""
    em = job.em
    if isinstance(node, cst.Subscript) and len(node.slice) > 1:
        *heads, last = [e.slice for e in node.slice]
        whole = all((isinstance(h, cst.Slice) and h.lower is h.upper is h.step is None) or (
            isinstance(h, cst.Index) and isinstance(h.value, cst.Ellipsis)) for h in heads)
        rank = em.fact(node.value).rank
        ends = isinstance(heads[-1], cst.Index) or rank in (None, len(heads))
        new = isinstance(last, cst.Index) and em.fact(last.value).symbol in ("tf.newaxis", "numpy.newaxis")
        if whole and ends and new and rank is None and not isinstance(heads[-1], cst.Index):
            em.report("P103", f"`{code(node.value)}` is taken to have {len(heads)} axes", node)
        return [node.value] if whole and ends and new else None
    if isinstance(node, cst.Call) and em.symbol(node.func) in ("tf.stack", "keras.ops.stack"):
        first, *rest = node.args
        axis = em.fact(rest[0].value).literal(...) if len(rest) == 1 else ...
        if isinstance(first.value, cst.List | cst.Tuple) and axis in (-1, em.fact(node).rank and (
                em.fact(node).rank - 1)):
            return [e.value for e in first.value.elements]
    return None


ROWS: dict[str, Any] = {"cast": cast, "moments": moments, "slice": slice_, "gather_batch_dims": gather_batch_dims,
                        "resize": resize}
