"""Shape rules by name (`returns:` of a row): Facts of the inputs and bound arguments to the Fact of the result.

All shapes are in the axis order of the source. A rule gives None for a size that it cannot know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, arithmetic, tensor
from port.tf2torch.infer.given import Given, axis_of, join_layout, plainness
from port.tf2torch.infer.values import Grown, Items, tensors_in


def same(g: Given) -> Fact:
    return g.x if g.x.kind is Kind.TENSOR else tensor()


def plain_same(g: Given) -> Fact:
    return g.x.but(layout=Layout.PLAIN) if g.x.kind is Kind.TENSOR else tensor()


def transpose(g: Given) -> Fact:
    name = "perm" if "perm" in g.params else "axes" if "axes" in g.params else "pattern"
    perm, shape = g.get(name), g.x.shape
    if shape is None:
        return tensor(None, g.x.dtype)
    if perm is None:
        return tensor(tuple(reversed(shape)) if name not in g.given else tuple([None] * len(shape)), g.x.dtype)
    ok = isinstance(perm, tuple) and len(perm) == len(shape)
    return tensor(tuple(shape[p] for p in perm) if ok else None, g.x.dtype)


def concat(g: Given) -> Fact:
    facts = tuple(t for f in g.inputs for t in tensors_in(f))
    shapes = [f.shape for f in facts]
    if not shapes or any(s is None for s in shapes) or len({len(s) for s in shapes if s is not None}) > 1:
        widths = [f.width for f in facts if f.width is not None]
        elsewhere = isinstance(axis_of(g, -1), int) and axis_of(g, -1) >= 0 and bool(widths)
        return tensor(None, None, join_layout(facts)).but(
            last=min(widths, key=plainness) if elsewhere and _not_last(axis_of(g, -1), shapes) else None)
    rank = len(shapes[0])  # type: ignore[arg-type]
    axis = axis_of(g, -1)
    if not isinstance(axis, int):
        return tensor((None,) * rank, facts[0].dtype, join_layout(facts))
    axis %= rank
    known = all(tensors_in(e) for f in g.inputs for e in (f.payload.elements if isinstance(f.payload, Items) else [f]))
    sizes: list[Dim] = []
    for i in range(rank):
        column = [s[i] for s in shapes]  # type: ignore[index]
        if i == axis:
            total: Dim = 0 if known else None
            for d in column:
                total = arithmetic("+", total, d)
            if any(isinstance(f.payload, Grown) for f in g.inputs):
                grown = next(f.payload for f in g.inputs if isinstance(f.payload, Grown))
                total = Sym(f"sum({grown.counts})") if len(facts) == 1 and axis == rank - 1 else None
            sizes.append(total)
        else:
            sizes.append(min(column, key=plainness))
    return tensor(tuple(sizes), facts[0].dtype, join_layout(facts))


def _not_last(axis: int, shapes: list[tuple[Dim, ...] | None]) -> bool:
    """Is this axis surely another than the last?"""
    ranks = {len(s) for s in shapes if s is not None}
    return len(ranks) == 1 and axis < max(ranks) - 1


def broadcast_shapes(shapes: list[tuple[Dim, ...] | None]) -> tuple[Dim, ...] | None:
    if not shapes or any(s is None for s in shapes):
        return None
    rank = max(len(s) for s in shapes if s is not None)
    out: list[Dim] = []
    for i in range(-rank, 0):
        column = [s[i] for s in shapes if s is not None and len(s) >= -i]
        real = [d for d in column if d != 1]
        out.append(1 if not real else min(real, key=plainness))
    return tuple(out)


def broadcast(g: Given) -> Fact:
    facts = tuple(t for f in g.inputs for t in tensors_in(f))
    if not facts:
        return tensor()
    dtype = next((f.dtype for f in facts if f.dtype), None)
    result = tensor(broadcast_shapes([f.shape for f in facts]), dtype, join_layout(facts))
    if result.shape is None:  # the widest operand decides; scalars say nothing
        widths = [f.width for f in facts if f.rank != 0 and f.width != 1]
        result = result.but(last=min(widths, key=plainness) if widths else None)
    return result


def compare(g: Given) -> Fact:
    return broadcast(g).but(dtype="bool")


def reduce(g: Given) -> Fact:
    x, axis = g.x, axis_of(g)
    keep = g.get("keepdims", False)
    if axis is None and not any(n in g.given for n in ("axis", "dim", "axes")):
        return tensor(tuple([1] * x.rank) if keep and x.rank is not None else None if keep else (), x.dtype)
    if x.shape is None or not isinstance(axis, int | tuple):
        return tensor(None, x.dtype)
    axes = {a % len(x.shape) for a in (axis if isinstance(axis, tuple) else (axis,)) if isinstance(a, int)}
    if keep:
        return tensor(tuple(1 if i in axes else d for i, d in enumerate(x.shape)), x.dtype, x.layout)
    left = tuple(d for i, d in enumerate(x.shape) if i not in axes)
    spatial = set(range(1, len(x.shape) - 1))
    if mixes(x, axis):
        return tensor(left, x.dtype)
    mixed = x.layout is Layout.FLIPPED and not spatial <= axes and len(x.shape) - 1 not in axes
    return tensor(left, x.dtype, Layout.FLIPPED if mixed else Layout.PLAIN)


def mixes(x: Fact, axis: Any) -> bool:
    """A reduction over the batch (and not the channels) of a channels-first tensor: what is left has no layout."""
    rank = x.rank
    if x.layout is not Layout.FLIPPED or rank is None or not isinstance(axis, int | tuple):
        return False
    axes = {a % rank for a in (axis if isinstance(axis, tuple) else (axis,)) if isinstance(a, int)}
    return 0 in axes and rank - 1 not in axes and not set(range(1, rank - 1)) <= axes


def scalar(g: Given) -> Fact:
    return tensor((), g.x.dtype)


def cast(g: Given) -> Fact:
    dtype = g.fact("dtype")
    return same(g).but(dtype=dtype.symbol.rpartition(".")[2] or dtype.literal() or None)


def stack(g: Given) -> Fact:
    facts = tuple(t for f in g.inputs for t in tensors_in(f))
    axis = axis_of(g, 0)
    if not facts or facts[0].shape is None or not isinstance(axis, int) or any(
            isinstance(f.payload, Grown) for f in g.inputs):
        return tensor()
    rank = len(facts[0].shape) + 1
    shape = list(facts[0].shape)
    shape.insert(axis % rank, len(facts))
    return tensor(tuple(shape), facts[0].dtype)


def expand_dims(g: Given) -> Fact:
    axis, s = axis_of(g), g.x.shape
    if s is None or not isinstance(axis, int):
        return tensor(None, g.x.dtype)
    shape = list(s)
    shape.insert(axis % (len(s) + 1), 1)
    return tensor(tuple(shape), g.x.dtype)


def squeeze(g: Given) -> Fact:
    axis, s = axis_of(g), g.x.shape
    if s is None or axis is None:
        return tensor(None, g.x.dtype)
    axes = {a % len(s) for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tensor(tuple(d for i, d in enumerate(s) if i not in axes), g.x.dtype)


def matmul(g: Given) -> Fact:
    if len(g.inputs) < 2:
        return tensor()
    if g.inputs[0].shape is None or g.inputs[1].shape is None:
        right = g.inputs[1].shape
        if g.get("transpose_b", False) is not False or (right is not None and len(right) < 2):
            return tensor()
        return tensor(None, g.inputs[0].dtype).but(last=g.inputs[1].width)
    a, b = g.inputs[0].shape, g.inputs[1].shape
    if len(a) < 2 or len(b) < 2:
        return tensor()
    rows = a[-1] if g.get("transpose_a", False) else a[-2]
    columns = b[-2] if g.get("transpose_b", False) else b[-1]
    batch = a[:-2] if len(a) >= len(b) else b[:-2]
    return tensor((*batch, rows, columns), g.inputs[0].dtype)


def split(g: Given) -> Fact:
    n = g.get("num_or_size_splits", g.get("indices_or_sections"))
    axis, s = axis_of(g, 0), g.x.shape
    if s is None or not isinstance(axis, int) or n is None:
        open_ = g.x.layout is Layout.PLAIN or g.x.rank is not None
        return Fact(Kind.PLAIN, payload=Grown(tensor(s and (None,) * len(s), g.x.dtype, g.x.layout), "?")) if (
            open_) else UNKNOWN
    shape = list(s)
    count = n if isinstance(n, int) else len(n)
    parts: list[Dim] = [arithmetic("//", s[axis], n)] * n if isinstance(n, int) else list(n)
    out = []
    for k in range(count):
        shape[axis] = parts[k]
        out.append(tensor(tuple(shape), g.x.dtype, g.x.layout))
    return Fact(Kind.PLAIN, payload=Items(out, "list"))


def einsum(g: Given) -> Fact:
    equation = g.get("equation", g.get("subscripts"))
    if not isinstance(equation, str) or "->" not in equation or "." in equation:
        return tensor()
    left, right = equation.replace(" ", "").split("->")
    sizes: dict[str, Dim] = {}
    facts = [t for f in g.inputs for t in tensors_in(f)]
    for letters, f in zip(left.split(","), facts, strict=False):
        for letter, d in zip(letters, f.shape or (), strict=False):
            if sizes.get(letter) is None:
                sizes[letter] = d
    return tensor(tuple(sizes.get(c) for c in right), facts[0].dtype if facts else None)


def unknown(g: Given) -> Fact:
    return tensor()


RULES: dict[str, Callable[[Given], Fact]] = {
    f.__name__: f for f in (
        same, plain_same, transpose, concat, broadcast, compare, reduce, scalar, cast, stack, expand_dims, squeeze,
        matmul, split, einsum, unknown)
}
