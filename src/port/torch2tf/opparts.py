"""Facts of functions that join, split, contract or pick."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Dim, Fact, Kind, Layout, tensor
from port.torch2tf import shapes
from port.torch2tf.opargs import FLIPPED, PLAIN, Args, Result
from port.torch2tf.opelements import axes_of
from port.torch2tf.values import PERMUTED, Items, made_of, tensors_in


def chunk(a: Args) -> Result:
    x, count = a.x, a.literal(1, "chunks", "split_size", "split_size_or_sections", "indices_or_sections")
    dim = a.literal(2, "dim", default=0)
    shape, want = _without_size(x, dim)
    part = tensor(shape, x.dtype, x.layout if want is FLIPPED else PLAIN).but(payload=made_of(x))
    given = a.get(1, "chunks", "split_size", "split_size_or_sections")
    if given is not None and isinstance(given.payload, Items) and not given.payload.open:
        return Fact(Kind.PLAIN, payload=Items([part] * len(given.payload.elements), "tuple")), want
    if isinstance(count, int) and _is_chunk(a) and count <= 16:
        return Fact(Kind.PLAIN, payload=Items([part] * count, "tuple")), want
    return Fact(Kind.PLAIN, payload=Items([part], "tuple", True)), want


def glu(a: Args) -> Result:
    """Half of an axis, times the sigmoid of the other half."""
    shape, _ = _without_size(a.x, a.literal(1, "dim", default=-1))
    return tensor(shape, a.x.dtype).but(payload=made_of(a.x, moved=True)), PLAIN


def _is_chunk(a: Args) -> bool:
    func = a.node.func
    return isinstance(func, cst.Attribute) and func.attr.value == "chunk"


def _without_size(x: Fact, dim: Any) -> tuple[tuple[Dim, ...] | None, Layout]:
    if x.shape is None or not isinstance(dim, int) or not -len(x.shape) <= dim < len(x.shape):
        return (None if x.shape is None else (None,) * len(x.shape)), PLAIN
    dim %= len(x.shape)
    return tuple(None if i == dim else d for i, d in enumerate(x.shape)), x.layout


def unbind(a: Args) -> Result:
    x, dim = a.x, a.literal(1, "dim", default=0)
    axes = axes_of(dim, x.rank)
    if axes is None or x.shape is None:
        return Fact(Kind.PLAIN, payload=Items([tensor(None, x.dtype)], "tuple", True)), PLAIN
    part = tensor(tuple(d for i, d in enumerate(x.shape) if i not in axes), x.dtype)
    size = x.shape[axes[0]]
    if isinstance(size, int) and size <= 16:
        return Fact(Kind.PLAIN, payload=Items([part] * size, "tuple")), PLAIN
    return Fact(Kind.PLAIN, payload=Items([part], "tuple", True)), PLAIN


def cat(a: Args) -> Result:
    parts = list(tensors_in(a.x))
    dim = a.literal(1, "dim", "axis", default=0)
    if not parts:
        return tensor(), PLAIN
    known = next((p for p in parts if p.shape is not None), parts[0])
    flipped = any(p.layout is FLIPPED for p in parts) and isinstance(dim, int)
    if any(p.layout is PLAIN for p in parts):
        flipped = flipped and any(p.layout is FLIPPED and p.symbol != PERMUTED for p in parts)
    if flipped:
        for p in parts:
            a.it.want_flipped(p)
    shape, _ = _without_size(known, dim)
    connected = made_of(*parts)
    dtypes = {p.dtype for p in parts}
    want = FLIPPED if flipped else PLAIN
    return tensor(shape, dtypes.pop() if len(dtypes) == 1 else None, want).but(payload=connected), want


def stack(a: Args) -> Result:
    parts = list(tensors_in(a.x))
    dim = a.literal(1, "dim", "axis", default=0)
    known = next((p for p in parts if p.shape is not None), None)
    if known is None or known.shape is None or not isinstance(dim, int):
        return tensor(None, parts[0].dtype if parts else None), PLAIN
    dim %= len(known.shape) + 1
    count = len(a.x.payload.elements) if isinstance(a.x.payload, Items) and not a.x.payload.open else None
    return tensor((*known.shape[:dim], count, *known.shape[dim:]), known.dtype), PLAIN


def matmul(a: Args) -> Result:
    other = a.get(1, "other", "mat2", "tensor2")
    return shapes.matmul(a.it, a.node, a.x, other if other is not None else tensor()), PLAIN


def einsum(a: Args) -> Result:
    text = a.x.literal(...)
    facts = [f for fact in a.facts[1:] for f in tensors_in(fact)]
    if not isinstance(text, str):
        return tensor(), PLAIN
    left, _, right = text.replace(" ", "").partition("->")
    for part, fact in zip(left.split(","), facts, strict=False):
        if "..." not in part:
            a.it.prove_rank(fact, len(part))
    known = {c: f.shape[i] for part, f in zip(left.split(","), facts, strict=False) if "..." not in part
             and f.shape is not None and len(f.shape) == len(part) for i, c in enumerate(part)}
    dtype = facts[0].dtype if facts else None
    if "..." in right or "->" not in text:
        return tensor(None, dtype), PLAIN
    return tensor(tuple(known.get(c) for c in right), dtype), PLAIN


def linear(a: Args) -> Result:
    x = a.x
    if x.shape is None:
        return tensor(None, x.dtype).but(payload=made_of(x)), PLAIN
    return tensor((*x.shape[:-1], None), x.dtype), PLAIN


def gathered(a: Args) -> Result:
    at = a.get(2, "index")
    if at is not None:
        a.it.prove_whole(at)
    return tensor(at.shape if at is not None else None, a.x.dtype), PLAIN
