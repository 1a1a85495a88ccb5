"""Adapters of convolution and pooling functions: windows, kernels, padding."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import dim_value
from port.table import Arg
from port.tf2torch.adapt import padding
from port.tf2torch.adapt.padding import same_amounts
from port.tf2torch.calls.arguments import default_of
from port.tf2torch.calls.job import Job, resolve_reaching
from port.tf2torch.infer.conditions import is_number
from port.tf2torch.infer.opshapes import inner_window
from port.tree import code


def axes_of(job: Job) -> int:
    """How many axes the window has."""
    name = job.row.torch[0].name
    return next((n for n in (1, 2, 3) if name.endswith(f"{n}d")), 2)


def window(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """`2`, `[2, 2]`, `[1, 2, 2, 1]` or None: without batch and channels; not written where torch has it so."""
    value, n = job.literal(name), axes_of(job)
    node = job.bound.args.get(name)
    if value is None and default_of(job.torch, arg.to) is None:
        return None
    if value is not ...:
        if isinstance(value, tuple) and len(value) == n + 2 and (value[0], value[-1]) != (1, 1):
            raise job.refuse("P202", f"`{name}={list(value)}` moves along batch or channels")
        known = inner_window(value, n)
        short = known[0] if len(set(known)) == 1 else tuple(known)
        return None if short == default_of(job.torch, arg.to) else expression(repr(short))
    if isinstance(node, cst.List | cst.Tuple):
        inner = [job.em.expr(e.value) for e in node.elements]
        if len(inner) == n + 2:
            if code(inner[0]) != "1" or code(inner[-1]) != "1":
                raise job.refuse("P202", f"`{name}`: what it does along batch and channels is not known")
            inner = inner[1:-1]
        if len(inner) in (1, n):
            same = len({code(v) for v in inner}) == 1
            return inner[0] if same else cst.Tuple([cst.Element(v) for v in inner])
    if node is not None and is_number(job.fact(name)):
        return job.expr(name)
    raise job.refuse("P208", f"`{name}` is not written out")


def kernel(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """(height, width, in, out) to (out, in, height, width)."""
    n = axes_of(job)
    order = (n + 1, n, *range(n))
    return build(f"{{k}}.permute{order}", k=job.em.expr(job.bound.args[name]))


def depthwise_kernel(job: Job, name: str, arg: Arg) -> cst.BaseExpression:
    """(height, width, channels, multiplier) to (channels * multiplier, 1, height, width)."""
    value = job.em.expr(job.bound.args[name])
    job.out["groups"] = build("{k}.shape[2]", k=value)
    return build("{k}.permute(2, 3, 0, 1).flatten(0, 1).unsqueeze(1)", k=value)


# ---------------------------------------------------------------- padding
def conv_padding(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    if job.row.kind == "layer":
        return padding.conv_padding(job, name, arg)
    value = _kind(job, name)
    strides, filters, dilations = arg.with_
    if isinstance(value, tuple):
        return _explicit(job, value)
    if value == "valid":
        return None
    n = axes_of(job)
    steps = _numbers(job, strides, n)
    if steps is not None and all(s == 1 for s in steps):
        return expression("'same'")
    shape = job.fact(filters).shape
    sizes = [dim_value(d) for d in shape[:n]] if shape is not None and len(shape) == n + 2 else [None] * n
    known = _amounts(job, sizes, steps, _numbers(job, dilations, n), n)
    if known is not None:
        return _written(job, known)
    kernel_text: Any = tuple(sizes) if None not in sizes else build(
        f"{{k}}.shape[:{n}]", k=job.em.expr(job.bound.args[filters]))
    _pad_at_run(job, kernel_text, _tuple(job, strides, n), _tuple(job, dilations, n))
    return None


def pool_padding(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    if job.row.kind == "layer":
        return padding.pool_padding(job, name, arg)
    value = _kind(job, name)
    if value == "valid":
        return None
    if value != "same":
        raise job.refuse("P202", "explicit padding of a pooling function")
    n = axes_of(job)
    ksize, strides = arg.with_
    steps = ksize if job.literal(strides) is None else strides
    known = _amounts(job, _numbers(job, ksize, n), _numbers(job, steps, n), [1] * n, n)
    if known is not None and not any(a or b for a, b in known):
        return None
    kind = "avg" if "avg" in job.row.torch[0].name else "max"
    job.callee = f"helpers.{kind}_pool{n}d_same"
    return None


def _kind(job: Job, name: str) -> Any:
    value = job.literal(name)
    if isinstance(value, str) and value.lower() in ("same", "valid"):
        return value.lower()
    if isinstance(value, tuple):
        return value
    reached = {r.lower() for r in resolve_reaching(job.em, job.bound.args.get(name)) if isinstance(r, str)}
    if len(reached) == 1:
        return reached.pop()
    raise job.refuse("P202", f"which padding `{name}` is cannot be told")


def _explicit(job: Job, pairs: tuple[Any, ...]) -> cst.BaseExpression | None:
    n = axes_of(job)
    inner = pairs[1:-1] if len(pairs) == n + 2 else ()
    if not inner or any(p != (0, 0) for p in (pairs[0], pairs[-1])):
        raise job.refuse("P202", "explicit padding of batch or channels")
    return _written(job, list(inner))


def _written(job: Job, pairs: list[tuple[int, int]]) -> cst.BaseExpression | None:
    if all(a == b for a, b in pairs):
        values = [a for a, _ in pairs]
        if not any(values):
            return None
        return expression(str(values[0]) if len(set(values)) == 1 else str(tuple(values)))
    flat = tuple(v for pair in reversed(pairs) for v in pair)
    job.em.need("F")
    job.before.append(lambda x: build(f"F.pad({{x}}, {flat})", x=x))
    return None


def _numbers(job: Job, name: str, n: int) -> list[int] | None:
    value = job.literal(name)
    return inner_window(value, n) if value is not ... else None


def _amounts(job: Job, kernel_: Any, strides: Any, dilations: Any, n: int) -> list[tuple[int, int]] | None:
    shape = job.inputs[0].shape if job.inputs else None
    if kernel_ is None or strides is None or dilations is None:
        return None
    sizes = shape[1:-1] if shape is not None and len(shape) == n + 2 else [None] * n
    found = [same_amounts(*v) for v in zip(sizes, kernel_, strides, dilations, strict=True)]
    return None if None in found else found  # type: ignore[return-value]


def _tuple(job: Job, name: str, n: int) -> Any:
    known = _numbers(job, name, n)
    if known is not None:
        return tuple(known)
    made = window(job, name, job.row.args[name])
    assert made is not None
    return made if isinstance(made, cst.Tuple) else build(f"({{s}},) * {n}", s=made)


def _pad_at_run(job: Job, kernel_: Any, strides: Any, dilations: Any) -> None:
    job.em.helper("same_padding")
    job.em.need("F")
    parts = {"k": kernel_, "s": strides, "d": dilations}
    nodes = {k: expression(repr(v)) if isinstance(v, tuple) else v for k, v in parts.items()}
    tail = "" if isinstance(dilations, tuple) and set(dilations) == {1} and len(dilations) == 2 else ", {d}"
    job.before.append(lambda x: build(f"F.pad({{x}}, same_padding({{x}}, {{k}}, {{s}}{tail}))", x=x, **nodes))


ARGS: dict[str, Any] = {f.__name__: f for f in (window, kernel, depthwise_kernel, conv_padding, pool_padding)}
