"""Views over the channels or the positions alone: `y.view(b, c, 1, 1)`, which is written channels last at no cost.

Such a tensor is one of the source's order until it meets images: then it is what a parameter is that images meet, and
becomes channels last where it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import build
from port.facts import Fact, Layout
from port.torch2tf.openviews import VIEWS
from port.torch2tf.values import Origin
from port.tree import code


def is_thin(node: cst.Call, method: bool) -> bool:
    """`view(b, c, 1, 1)` or `view(b, 1, h, w)`: nothing moves if the channels are written last."""
    args = node.args if method else node.args[1:]
    if any(a.star or a.keyword is not None for a in args):
        return False
    first = args[0].value if args else None
    sizes = [e.value for e in first.elements] if isinstance(first, cst.Tuple | cst.List) else [a.value for a in args]
    return 3 <= len(sizes) <= 5 and _is_free(sizes[1], sizes[2:])


def _is_free(channels: cst.BaseExpression, space: Sequence[cst.BaseExpression]) -> bool:
    return (code(channels) == "1") != all(code(s) == "1" for s in space)


def found(it: Any, node: cst.CSTNode, fact: Fact) -> Fact:
    """The tensor as if it were a parameter: its name is among those that are channels last once images meet it."""
    origin = Origin(it.current[-1], f"view@{id(node)}")
    return fact.but(layout=Layout.FLIPPED if origin.name in origin.function.flipped else Layout.PLAIN, payload=origin)


def in_wanted_layout(w: Any, node: Any, want: Layout) -> Any:
    """The view with its sizes in this order; None if that would move numbers, or nothing is to be moved."""
    fact = w.fact(node)
    if want is Layout.FLIPPED and fact.layout is Layout.PLAIN and (x := _twice(w, node)) is not None:
        return build("{x}[:, None, None]", x=w.expr(x, Layout.PLAIN))
    if not isinstance(node, cst.Call) or w.fact(node.func).symbol not in VIEWS:
        return None
    if fact.layout is want or fact.layout not in (Layout.PLAIN, Layout.FLIPPED) or fact.rank is None or not (
            3 <= fact.rank <= 5):
        return None
    new = w.expr(node)
    shape = new.args[-1].value if isinstance(new, cst.Call) and len(new.args) == 2 else None
    moved = ordered(shape, fact.rank, want)
    return None if moved is None else new.with_changes(args=[new.args[0], new.args[1].with_changes(value=moved)])


def _twice(w: Any, node: Any) -> Any:
    """`x` of two axes in `x.unsqueeze(-1).unsqueeze(-1)`."""
    for last in (3, 2):
        if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or len(node.args) != 1:
            return None
        axis = w.fact(node.args[0].value).literal(...)
        if w.fact(node.func).symbol != "tensor.unsqueeze" or axis not in (-1, last):
            return None
        node = node.func.value
    return node if w.fact(node).rank == 2 else None


def ordered(shape: Any, rank: int, want: Layout) -> Any:
    """The sizes in the other order than they have; None if numbers would have to move."""
    if not isinstance(shape, cst.Tuple | cst.List) or len(shape.elements) != rank or any(
            isinstance(e, cst.StarredElement) for e in shape.elements):
        return None
    batch, *sizes = (e.value for e in shape.elements)
    channels, space = (sizes[0], sizes[1:]) if want is Layout.FLIPPED else (sizes[-1], sizes[:-1])
    if not _is_free(channels, space):
        return None
    new = (*space, channels) if want is Layout.FLIPPED else (channels, *space)
    return shape.with_changes(elements=[e.with_changes(value=v) for e, v in zip(
        shape.elements, (batch, *new), strict=True)])


def indices(elements: Sequence[Any]) -> list[Any]:
    """What indexes `y[:, :c, None, None]` where it is channels last: the new axes stand before the channels."""
    whole = cst.Slice(None, None, None)
    new = [e for e in elements if isinstance(e, cst.Index) and not isinstance(e.value, cst.Ellipsis)]
    kept = [e for e in elements if e not in new]
    if len(kept) < 2 or not all(isinstance(e, cst.Slice) for e in kept):  # `...` is all that is not written
        at = next((i for i, e in enumerate(kept) if isinstance(e, cst.Index)), len(kept))
        kept = [*kept[:at], *[whole] * (3 - len(kept) if at < len(kept) else 2 - len(kept)), *kept[at + 1:]]
    batch, channels = kept
    every = channels.lower is None and channels.upper is None and channels.step is None
    return [batch, *new] if every else [batch, *new, channels]
