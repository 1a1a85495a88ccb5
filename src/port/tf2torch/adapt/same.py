"""Layers that were modules of PyTorch, with its arguments and its call: see `ownhelpers.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port.build import paren
from port.tf2torch.calls.job import Job
from port.tf2torch.calls.making import Plan, module_call, prepare
from port.tf2torch.infer.values import tensors_in


def as_torch(job: Job) -> Plan:
    """Made and called as it is written; its tensors have the source's axes."""
    em = job.em
    prepare(job)

    def run(callee: Any, args: list[cst.Arg], node: cst.Call) -> cst.BaseExpression:
        if any(t.mask is not None for a in args for t in tensors_in(em.fact(a.value))):
            raise job.refuse("P206", "Keras gives this layer the mask of its input; pass the mask, or the lengths")
        made = [a.with_changes(value=em.plain(a.value)) for a in args]
        return node.with_changes(func=paren(callee), args=made)

    return Plan(job, True, job.row.attr, lambda: module_call(job), run)


LAYERS: dict[str, Callable[[Job], Plan | None]] = {"as_torch": as_torch}
