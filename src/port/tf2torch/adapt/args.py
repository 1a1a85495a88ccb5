"""Adapters of single arguments: sizes, axes, momenta, penalties."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Layout
from port.table import Arg
from port.tf2torch.calls.job import Job
from port.tf2torch.infer.values import tensors_in
from port.tf2torch.settings import usually_none


def one(value: Any) -> bool:
    return value == 1 or (isinstance(value, tuple) and all(v == 1 for v in value))


def pair(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """An int or a tuple: the same on both sides; not written where it is the default 1 of both."""
    if not job.given(name):
        value = job.literal(name)
        if one(value) and arg.to in ("stride", "dilation"):
            return None
        return None if value is None else expression(repr(value))
    if job.literal(name) is None:
        return None
    node = job.bound.args[name]
    if isinstance(node, cst.List):
        return cst.Tuple([e.with_changes(value=job.em.expr(e.value)) for e in node.elements])
    return job.expr(name)


def axis(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """An axis, or several, counted in the layout that the tensor has here."""
    value = job.literal(name)
    if value is None:
        return None
    facts = list(tensors_in(job.em.fact(job.bound.args[arg.of])) if arg.of in job.bound.args else job.inputs)
    flipped = [t for t in facts if t.layout is Layout.FLIPPED] if job.want is not Layout.PLAIN else []
    if not flipped:
        return job.expr(name) if job.given(name) else expression(repr(value))
    rank = next((t.rank for t in flipped if t.rank is not None), None)
    if value is ...:
        raise job.refuse("P209", f"`{name}` is not a literal, and the tensor is channels first")
    if rank is None:
        if value in (-1, 3) and not isinstance(value, tuple):
            return expression("1")
        raise job.refuse("P208", f"the rank that `{name}` counts in is not known")

    def move(a: int) -> int:
        a %= rank
        return 0 if a == 0 else 1 if a == rank - 1 else a + 1

    moved = tuple(move(a) for a in value) if isinstance(value, tuple) else move(value)
    return expression(repr(moved))


def regularizer(job: Job, name: str, arg: Arg) -> None:
    """A penalty is part of Keras' loss, not of the layer."""
    _left_to_training(job, name, "Keras adds this penalty to the loss; add the term to your loss")


def constraint(job: Job, name: str, arg: Arg) -> None:
    _left_to_training(job, name, "Keras projects the weight after every update; do so after optimizer.step()")


def _left_to_training(job: Job, name: str, what: str) -> None:
    if job.literal(name) is None:
        return
    if usually_none(job.em, job.bound.args.get(name)):
        job.em.report("P103", f"`{name}` is taken as None, its default. Where one is given, {what}", job.node)
    else:
        job.em.report("P205", f"`{name}`: {what}", job.node)


def one_minus(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """PyTorch's momentum is the weight of the new value."""
    value = job.literal(name)
    node = job.bound.args.get(name)
    if isinstance(value, int | float) and (node is None or isinstance(node, cst.Float | cst.Integer)):
        return expression(_decimal(value))
    assert node is not None
    return build("1 - {m}", m=job.expr(name))


def _decimal(value: float) -> str:
    """1 - value without the noise of binary fractions: 0.01, not 0.010000000000000009."""
    digits = len(repr(float(value)).partition(".")[2].partition("e")[0])
    return repr(round(1 - value, max(digits, 1) if "e" not in repr(value) else 17))


def last_axis(job: Job, name: str, arg: Arg) -> None:
    """The layer must act on the last axis (of the source)."""
    value = job.literal(name)
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    rank = job.inputs[0].rank if job.inputs else None
    if value == -1 or (rank is not None and value == rank - 1):
        return
    if rank is None and value == 3:
        return
    if rank in (None, 3) and value == 1 and job.row.name.startswith("batch_norm"):
        return  # BatchNorm1d: axis 1 of two or three, as in Keras; it raises for more
    raise job.refuse("P202", f"`{name}={value}`: only the last axis is translated")


def mask_zero(job: Job, name: str, arg: Arg) -> None:
    """The mask is a fact that travels with the tensor; see masking.py."""


def shape(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    node = job.bound.args[name]
    if isinstance(node, cst.List | cst.Tuple):
        return job.em.expr(node)
    return job.expr(name)


ARGS = {f.__name__: f for f in (pair, axis, regularizer, constraint, one_minus, last_axis, mask_zero, shape)}
