"""Subscripts: of tensors and of shapes, in the layout that they have here."""

from __future__ import annotations

import libcst as cst

from port.build import build, paren
from port.facts import Fact, Kind, Layout
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.expressions.states import only_state
from port.tf2torch.infer.values import ShapeOf


def subscript(em: Emitter, node: cst.Subscript) -> cst.BaseExpression:
    owner = em.fact(node.value)
    if em.scope.stage == "init" and (sizes := _sizes(em, node)) is not None:
        return sizes
    if (state := only_state(em, node)) is not None:
        return state
    if isinstance(owner.payload, ShapeOf) and (len(node.slice) > 1 or _is_dots(node.slice[0].slice) or (
            isinstance(at := node.slice[0].slice, cst.Index) and (
                em.fact(at.value).literal(...) is None or em.symbol(at.value) in NEW_AXIS))):
        raise Refused("P206", "a shape with more axes, which is a tuple in PyTorch: index it", node)
    held = isinstance(node.value, cst.Name)  # a variable holds the sizes in the order of the source
    if isinstance(owner.payload, ShapeOf) and owner.payload.of.layout is Layout.FLIPPED and not held:
        return _flipped_shape(em, node, owner.payload.of)
    if owner.kind is Kind.TENSOR and (owner.layout is Layout.FLIPPED):
        return _flipped_index(em, node, owner)
    if owner.kind is Kind.TENSOR or _looks_like_tensor(node, owner):
        return _plain_index(em, node)
    new = em.generic(node)
    return new.with_changes(value=paren(new.value)) if new is not node else node


def _sizes(em: Emitter, node: cst.Subscript) -> cst.BaseExpression | None:
    """`input_shape[-1:]`, where no tensor is that would have it: its sizes, as a tuple."""
    payload = em.fact(node).payload
    dims = payload.of.shape if isinstance(payload, ShapeOf) else None
    if not dims or None in dims or not isinstance(node.slice[0].slice, cst.Slice):
        return None
    sizes = [cst.Element(em.size(d, node)) for d in dims]
    return cst.Tuple([e.with_changes(comma=cst.Comma()) for e in sizes] if len(sizes) == 1 else sizes)


def _looks_like_tensor(node: cst.Subscript, owner: Fact) -> bool:
    """`x[:, ::-1]` of something unknown: no list, so a tensor (of a NumPy array, `.flip` would raise)."""
    return owner.payload is None and owner.kind in (Kind.PLAIN, Kind.UNKNOWN) and len(node.slice) > 1 and not (
        owner.values or owner.dtype)


def _plain_index(em: Emitter, node: cst.Subscript) -> cst.BaseExpression:
    """In the axes of the source. Negative steps become flips; `tf.newaxis` None."""
    flips = _flips(em, node)
    elements = [e.with_changes(slice=_forward(em, e.slice) if _is_flip(em, e.slice, node) else em.generic(e.slice))
                for e in node.slice]
    value = paren(em.expr(node.value, Layout.PLAIN))
    if not flips:
        return node.with_changes(value=value, slice=elements)
    dims = ", ".join(map(str, flips))
    if all(_is_whole(e.slice) or _is_dots(e.slice) for e in elements):
        return build(f"{{x}}.flip({dims})", x=value)
    if all(isinstance(e.slice, cst.Slice) and e.slice.step is None for e in elements):
        return build(f"{{x}}.flip({dims})", x=node.with_changes(value=value, slice=elements))
    return node.with_changes(value=build(f"{{x}}.flip({dims})", x=value), slice=elements)


NEW_AXIS = ("tf.newaxis", "numpy.newaxis", "keras.ops.newaxis")


def _flips(em: Emitter, node: cst.Subscript) -> list[int]:
    """Axes of the tensor that are read backwards; those behind `...` count from the end."""
    found = []
    dots = next((i for i, e in enumerate(node.slice) if _is_dots(e.slice)), len(node.slice))
    for way, elements in ((1, node.slice[:dots]), (-1, node.slice[:dots:-1])):
        axis = 0 if way == 1 else -1
        sure = True
        for e in elements:
            if _is_flip(em, e.slice, node):
                if not sure:
                    raise Refused("P203", "a negative step beside an index; flip first", node)
                found.append(axis)
            if isinstance(e.slice, cst.Index):
                at = em.fact(e.slice.value).literal(...)
                if at is None or em.symbol(e.slice.value) in NEW_AXIS:
                    continue  # no axis of the tensor
                sure = sure and isinstance(at, int)
            axis += way
    return found


