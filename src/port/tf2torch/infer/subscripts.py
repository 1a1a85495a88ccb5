"""Facts of subscripts: of tensors, shapes and sequences."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, tensor
from port.tf2torch.infer.arrays import is_array, part
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.keyed import Keyed, get
from port.tf2torch.infer.values import (
    Alternatives,
    Choice,
    Grown,
    Inputs,
    Items,
    ShapeOf,
    Size,
    common,
    has_tensor,
    part_of,
    tensors_in,
)


def subscript(it: Interp, node: cst.Subscript, owner: Fact) -> Fact:
    index = node.slice[0].slice if len(node.slice) == 1 else None
    at = it.facts.get(index.value, UNKNOWN).literal(...) if isinstance(index, cst.Index) else ...
    if owner.kind is Kind.TENSOR:
        return _index_tensor(it, node, owner)
    if is_array(owner):
        return part(owner, [e.slice for e in node.slice], lambda element: _is_new_axis(it, element),
                    lambda index: it.facts.get(index, UNKNOWN))
    if isinstance(owner.payload, ShapeOf):
        return _index_shape(it, index, at, owner.payload)
    if isinstance(owner.payload, Inputs) and at in owner.payload.values:
        return owner.payload.values[at]
    if isinstance(owner.payload, Items):
        elements = owner.payload.elements
        if isinstance(at, int) and -len(elements) <= at < len(elements):
            return elements[at]
        if isinstance(index, cst.Slice):
            low, high, step = (it.facts.get(p, UNKNOWN).literal(None) if p is not None else None
                               for p in (index.lower, index.upper, index.step))
            if all(v is None or isinstance(v, int) for v in (low, high, step)):
                return Fact(Kind.PLAIN, payload=owner.payload.part(elements[low:high:step], owner.payload.kind))
        if elements and any(has_tensor(e) for e in elements):
            return common(tensors_in(owner))
        if elements and all(e.kind in (Kind.LAYER, Kind.MODEL) for e in elements):
            return elements[0]
    if isinstance(owner.payload, Grown) and isinstance(index, cst.Index):
        count: Dim = Sym(f"{owner.payload.counts}[{it.text(index.value)}]") if owner.payload.counts != "?" else None
        shape = owner.payload.element.shape
        return owner.payload.element.but(shape=None if shape is None else (*shape[:-1], count))
    if isinstance(owner.payload, Grown) and isinstance(index, cst.Slice):
        return Fact(Kind.PLAIN, payload=part_of(owner.payload, f"[{it.text(index)}]"))
    if isinstance(owner.payload, Keyed):
        return get(owner.payload, at) or it.plain(node)
    if isinstance(owner.payload, Choice):
        first = owner.payload.options[0]
        return first if first.payload is None else Fact(Kind.FUNCTION, payload=Alternatives(owner.payload.options))
    value = owner.literal(...)
    if isinstance(value, tuple | str) and isinstance(at, int) and -len(value) <= at < len(value):
        return it.value(value[at])
    return it.plain(node)


def _index_shape(it: Interp, index: Any, at: Any, shape: ShapeOf) -> Fact:
    of, kind = shape.of, Kind.PLAIN if shape.form == "list" else Kind.SHAPE
    if isinstance(index, cst.Index) and isinstance(at, int) and of.shape is not None and -len(of.shape) <= at < len(
            of.shape):
        return Fact(Kind.PLAIN, payload=Size(of.shape[at], shape.name))
    if isinstance(index, cst.Index) and at == -1 and of.shape is None:
        return Fact(Kind.PLAIN, payload=Size(of.last, shape.name))
    if isinstance(index, cst.Slice) and of.shape is not None:
        low, high = (it.facts.get(p, UNKNOWN).literal(None) if p is not None else None
                     for p in (index.lower, index.upper))
        if index.step is None and all(v is None or isinstance(v, int) for v in (low, high)):
            return Fact(kind, payload=ShapeOf(tensor(of.shape[low:high]), shape.name, shape.form))
    if isinstance(index, cst.Slice):
        return Fact(kind, payload=ShapeOf(tensor(), shape.name, shape.form))
    return Fact(Kind.PLAIN, payload=Size(None, shape.name))


def _index_tensor(it: Interp, node: cst.Subscript, owner: Fact) -> Fact:
    if owner.shape is None:
        return tensor(None, owner.dtype)
    dims: list[Dim] = []
    left = list(owner.shape)
    elements = [e.slice for e in node.slice]
    consumed = sum(1 for e in elements if not _is_new_axis(it, e) and not _is_ellipsis(e))
    for element in elements:
        if _is_new_axis(it, element):
            dims.append(1)
        elif _is_ellipsis(element):
            keep = len(left) - (consumed - (len(owner.shape) - len(left)))
            dims += left[:keep]
            left = left[keep:]
        elif not left:
            return tensor(None, owner.dtype)
        elif isinstance(element, cst.Index):
            if it.facts.get(element.value, UNKNOWN).kind is Kind.TENSOR:
                return tensor(None, owner.dtype)
            left.pop(0)
        elif isinstance(element, cst.Slice):
            size = left.pop(0)
            whole = element.lower is None and element.upper is None and element.step is None
            dims.append(size if whole else _sliced(it, element, size))
    same_rank = len(elements) > 0 and all(isinstance(e, cst.Slice) or _is_ellipsis(e) for e in elements)
    layout = owner.layout if same_rank else Layout.PLAIN
    return tensor((*dims, *left), owner.dtype, layout)


def _sliced(it: Interp, element: cst.Slice, size: Dim) -> Dim:
    low, high = (it.facts.get(p, UNKNOWN).literal(...) if p is not None else None
                 for p in (element.lower, element.upper))
    if element.step is None and isinstance(size, int) and low is not ... and high is not ...:
        return len(range(size)[low:high])
    if element.step is None and (low is None or low == 0) and isinstance(high, int) and high >= 0:
        return high
    if element.step is None and (low is None or low == 0) and element.upper is not None and high is ...:
        return it.dim(element.upper)
    return None


def _is_new_axis(it: Interp, element: Any) -> bool:
    if not isinstance(element, cst.Index):
        return False
    fact = it.facts.get(element.value, UNKNOWN)
    return fact.symbol in ("tf.newaxis", "numpy.newaxis") or fact.literal(...) is None


def _is_ellipsis(element: Any) -> bool:
    return isinstance(element, cst.Index) and isinstance(element.value, cst.Ellipsis)
