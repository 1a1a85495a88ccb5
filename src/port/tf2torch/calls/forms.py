"""Calls of functions that have a shorter form in Python or in PyTorch than their row, and the device of new tensors."""

from __future__ import annotations

from functools import cache

import libcst as cst

from port.build import TIGHT, build, expression
from port.facts import Fact, Kind
from port.tf2torch.calls.arrays import own_tensor
from port.tf2torch.calls.job import VALUES, Job, arrange
from port.tf2torch.infer.conditions import is_exact_number, is_number
from port.tf2torch.infer.rowcalls import OF_SHAPES, PYTHON
from port.tf2torch.infer.values import ShapeOf, Size
from port.tree import code, rebuild


def python_form(job: Job) -> cst.BaseExpression | None:
    """`tf.sqrt` of a number is `math.sqrt`; of what is only by default a number, torch's with a tensor of it."""
    row = job.row
    reduced = OF_SHAPES.get(row.name.removeprefix("v1_"), "")
    shape = job.bound.signature.params[0].name if reduced else ""
    if shape and list(job.bound.args) == [shape] and isinstance(job.fact(shape).payload, ShapeOf):
        if "math" in reduced:
            job.em.need("math")
        return build(f"{reduced}({{s}})", s=arrange(job, job.bound.args[shape], None))
    function = PYTHON.get(row.name, "")
    facts = [job.em.fact(a) for n, a in job.bound.args.items() if n not in row.ignore]
    if not function or job.inputs or not facts:
        return None
    if not all(is_number(f) or f.dtype == "setting" for f in facts):
        first = next(iter(job.bound.args.values()))
        share = facts[0].kind is Kind.PLAIN and isinstance(first, cst.BinaryOperation) and isinstance(
            first.operator, cst.Divide) and isinstance(first.left, cst.Float | cst.Integer)
        # `tf.sqrt(2.0 / n)`, where n is most often a number and may be a tensor
        return build("{x} ** 0.5", x=arrange(job, first, None)) if share and row.name == "sqrt" else None
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
        rank = em.fact(node).rank
        if isinstance(first.value, cst.List | cst.Tuple) and axis in (-1, rank - 1 if rank else rank):
            return [e.value for e in first.value.elements]
    return None


# ---------------------------------------------------------------- devices
ON_DEVICE = {"torch.zeros", "torch.ones", "torch.full", "torch.arange", "torch.linspace", "torch.eye", "torch.randn",
             "torch.rand", "torch.randint", "torch.normal", "torch.empty"}


def on_device(job: Job, new: cst.BaseExpression) -> cst.BaseExpression:
    """Tensors that are made among others belong on their device: that of the tensor which gives the size or the dtype,
    or of the first one that the method gets.
    """
    name = code(new.func) if isinstance(new, cst.Call) else ""
    values = name in VALUES and _is_array(job.em.fact(next(iter(job.bound.args.values()))))
    built = job.em.scope.stage in ("init", "late")
    if built or not (values or name in ON_DEVICE or _makes(job.row.expr.get("torch", ""))):
        return new
    given = sorted(job.bound.args.values(), key=lambda a: not _is_dtype(a))
    source = next((s for a in given if (s := tensor_of(job, a))), "") or own_tensor(job.em)
    return with_device(new, source) if values else _placed(new, source)  # type: ignore[arg-type,return-value]


def _is_dtype(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Attribute) and node.attr.value == "dtype" and isinstance(node.value, cst.Name)


def _is_array(fact: Fact) -> bool:
    """A list of numbers or an array of NumPy: no tensor, and not one number, which goes with tensors of any device."""
    return fact.kind is Kind.SHAPE or (fact.kind is Kind.PLAIN and not (is_number(fact) or fact.dtype == "setting"))


@cache
def _makes(template: str) -> bool:
    return any(f"{name}(" in template for name in ON_DEVICE)


def _placed(node: cst.CSTNode, source: str) -> cst.CSTNode:
    if not source:
        return node
    new = rebuild(node, lambda child: _placed(child, source))
    return with_device(new, source) if type(new) is cst.Call and code(new.func) in ON_DEVICE else new


def with_device(new: cst.Call, source: str) -> cst.Call:
    if not source or any(a.keyword is not None and a.keyword.value == "device" for a in new.args):
        return new
    device = cst.Arg(expression(f"{source}.device"), keyword=cst.Name("device"), equal=TIGHT)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = new.args[-1]
    held = [*new.args[:-1], last.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))]
    return new.with_changes(args=[*held, device])


def tensor_of(job: Job, node: cst.CSTNode) -> str:
    """The variable whose shape or dtype this value came from."""
    if _is_dtype(node) and job.em.fact(node.value).kind is Kind.TENSOR:  # type: ignore[attr-defined]
        return node.value.value  # type: ignore[attr-defined,no-any-return]
    payload = job.em.fact(node).payload
    name = payload.of if isinstance(payload, Size) else payload.name if isinstance(payload, ShapeOf) else ""
    if name and _is_here(job, name):
        return name
    if isinstance(node, cst.Lambda):
        return ""
    return next((s for c in node.children if (s := tensor_of(job, c))), "")


def _is_here(job: Job, name: str) -> bool:
    """Is it a variable of this function? A size that another one returned is known by the name there."""
    function, first = job.em.scope.function, name.partition(".")[0]
    return function is None or first == "self" or first in function.params or first in function.assigned
