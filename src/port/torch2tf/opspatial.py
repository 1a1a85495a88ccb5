"""Facts of functions that work over space: convolution, pooling, resizing, padding."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from port.facts import tensor
from port.torch2tf.opargs import FLIPPED, PLAIN, Args, Result
from port.torch2tf.values import made_of


def spatial(rank: int) -> Callable[[Args], Result]:
    def rule(a: Args) -> Result:
        x = a.x
        if x.rank is not None and x.rank != rank:
            return tensor(None, x.dtype), PLAIN
        a.it.prove_rank(x, rank)
        a.it.want_flipped(x)
        shape = x.shape or (None,) * rank
        return tensor((shape[0], None, *(None,) * (rank - 2)), x.dtype or "float", FLIPPED), FLIPPED

    return rule


def pool(rank: int) -> Callable[[Args], Result]:
    inner = spatial(rank)

    def rule(a: Args) -> Result:
        result, want = inner(a)
        if result.shape is None or a.x.shape is None:
            return result, want
        one = a.literal(1, "output_size") in (1, (1,) * (rank - 2)) and "adaptive" in _name(a)
        space = (1 if one else None,) * (rank - 2)
        return result.but(shape=(a.x.shape[0], a.x.shape[1], *space)), want

    return rule


def _name(a: Args) -> str:
    func = a.node.func
    return func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""


def resized(a: Args) -> Result:
    """interpolate, grid_sample, pixel_shuffle, batch_norm, ...: any rank from 3 up."""
    x = a.x
    if x.rank is None and (rank := _rank_by_mode(a)) is not None:
        a.it.prove_rank(x, rank)
        x = x.but(shape=(None,) * rank)
    if x.rank is None or not 3 <= x.rank <= 5:
        return tensor(None, x.dtype), PLAIN
    a.it.want_flipped(x)
    assert x.shape is not None
    return tensor((x.shape[0], x.shape[1], *(None,) * (x.rank - 2)), x.dtype, FLIPPED), FLIPPED


MODES = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}


def _rank_by_mode(a: Args) -> int | None:
    """F.interpolate(x, size, mode="bilinear") takes images."""
    return MODES.get(a.literal(3, "mode")) if _name(a) in ("interpolate", "upsample") and (
        isinstance(a.literal(3, "mode"), str)) else None


def imaged(a: Args) -> Result:
    """group_norm, dropout2d, ...: the channels are what counts; the sizes stay."""
    x = a.x
    if x.rank is None or not 3 <= x.rank <= 5:
        return tensor(x.shape, x.dtype), PLAIN
    a.it.want_flipped(x)
    return x.but(layout=FLIPPED, values=None), FLIPPED


def unfolded(a: Args) -> Result:
    """F.unfold takes an image; the method of that name takes any tensor, and gives one more axis."""
    x, callee = a.x, a.it.receivers.get(a.node)
    if callee is not None and callee.symbol.startswith("tensor."):
        return tensor(None if x.rank is None else (None,) * (x.rank + 1), x.dtype), PLAIN
    a.it.prove_rank(x, 4)
    a.it.want_flipped(x)
    return tensor((x.shape[0] if x.shape else None, None, None), x.dtype), FLIPPED


def padded(a: Args) -> Result:
    x = a.x
    if x.layout is FLIPPED and x.shape is not None:
        return tensor((x.shape[0], *(None,) * (len(x.shape) - 1)), x.dtype, FLIPPED), FLIPPED
    shape = None if x.shape is None else (None,) * len(x.shape)
    return tensor(shape, x.dtype).but(payload=made_of(x)), PLAIN
