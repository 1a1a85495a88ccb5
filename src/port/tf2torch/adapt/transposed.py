"""Padding of transposed convolutions: what PyTorch cuts, and what is left to cut behind it."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build, expression
from port.table import Arg
from port.tf2torch.calls.job import Job
from port.tree import code, find


def conv_transpose(job: Job, name: str, arg: Arg) -> cst.BaseExpression | None:
    """Golden rule 9: padding (k - s) // 2, one row and column cut if k - s is odd, output_padding if k < s."""
    if name == "output_padding":
        if job.literal(name) is not None:
            raise job.refuse("P202", "`output_padding`")
        return job.out.pop("output_padding", None)
    padding = job.literal("padding")
    n = int(job.row.torch[0].name[-2])
    k, s = job.literal("kernel_size"), job.literal("strides")
    dilation = job.literal("dilation_rate")
    if padding not in ("same", "valid"):
        raise job.refuse("P202", "which padding this transposed convolution has cannot be told")
    if not all(isinstance(v, int | tuple) for v in (k, s)) or dilation not in (1, (1,) * n):
        if padding == "valid" and dilation in (1, (1,) * n) and _one_not_less(k, s):
            return None
        if padding == "same" and isinstance(s, int) and dilation in (1, (1,) * n) and (
                job.fact("kernel_size").symbol.startswith("=")):
            return _open_kernel(job, s, n)
        raise job.refuse("P202", "kernel size, strides or dilation of this transposed convolution are not literals")
    ks = k if isinstance(k, tuple) else (k,) * n
    ss = s if isinstance(s, tuple) else (s,) * n
    more = [max(t - q, 0) for q, t in zip(ks, ss, strict=True)]
    if any(more):
        job.out["output_padding"] = expression(str(more[0]) if len(set(more)) == 1 else str(tuple(more)))
    if padding == "valid":
        return None
    cut = [max(q - t, 0) for q, t in zip(ks, ss, strict=True)]
    half = [c // 2 for c in cut]
    odd = [c % 2 for c in cut]
    if any(odd):
        index = ", ".join([":", ":"] + [":-1" if o else ":" for o in odd])
        job.after.insert(0, lambda x: build(f"{{x}}[{index}]", x=x))
        job.crop_comment = "  # 'same': the input size times the stride"  # type: ignore[attr-defined]
        flat = [v for o in reversed(odd) for v in (0, -o)]
        job.after_modules.insert(0, expression(f"nn.ZeroPad{n}d(({', '.join(map(str, flat))}))"))
    if not any(half):
        return None
    return expression(str(half[0]) if len(set(half)) == 1 else str(tuple(half)))


def _open_kernel(job: Job, s: int, n: int) -> cst.BaseExpression:
    """A kernel as wide as a parameter says, and not narrower than the stride: what goes is written with the parameter.

    The last row and column go where k - s is odd, which is left out if it is even in all calls of the file.
    """
    k = job.expr("kernel_size")
    more = build("{k} - {s}", k=k, s=cst.Integer(str(s))) if s > 1 else build("{k} - 1", k=k)
    name = job.fact("kernel_size").symbol[1:]
    given = _given(job, name)
    if given and all(isinstance(v, int) and v >= s and (v - s) % 2 == 0 for v in given):
        job.em.report("P103", f"`{name}` minus the stride is even, as in all calls here ({given[0]} - {s})", job.node)
    else:
        job.em.report("P103", f"`{name}` is not less than the stride {s}", job.node)
        odd = build("-(({m}) % 2)", m=more)
        inner = ", ".join(f"0, {code(odd)}" for _ in range(n))
        job.after.insert(0, lambda x: build(f"F.pad({{x}}, ({inner}))", x=x))
        job.after_modules.insert(0, expression(f"nn.ZeroPad{n}d(({inner}))"))
        job.em.need("F")
    return build("({m}) // 2", m=more)


def _given(job: Job, name: str) -> list[Any]:
    """What the calls of the file give for this parameter of the function around."""
    function = job.em.scope.function
    if function is None or function.owner is not None or name not in function.params:
        return []
    at = function.params.index(name)
    calls = [c for c in find(job.em.it.module, cst.Call) if code(c.func) == function.name]
    values = [keyword(c, name, at) for c in calls]
    return [None if v is None else job.em.fact(v).literal(None) for v in values]


def _one_not_less(k: Any, s: Any) -> bool:
    return s in (1, (1, 1))
