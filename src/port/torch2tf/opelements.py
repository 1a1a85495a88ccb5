"""Facts of functions that work element by element, and of reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from port.facts import Dim, Fact, Kind, tensor
from port.torch2tf import shapes
from port.torch2tf.opargs import FLIPPED, PLAIN, Args, Result, dtype_of
from port.torch2tf.values import Items, made_of


def same(a: Args) -> Result:
    x = a.x.but(values=None, symbol="") if a.x.kind is Kind.TENSOR else tensor()
    return x, x.layout


def floating(a: Args) -> Result:
    """What gives floats only."""
    result, want = same(a)
    return result.but(dtype=result.dtype or "float"), want


def plain_same(a: Args) -> Result:
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    return (x.but(values=None, symbol=""), PLAIN) if x.layout is PLAIN else (tensor(x.shape, x.dtype), PLAIN)


def rolled(a: Args) -> Result:
    """Without axes all numbers move on in the order in which they lie."""
    return plain_same(a) if a.literal(2, "dims") is None else same(a)


def elementwise(a: Args) -> Result:
    tensors = [f for f in a.facts if f.kind is Kind.TENSOR]
    if not tensors:
        return tensor(), PLAIN
    result = shapes.broadcast(a.it, None, tensors)
    numbers = [f for f in a.facts if f.kind is not Kind.TENSOR]
    dtype = tensors[0].dtype
    for other in [*tensors[1:], *numbers[:1]]:
        dtype = shapes.promoted(tensors[0].but(dtype=dtype), other)
    return result.but(dtype=dtype), result.layout


def where(a: Args) -> Result:
    tensors = [f for f in a.facts if f.kind is Kind.TENSOR]
    result = shapes.broadcast(a.it, None, tensors)
    values = [f for f in a.facts[1:] if f.kind is Kind.TENSOR]
    return result.but(dtype=values[0].dtype if values else "float"), result.layout


def of_dtype(dtype: str | None, rule: Callable[[Args], Result]) -> Callable[[Args], Result]:
    def changed(a: Args) -> Result:
        result, want = rule(a)
        return result.but(dtype=dtype), want

    return changed


def total(rule: Callable[[Args], Result]) -> Callable[[Args], Result]:
    """Sums of whole numbers and of truth values are int64."""
    def summed(a: Args) -> Result:
        result, want = rule(a)
        given = dtype_of(a.get(99, "dtype"))
        whole = result.dtype in ("bool", "uint8", "int8", "int16", "int32", "int64")
        return result.but(dtype=given or ("int64" if whole else result.dtype)), want

    return summed

def cast(a: Args) -> Result:
    """`x.to(...)`: a dtype, a device, or another tensor."""
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    for fact, name in zip(a.facts[1:], a.names[1:], strict=True):
        if fact.kind is Kind.TENSOR:
            return x.but(dtype=fact.dtype, values=None), x.layout
        found = dtype_of(fact)
        if found is not None and name != "device" and found != "device":
            return x.but(dtype=found, values=None), x.layout
        if fact.symbol == "tensor.dtype" or name == "dtype" or (fact.kind is Kind.UNKNOWN and name != "device"):
            return x.but(dtype=fact.dtype if fact.symbol == "tensor.dtype" else None, values=None), x.layout
    return x.but(values=None), x.layout


# ---------------------------------------------------------------- reductions
def axes_of(value: Any, rank: int | None) -> list[int] | None:
    values = value if isinstance(value, tuple) else (value,)
    if rank is None or not all(isinstance(v, int) and -rank <= v < rank for v in values):
        return None
    return [v % rank for v in values]


def reduce(a: Args) -> Result:
    x, dim, keep = a.x, a.literal(1, "dim", "axis"), a.literal(2, "keepdim", "keepdims", default=False)
    if x.kind is not Kind.TENSOR:
        return tensor(), PLAIN
    if dim is None:
        return tensor((), x.dtype), x.layout
    axes = axes_of(dim, x.rank)
    if axes is None:
        gone = 0 if keep is True else len(dim) if isinstance(dim, tuple) else 1 if isinstance(dim, int) else None
        return tensor(None, x.dtype).but(payload=None if gone is None else made_of(x, more=-gone)), PLAIN
    assert x.shape is not None
    if keep is True:
        return tensor(tuple(1 if i in axes else d for i, d in enumerate(x.shape)), x.dtype, x.layout), x.layout
    if keep is not False:
        return tensor(None, x.dtype), PLAIN
    left = [i for i in range(len(x.shape)) if i not in axes]
    shape = tuple(x.shape[i] for i in left)
    return dropped(x, left, shape)


def placed(a: Args) -> Result:
    """Places along an axis; without one, in the order in which the numbers lie."""
    result, want = reduce(a)
    return result, PLAIN if a.literal(1, "dim", "axis") is None else want


def dropped(x: Fact, left: list[int], shape: tuple[Dim, ...]) -> Result:
    """Axes are gone. A channels-last tensor stays one while batch, channels and a position are left."""
    if x.layout is not FLIPPED:
        return tensor(shape, x.dtype), PLAIN
    if 0 not in left and len(left) > 1:
        return tensor(shape, x.dtype), PLAIN
    stays = left[:2] == [0, 1] and len(left) >= 3
    ordered = stays or 1 not in left or len(left) <= 2
    return tensor(shape, x.dtype, FLIPPED if stays else PLAIN), FLIPPED if ordered else PLAIN


def pair(second: str | None = "int64", only_with_dim: bool = False) -> Callable[[Args], Result]:
    """values, indices"""

    def rule(a: Args) -> Result:
        other = a.get(1, "dim", "axis", "other")
        if only_with_dim and other is None:
            return tensor((), a.x.dtype), a.x.layout
        if only_with_dim and other is not None and other.kind is Kind.TENSOR:
            return elementwise(a)
        result, want = reduce(a)
        return Fact(Kind.PLAIN, payload=Items([result, result.but(dtype=second)], "tuple")), want

    return rule


def same_pair(a: Args) -> Result:
    x = a.x if a.x.kind is Kind.TENSOR else tensor()
    bare = tensor(None if x.shape is None else tuple(x.shape), x.dtype)
    return Fact(Kind.PLAIN, payload=Items([bare, bare.but(dtype="int64")], "tuple")), PLAIN


def topk(a: Args) -> Result:
    rank = a.x.rank
    bare = tensor(None if rank is None else (None,) * rank, a.x.dtype)
    return Fact(Kind.PLAIN, payload=Items([bare, bare.but(dtype="int64")], "tuple")), PLAIN
