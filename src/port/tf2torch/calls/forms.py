"""Calls of functions that have a shorter form in Python or in PyTorch than their row, and the device of new tensors."""

from __future__ import annotations

import libcst as cst

from port.build import build, expression
from port.facts import Kind
from port.tf2torch.calls.job import Job, arrange
from port.tf2torch.infer.conditions import is_exact_number, is_number
from port.tf2torch.infer.rowcalls import PYTHON
from port.tf2torch.infer.values import ShapeOf, Size
from port.tree import code


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
CREATED = ("fill", "range", "eye")
ON_DEVICE = {"torch.zeros", "torch.ones", "torch.full", "torch.arange", "torch.linspace", "torch.eye", "torch.randn",
             "torch.rand", "torch.randint", "torch.normal"}


def on_device(job: Job, new: cst.BaseExpression) -> cst.BaseExpression:
    """A new tensor whose size came from another one belongs on its device."""
    if job.row.returns not in CREATED or not isinstance(new, cst.Call) or code(new.func) not in ON_DEVICE:
        return new
    if job.em.scope.stage == "init" or any(a.keyword is not None and a.keyword.value == "device" for a in new.args):
        return new
    source = next((s for a in job.bound.args.values() if (s := tensor_of(job, a))), "") or own_tensor(job)
    if not source:
        return new
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    device = cst.Arg(expression(f"{source}.device"), keyword=cst.Name("device"), equal=equal)
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = new.args[-1]
    held = [*new.args[:-1], last.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))]
    return new.with_changes(args=[*held, device])


def tensor_of(job: Job, node: cst.CSTNode) -> str:
    """The variable whose shape this value came from."""
    payload = job.em.fact(node).payload
    if isinstance(payload, Size) and payload.of:
        return payload.of
    if isinstance(payload, ShapeOf) and payload.name:
        return payload.name
    if isinstance(node, cst.Lambda):
        return ""
    return next((s for c in node.children if (s := tensor_of(job, c))), "")


def own_tensor(job: Job) -> str:
    """In a method that runs: its first tensor, which callers must give."""
    function = job.em.scope.function
    if job.em.scope.stage != "forward" or function is None or function.owner is None:
        return ""
    return next((p for p in function.params if p not in function.defaults and (
        f := function.tensors.get(p)) is not None and f.kind is Kind.TENSOR), "")
