"""Calls of functions that have a shorter form in Python or in PyTorch than their row, and the device of new tensors."""

from __future__ import annotations

from functools import cache

import libcst as cst

from port.build import build, expression
from port.facts import Fact, Kind
from port.tf2torch.calls.arrays import is_dtype, made_tensor, own_tensor, tensor_of, with_device
from port.tf2torch.calls.job import VALUES, Job, arrange
from port.tf2torch.calls.sizes import size_form
from port.tf2torch.infer.conditions import is_exact_number, is_number
from port.tf2torch.infer.sizes import PYTHON, are_numbers, is_computed_float, is_table
from port.tree import code, rebuild


def python_form(job: Job) -> cst.BaseExpression | None:
    """`tf.sqrt` of a number is `math.sqrt`; of what is only by default a number, torch's with a tensor of it."""
    row = job.row
    if (sized := size_form(job)) is not None:
        return sized
    given = list(job.bound.args.values())
    if row.name == "stack" and len(given) == 1 and is_table(held := job.em.fact(given[0])):
        return made_tensor(job.em, given[0], job.em.expr(given[0]), is_computed_float(held))
    function = PYTHON.get(row.name, "")
    facts = [job.em.fact(a) for n, a in job.bound.args.items() if n not in row.ignore]
    if not function or job.inputs or not facts:
        return None
    if not all(is_number(f) or f.dtype == "setting" for f in facts) and not are_numbers(facts):
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
    given = sorted(job.bound.args.values(), key=lambda a: not is_dtype(a))
    source = next((s for a in given if (s := tensor_of(job.em, a))), "") or own_tensor(job.em)
    return with_device(new, source) if values else _placed(new, source)  # type: ignore[arg-type,return-value]


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
