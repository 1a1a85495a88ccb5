"""Facts of functions that change the shape or the order of axes."""

from __future__ import annotations

from typing import Any

from port.facts import Dim, Fact, tensor
from port.torch2tf import thinviews
from port.torch2tf.opargs import FLIPPED, PLAIN, Args, Result
from port.torch2tf.opelements import axes_of, dropped
from port.torch2tf.values import PERMUTED, TO_FIRST, TO_LAST, Items, ShapeOf, Size, made_of


def sizes(facts: list[Fact]) -> tuple[Dim, ...] | None:
    out: list[Dim] = []
    for fact in facts:
        value = fact.literal(...)
        out.append(fact.payload.dim if isinstance(fact.payload, Size) else value if isinstance(value, int) and (
            not isinstance(value, bool)) and value >= 0 else None)
    return None if len(out) >= 99 else tuple(out)


def view(a: Args) -> Result:
    rest = a.rest(1)
    named = a.get(99, "shape", "size")
    if named is not None and isinstance(named.payload, Items):
        rest = list(named.payload.elements)
    if len(rest) == 1 and isinstance(rest[0].payload, ShapeOf):
        of = rest[0].payload
        shape = of.of.shape if of.start == 0 and of.stop is None else None
        return tensor(shape, a.x.dtype), PLAIN
    if len(rest) == 1 and rest[0].literal(...) is ... and not isinstance(rest[0].payload, Size):
        return tensor(None, a.x.dtype), PLAIN
    found = tensor(sizes(rest), a.x.dtype)
    method = len(a.facts) > len(a.node.args)  # the tensor stands before the dot
    thin = a.it.current and found.rank is not None and thinviews.is_thin(a.node, method)
    return (thinviews.found(a.it, a.node, found) if thin else found), PLAIN


def permute(a: Args) -> Result:
    dims = [f.literal(...) for f in a.rest(1)]
    named = a.literal(99, "dims")
    dims = list(named) if isinstance(named, tuple) else dims
    x = a.x
    if not dims or len(dims) >= 99 or ... in dims:
        return tensor(None, x.dtype), PLAIN
    a.it.prove_rank(x, len(dims))
    return permuted(x, tuple(d % len(dims) for d in dims))


def permuted(x: Fact, dims: tuple[int, ...]) -> Result:
    """Channels first to last, or back, moves nothing in the target."""
    shape = x.shape if x.shape is not None and len(x.shape) == len(dims) else (None,) * len(dims)
    new = tuple(shape[d] for d in dims)
    if x.layout is FLIPPED and dims == TO_LAST.get(len(dims)):
        return tensor(new, x.dtype), FLIPPED
    if x.layout is PLAIN and dims == TO_FIRST.get(len(dims)):
        found = tensor(new, x.dtype, FLIPPED)
        return found.but(symbol=PERMUTED) if len(dims) == 3 else found, PLAIN
    return tensor(new, x.dtype), PLAIN


def transpose(a: Args) -> Result:
    x, i, j = a.x, a.literal(1, "dim0", "axis0"), a.literal(2, "dim1", "axis1")
    if x.shape is None or not isinstance(i, int) or not isinstance(j, int):
        return tensor(None, x.dtype).but(payload=made_of(x, moved=True) if x.shape is None else None), PLAIN
    rank = len(x.shape)
    if not (-rank <= i < rank and -rank <= j < rank):
        return tensor(None, x.dtype), PLAIN
    dims = list(range(rank))
    dims[i % rank], dims[j % rank] = dims[j % rank], dims[i % rank]
    if rank == 3:
        return permuted(x, tuple(dims))
    return tensor(tuple(x.shape[d] for d in dims), x.dtype), PLAIN


def matrix_transpose(a: Args) -> Result:
    s = a.x.shape
    if s is None:
        return tensor(None, a.x.dtype).but(payload=made_of(a.x, moved=True)), PLAIN
    return tensor(None if len(s) < 2 else (*s[:-2], s[-1], s[-2]), a.x.dtype), PLAIN


def unsqueeze(a: Args) -> Result:
    at, x = a.literal(1, "dim"), a.x
    if x.shape is None or not isinstance(at, int):
        return tensor(None, x.dtype).but(payload=made_of(x, more=1)), PLAIN
    at %= len(x.shape) + 1
    return tensor((*x.shape[:at], 1, *x.shape[at:]), x.dtype), PLAIN