def _forward(em: Emitter, s: cst.BaseSlice) -> cst.Slice:
    """`::-2` of what is flipped already: `::2`."""
    step = em.fact(s.step).literal(...) if isinstance(s, cst.Slice) and s.step is not None else -1
    return cst.Slice(None, None, None) if step == -1 else cst.Slice(
        None, None, cst.Integer(str(-step)), second_colon=cst.Colon())  # type: ignore[operator]


def _is_dots(s: cst.BaseSlice) -> bool:
    return isinstance(s, cst.Index) and isinstance(s.value, cst.Ellipsis)


def _is_flip(em: Emitter, s: cst.BaseSlice, node: cst.Subscript) -> bool:
    """`::-1`, which PyTorch does not take; a negative step with bounds is refused."""
    step = em.fact(s.step).literal(...) if isinstance(s, cst.Slice) and s.step is not None else ...
    if not isinstance(s, cst.Slice) or not isinstance(step, int) or step >= 0:
        return False
    if s.lower is not None or s.upper is not None:
        raise Refused("P203", "a slice with a negative step and bounds; flip first, then slice", node)
    return True


def _flipped_shape(em: Emitter, node: cst.Subscript, of: Fact) -> cst.BaseExpression:
    at = em.fact(node.slice[0].slice.value).literal(...) if isinstance(node.slice[0].slice, cst.Index) else ...
    rank = of.rank
    window = node.slice[0].slice
    if isinstance(window, cst.Slice) and rank is not None and window.step is None:
        low, high = (em.fact(p).literal(...) if p is not None else None for p in (window.lower, window.upper))
        if isinstance(low, int) and isinstance(high, int) and low >= 1 and low < high % rank <= rank - 1:
            return build(f"{{x}}[{low + 1}:{high % rank + 1}]", x=em.shape_expr(node.value))
        if low in (None, 0) and high == 1:
            return build("{x}[:1]", x=em.shape_expr(node.value))
    if not isinstance(at, int) or rank is None:
        return em.generic(node)
    at %= rank
    new = 0 if at == 0 else 1 if at == rank - 1 else at + 1
    value = em.shape_expr(node.value)
    return build(f"{{x}}[{new}]", x=value)


def _flipped_index(em: Emitter, node: cst.Subscript, owner: Fact) -> cst.BaseExpression:
    rank = owner.rank
    elements = list(node.slice)
    simple = all(isinstance(e.slice, cst.Slice) or (isinstance(e.slice, cst.Index) and isinstance(
        e.slice.value, cst.Ellipsis)) for e in elements)
    if rank is None or not simple:
        return _plain_index(em, node)
    slices: list[cst.BaseSlice] = []
    for e in elements:
        if isinstance(e.slice, cst.Index):
            slices += [cst.Slice(None, None, None)] * (rank - len(elements) + 1)
        else:
            slices.append(em.generic(e.slice))
    slices += [cst.Slice(None, None, None)] * (rank - len(slices))
    order = [slices[0], slices[-1], *slices[1:-1]]
    flips = [axis for axis, s in enumerate(order) if _is_flip(em, s, node)]
    if any(em.fact(order[axis].step).literal(...) != -1 for axis in flips):  # type: ignore[attr-defined]
        raise Refused("P203", "a slice with a negative step; flip first, then slice", node)
    order = [cst.Slice(None, None, None) if axis in flips else s for axis, s in enumerate(order)]
    if flips:
        kept = paren(em.expr(node.value)) if all(map(_is_whole, order)) else _taken(em, node, order)
        return build(f"{{x}}.flip({', '.join(map(str, flips))})", x=kept)
    return _taken(em, node, order)


def _taken(em: Emitter, node: cst.Subscript, order: list[cst.BaseSlice]) -> cst.BaseExpression:
    while len(order) > 1 and _is_whole(order[-1]):
        order.pop()
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    made = [cst.SubscriptElement(s, comma=comma if i < len(order) - 1 else cst.MaybeSentinel.DEFAULT)
            for i, s in enumerate(order)]
    return node.with_changes(value=paren(em.expr(node.value)), slice=made)


def _is_whole(s: cst.BaseSlice) -> bool:
    return isinstance(s, cst.Slice) and s.lower is None and s.upper is None and s.step is None
