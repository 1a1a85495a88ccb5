"""Patches of images, with positions before channels in each patch as in TensorFlow."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Layout
from port.tf2torch.calls.job import Job, resolve_reaching
from port.tf2torch.infer.conditions import is_number
from port.tree import code


def patches(job: Job) -> cst.BaseExpression:
    """`images.unfold(1, 8, 8).unfold(2, 8, 8)` gives (rows, columns, channels, height, width)."""
    sizes = _pair(job, "sizes" if "sizes" in job.bound.args else "size")
    given = job.bound.args.get("strides")
    strides = sizes if given is None or job.em.fact(given).literal(...) is None else _pair(job, "strides")
    x = build("{x}", x=paren(job.expr("images", Layout.PLAIN)))
    for axis, (n, step) in enumerate(zip(sizes, strides, strict=True), 1):
        x = build(f"{{x}}.unfold({axis}, {{n}}, {{s}})", x=x, n=n, s=step)
    return build("{x}.permute(0, 1, 2, 4, 5, 3).flatten(3)", x=x)


def _pair(job: Job, name: str) -> list[Any]:
    """Height and width of `8`, `(8, 6)` or `[1, 8, 6, 1]`."""
    node = job.bound.args[name]
    value = job.em.fact(node).literal(...)
    if isinstance(node, cst.List | cst.Tuple):
        parts: list[Any] = [job.em.expr(e.value) for e in node.elements]
    elif isinstance(value, tuple):
        parts = [cst.Integer(str(v)) for v in value]
    elif is_number(job.em.fact(node)) or {type(v) for v in resolve_reaching(job.em, node)} == {int}:
        parts = [job.em.expr(node)] * 2
    else:
        raise job.refuse("P208", f"`{code(node)}`: whether this is a number or a pair is not known; write out a pair")
    return parts[1:3] if len(parts) == 4 else parts