def may_stay(shape: tuple[Dim, ...], axis: Any) -> bool:
    """Is it open whether `x.squeeze(-1)` takes an axis out: features of one number, or of as many as a setting says?"""
    return len(shape) == 2 and axis in (1, -1) and shape[1] is None


def squeeze(a: Args) -> Result:
    x, dim = a.x, a.literal(1, "dim")
    axes = axes_of(dim, x.rank) if dim is not None else None
    if axes is None or x.shape is None:
        if dim is None and x.shape is not None and None not in x.shape:
            return tensor(tuple(d for d in x.shape if d != 1), x.dtype), PLAIN
        known = isinstance(dim, int) and x.shape is None
        return tensor(None, x.dtype).but(payload=made_of(x, more=-1) if known else None), PLAIN
    if may_stay(x.shape, dim):
        return tensor(None, x.dtype), PLAIN
    left = [i for i in range(len(x.shape)) if i not in axes or x.shape[i] not in (1, None)]
    return dropped(x, left, tuple(x.shape[i] for i in left))


def flatten(a: Args) -> Result:
    return flattened(a.x, a.literal(1, "start_dim", default=0), a.literal(2, "end_dim", default=-1))


def flattened(x: Fact, low: Any, high: Any) -> Result:
    """flatten(start, end). The positions of a channels-last tensor may be joined where they are."""
    if x.shape is None or not isinstance(low, int) or not isinstance(high, int):
        rank = 2 if low == 1 and high == -1 else 1 if low == 0 and high == -1 else None
        return tensor(None if rank is None else (None,) * rank, x.dtype), PLAIN
    rank = len(x.shape)
    low, high = low % max(rank, 1), high % max(rank, 1)
    inner = x.shape[low:high + 1]
    total: Dim = 1
    for d in inner:
        total = None if d is None or total is None else total * d  # type: ignore[operator]
    shape = (*x.shape[:low], total, *x.shape[high + 1:])
    if x.layout is FLIPPED and low == 2 and high == rank - 1 and rank >= 4:
        return tensor(shape, x.dtype, FLIPPED), FLIPPED
    unit = x.layout is FLIPPED and low == 1 and high == rank - 1 and all(d == 1 for d in x.shape[2:])
    return tensor(shape, x.dtype), FLIPPED if unit else PLAIN


def unflatten(a: Args) -> Result:
    at, parts, x = a.literal(1, "dim"), a.get(2, "sizes"), a.x
    if x.shape is None or not isinstance(at, int) or parts is None or not isinstance(parts.payload, Items):
        return tensor(None, x.dtype), PLAIN
    at %= len(x.shape)
    new = sizes(parts.payload.elements) or ()
    return tensor((*x.shape[:at], *new, *x.shape[at + 1:]), x.dtype), PLAIN


def expand(a: Args) -> Result:
    rest = a.rest(1)
    found = sizes(rest)
    starred = any(arg.star for arg in a.node.args)
    if found is None or starred or (len(rest) == 1 and isinstance(rest[0].payload, ShapeOf)) or (
            a.x.shape is not None and len(found) < len(a.x.shape)):
        return tensor(None, a.x.dtype), PLAIN
    own = (None,) * len(found) if a.x.shape is None else (None,) * (len(found) - len(a.x.shape)) + a.x.shape
    values = [f.literal(...) for f in rest]
    return tensor(tuple(o if v == -1 else f for f, o, v in zip(found, own, values, strict=True)), a.x.dtype), PLAIN


def like_second(a: Args) -> Result:
    other = a.get(1, "other")
    return tensor(other.shape if other is not None else None, a.x.dtype), PLAIN


def expand_as(a: Args) -> Result:
    other = a.get(1, "other")
    if other is None or other.layout is not FLIPPED or a.x.rank != other.rank:
        return like_second(a)
    a.it.want_flipped(a.x)
    return tensor(other.shape, a.x.dtype, FLIPPED), FLIPPED


def repeat(a: Args) -> Result:
    count = len(a.rest(1))
    return tensor(None if count >= 99 or count == 0 else (None,) * count, a.x.dtype), PLAIN


def selected(a: Args) -> Result:
    at = a.get(2, "index")
    if at is not None:
        a.it.prove_whole(at)
    return rank_kept(a)


def rank_kept(a: Args) -> Result:
    shape = None if a.x.shape is None else (None,) * len(a.x.shape)
    return tensor(shape, a.x.dtype).but(payload=made_of(a.x)), PLAIN
