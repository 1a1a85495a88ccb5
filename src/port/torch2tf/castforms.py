"""Casts, and devices, which say nothing."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Kind, Layout
from port.torch2tf import dtypes
from port.torch2tf.jobs import Job
from port.torch2tf.opargs import PYTHON
from port.torch2tf.rowforms import first, made


def to(job: Job) -> cst.BaseExpression:
    """A dtype casts; a device says nothing; another tensor gives its dtype."""
    x, name = first(job), job.bound.signature.params[1].name
    node = job.bound.args.get(name)
    common = job.bound.common
    given = [e.value for e in node.elements] if isinstance(node, cst.Tuple) else [node] if node is not None else []
    given += [common[n] for n in ("dtype", "other") if n in common]
    new = job.expr(x)
    for value in given:
        fact = job.w.fact(value)
        if d := dtypes.dtype_name(fact.symbol):
            own = isinstance(value, cst.Name) and not job.w.it.names.resolve(value)
            if own and fact.symbol not in PYTHON:  # a parameter: others may be passed
                return dtypes.cast(job.w, new, job.w.expr(value))
            return new if job.fact(x).dtype == d else _cast_to(job, new, d, x)
        if fact.symbol == "tensor.dtype" or (isinstance(value, cst.Attribute) and value.attr.value == "dtype"):
            return dtypes.cast(job.w, new, job.w.expr(value))
        if fact.kind is Kind.TENSOR:
            other = dtypes.dtype_of(job.w, value)
            if other is None:
                raise job.refuse("P208", "the dtype of the tensor that is cast to is not known")
            return dtypes.cast(job.w, new, other)
        if isinstance(fact.literal(...), str) and job.symbol.endswith(".type"):
            raise job.refuse("P202", "a type named by a string")
        if fact.literal(...) is ... and not _is_device(value, fact) and not isinstance(fact.literal(...), str):
            raise job.refuse("P204", "whether a device or a dtype is given is not known")
    return new


def _is_device(node: cst.BaseExpression, fact: Any) -> bool:
    """torch.device(...), `x.device`, a variable that says so."""
    if isinstance(node, cst.Attribute):
        return node.attr.value.endswith("device")
    if isinstance(node, cst.Name):
        return "device" in node.value.lower() or fact.symbol == "torch.device"
    return (isinstance(node, cst.Call) and fact.symbol == "torch.device") or fact.symbol.startswith("torch.device")


def _cast_to(job: Job, new: cst.BaseExpression, dtype: str, x: str) -> cst.BaseExpression:
    return dtypes.cast(job.w, new, dtypes.spell(job.w, dtype))


def to_float(job: Job) -> cst.BaseExpression:
    """Of whole numbers and masks: the float type of what they meet; of floats: float32."""
    x = first(job)
    made_of = dtypes.category(job.fact(x).dtype)
    inner = job.bound.args[x]
    if isinstance(inner, cst.Call) and job.w.fact(inner.func).symbol == "torch.nn.functional.one_hot" and (
            len(inner.args) == 2 and job.w.target == "tf"):
        return made(job, "tf.one_hot({i}, {n}, dtype={d})", i=job.w.expr(inner.args[0].value, Layout.PLAIN),
                    n=job.w.expr(inner.args[1].value), d=job.w.float_dtype())
    if job.fact(x).dtype == "float32":
        return job.expr(x)
    return dtypes.cast(job.w, job.expr(x), job.w.float_dtype() if made_of in (0, 1) else dtypes.spell(
        job.w, "float32"))


ROWS: dict[str, Any] = {"to": to, "to_float": to_float}
