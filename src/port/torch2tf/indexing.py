"""Subscripts: of tensors in either layout, of shapes, and of containers."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import paren
from port.facts import Fact, Kind, Layout
from port.torch2tf import hints, rows, thinviews
from port.torch2tf.refused import Refused
from port.torch2tf.values import Chain, ShapeOf, options

COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def subscript(w: Any, node: cst.Subscript) -> Any:
    owner: Fact = w.fact(node.value)
    if w.it.names.resolve(node.value).startswith("typing."):  # an alias: `Transforms = Union[Resize, Tensor]`
        return hints.hint(w, node)
    if isinstance(owner.payload, ShapeOf):
        return rows.write_shape_index(w, node, owner.payload)
    if owner.kind is Kind.TENSOR:
        return of_tensor(w, node, owner)
    if any(isinstance(o.payload, Chain) for o in options(owner)):
        return of_chain(w, node)
    part = rows.write_taken(w, node)
    if part is not None:
        return part
    new = w.generic(node)
    return new.with_changes(value=paren(new.value)) if new is not node else node


def of_chain(w: Any, node: cst.Subscript) -> Any:
    """Children of a Sequential by number."""
    index = node.slice[0].slice
    value = cst.Attribute(paren(w.expr(node.value)), cst.Name("layers"))
    taken = node.with_changes(value=value)
    if isinstance(index, cst.Slice):
        w.need("keras")
        return cst.Call(cst.parse_expression("keras.Sequential"), [cst.Arg(taken)])
    return taken


def of_tensor(w: Any, node: cst.Subscript, owner: Fact) -> Any:
    want = w.it.wants.get(node, Layout.PLAIN)
    elements = [e.slice for e in node.slice]
    if owner.layout is Layout.FLIPPED and want is Layout.FLIPPED and owner.rank is not None:
        slices = [w.generic(s) for s in spread(elements, owner.rank)]
        order = [slices[0], *slices[2:], slices[1]]
        return node.with_changes(value=paren(w.expr(node.value)), slice=written(shortened(order)))
    if owner.layout is not Layout.FLIPPED and owner.rank == 2 and w.fact(node).layout is Layout.FLIPPED:
        order = thinviews.indices(elements)  # `y[:, :, None, None]`, that images meet
        return node.with_changes(value=paren(w.expr(node.value)), slice=written(order))
    return rows.write_index(w, node, w.expr(node.value, Layout.PLAIN))


def spread(elements: list[Any], rank: int) -> list[Any]:
    """One slice for each axis: `...` and what is missing at the end written out."""
    whole = cst.Slice(None, None, None)
    dots = next((i for i, e in enumerate(elements) if is_dots(e)), None)
    if dots is not None:
        missing = rank - len(elements) + 1
        return [*elements[:dots], *[whole] * missing, *elements[dots + 1:]]
    if len(elements) > rank:
        raise Refused("P206", "more indices than axes")
    return [*elements, *[whole] * (rank - len(elements))]


def shortened(order: list[Any]) -> list[Any]:
    """`x[:, :, :, :c]` is written `x[..., :c]`; whole slices at the end are left out."""
    rank = len(order)
    while len(order) > 1 and is_whole(order[-1]):
        order.pop()
    lead = next((i for i, s in enumerate(order) if not is_whole(s)), 0)
    if lead >= 2 and lead == rank - 1:
        return [cst.Index(cst.Ellipsis()), order[-1]]
    return order


def written(slices: list[Any]) -> list[cst.SubscriptElement]:
    last = len(slices) - 1
    return [cst.SubscriptElement(s, comma=COMMA if i < last else cst.MaybeSentinel.DEFAULT)
            for i, s in enumerate(slices)]


def is_dots(s: Any) -> bool:
    return isinstance(s, cst.Index) and isinstance(s.value, cst.Ellipsis)


def is_whole(s: Any) -> bool:
    return isinstance(s, cst.Slice) and s.lower is None and s.upper is None and s.step is None
