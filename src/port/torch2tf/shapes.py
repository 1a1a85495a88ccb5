"""Facts of operators and indexing on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import Dim, Fact, Kind, Layout, tensor
from port.torch2tf import thinviews
from port.torch2tf.values import PERMUTED, Origin, can_flip, is_list, made_of, may_be_none

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

PLAIN, FLIPPED = Layout.PLAIN, Layout.FLIPPED
FLOATS = ("float", "float16", "bfloat16", "float32", "float64")


def binary(it: Interp, node: cst.CSTNode, a: Fact, b: Fact) -> Fact:
    """`a op b`, one of them a tensor."""
    operator = node.operator  # type: ignore[attr-defined]
    if type(operator) in (cst.MatrixMultiply, cst.MatrixMultiplyAssign):
        return matmul(it, node, a, b)
    dtype = promoted(a, b)
    if type(operator) in (cst.Divide, cst.DivideAssign) and dtype is not None and dtype not in FLOATS:
        dtype = "float"
    return broadcast(it, node, [a, b]).but(dtype=dtype)


def compare(it: Interp, node: cst.CSTNode, a: Fact, b: Fact) -> Fact:
    return broadcast(it, node, [a, b]).but(dtype="bool")


def promoted(a: Fact, b: Fact) -> str | None:
    """torch's result dtype of two operands; Python numbers count by their kind only."""
    if a.kind is not Kind.TENSOR:
        a, b = b, a
    if b.kind is not Kind.TENSOR:
        number = b.literal(...)
        if a.dtype is not None and a.dtype not in FLOATS and (isinstance(number, float) or b.dtype == "float"):
            return "float"
        if a.dtype == "bool" and isinstance(number, int):
            return "int64"
        return a.dtype
    if a.dtype == b.dtype:
        return a.dtype
    if a.dtype is None or b.dtype is None:
        return None
    x_float, y_float = a.dtype in FLOATS, b.dtype in FLOATS
    if x_float != y_float:
        return a.dtype if x_float else b.dtype
    if "bool" in (a.dtype, b.dtype):
        return b.dtype if a.dtype == "bool" else a.dtype
    return "int64" if not x_float and "int64" in (a.dtype, b.dtype) else None


def broadcast(it: Interp, node: cst.CSTNode | None, facts: list[Fact]) -> Fact:
    """Element by element over tensors of possibly different shapes. Channels last if one of full rank is."""
    tensors = [f for f in facts if f.kind is Kind.TENSOR]
    shape = broadcast_shape([f.shape for f in tensors])
    rank = None if shape is None else len(shape)
    # A tensor of unknown rank cannot be brought to channels last: then all are brought back.
    flipped = rank is not None and 3 <= rank <= 5 and any(f.layout is FLIPPED and f.rank == rank for f in tensors)
    if flipped and any(f.layout is PLAIN and f.rank == rank for f in tensors):
        flipped = any(f.layout is FLIPPED and f.rank == rank and f.symbol != PERMUTED for f in tensors)
    want = FLIPPED if flipped else PLAIN
    if node is not None:
        it.wants[node] = want
    if flipped or (rank is None and any(f.layout is FLIPPED and f.symbol != PERMUTED for f in tensors)):
        for f in tensors:
            if f.rank is None or f.rank == rank:
                it.want_flipped(f)
    origin = next((f.payload for f in tensors if isinstance(f.payload, Origin) and f.layout is want and (
        f.shape == shape)), None)
    if origin is None:
        origin = made_of(*(f for f in tensors if f.rank in (None, rank)))
    return Fact(Kind.TENSOR, shape, tensors[0].dtype if len(tensors) == 1 else None, want, payload=origin)


def broadcast_shape(shapes: list[tuple[Dim, ...] | None]) -> tuple[Dim, ...] | None:
    known = [s for s in shapes if s is not None]
    if len(known) != len(shapes):
        return None
    rank = max(map(len, known), default=0)
    out: list[Dim] = []
    for axis in range(-rank, 0):
        sizes = [s[axis] for s in known if -axis <= len(s)]
        big = [s for s in sizes if s != 1]
        out.append(1 if not big else big[0] if len(set(big)) == 1 else next((s for s in big if s is not None), None)
                   if len(big) == 1 else next((s for s in big if isinstance(s, int)), None))
    return tuple(out)


def matmul(it: Interp, node: cst.CSTNode, a: Fact, b: Fact) -> Fact:
    it.wants[node] = PLAIN
    shape: tuple[Dim, ...] | None = None
    if a.shape is not None and b.shape is not None:
        x, y = a.shape, b.shape
        if len(x) >= 2 and len(y) >= 2:
            head = broadcast_shape([x[:-2], y[:-2]])
            shape = None if head is None else (*head, x[-2], y[-1])
        elif len(y) == 1 and x:
            shape = x[:-1]
        elif len(x) == 1 and len(y) >= 2:
            shape = (*y[:-2], y[-1])
    return tensor(shape, a.dtype if a.dtype == b.dtype else a.dtype or b.dtype)


# ---------------------------------------------------------------- indexing
def index(it: Interp, node: cst.Subscript, owner: Fact) -> Fact:
    """`x[...]`: the shape of the result, and whether it stays channels last."""
    elements = [e.slice for e in node.slice]
    if owner.shape is None:
        it.wants[node] = PLAIN
        more = _more_axes(it, elements)
        return tensor(None, owner.dtype).but(payload=made_of(owner, more=more) if more is not None else None)
    axes = _axes(it, elements, len(owner.shape))
    if axes is None:
        it.wants[node] = PLAIN
        return _advanced(it, elements, owner)
    kept = [a for a in axes if a[0] != "int"]
    dims = [1 if how == "new" else _sliced(it, element, owner.shape[axis]) for how, axis, element in kept]
    whole = [axis for how, axis, _ in kept if how != "new"]
    plain = owner.layout is PLAIN or not can_flip(owner)
    if plain and [how for how, _, _ in kept] == ["slice", "slice", *["new"] * (len(kept) - 2)] and (
            2 < len(kept) <= 5 and it.current and dims[1] != 1):
        it.wants[node] = PLAIN
        return thinviews.found(it, node, tensor(tuple(dims), owner.dtype))
    stays = not plain and all(how != "new" for how, _, _ in axes) and whole[:2] == [0, 1] and len(whole) >= 3
    drops_channel = not plain and all(how != "new" for how, _, _ in axes) and 0 in whole and 1 not in whole
    it.wants[node] = FLIPPED if stays or drops_channel or (not plain and whole == [0, 1]) else PLAIN
    origin = owner.payload if isinstance(owner.payload, Origin) and all(
        d is not None and d == o for d, o in zip(dims, owner.shape, strict=False)) and len(dims) == len(
        owner.shape) else made_of(owner) if len(dims) == len(owner.shape) == len(whole) else None
    return Fact(Kind.TENSOR, tuple(dims), owner.dtype, FLIPPED if stays else PLAIN, payload=origin)


def _more_axes(it: Interp, elements: list[Any]) -> int | None:
    """How many axes there are afterwards, more than before; None if a tensor may index."""
    more = 0
    for e in elements:
        if _is(e, "new", it):
            more += 1
        elif isinstance(e, cst.Index) and not _is(e, "dots", it):
            if it.fact(e.value).kind is not Kind.PLAIN or is_list(it.fact(e.value)) or isinstance(
                    e.value, cst.List | cst.Tuple):
                return None
            more -= 1
    return more


def _axes(it: Interp, elements: list[Any], rank: int) -> list[tuple[str, int, Any]] | None:
    """(how, axis, element) for each axis; None if a tensor or list indexes."""
    used = sum(1 for e in elements if not _is(e, "new", it) and not _is(e, "dots", it))
    out: list[tuple[str, int, Any]] = []
    axis = 0
    for e in elements:
        if _is(e, "new", it):
            out.append(("new", -1, None))
        elif _is(e, "dots", it):
            for _ in range(rank - used):
                out.append(("slice", axis, None))
                axis += 1
        elif isinstance(e, cst.Slice):
            out.append(("slice", axis, e))
            axis += 1
        else:
            fact = it.fact(e.value)
            if (fact.kind is Kind.TENSOR and fact.shape != ()) or isinstance(
                    e.value, cst.List | cst.Tuple) or is_list(fact) or (
                    fact.kind is Kind.UNKNOWN and not isinstance(e.value, cst.Integer | cst.UnaryOperation)
                    and fact.symbol == ""):
                return None
            out.append(("int", axis, e))
            axis += 1
        if axis > rank:
            return None
    while axis < rank:
        out.append(("slice", axis, None))
        axis += 1
    return out


def _is(element: Any, what: str, it: Interp) -> bool:
    if type(element) is not cst.Index:
        return False
    if what == "dots":
        return type(element.value) is cst.Ellipsis
    return type(element.value) is cst.Name and element.value.value == "None"


def _sliced(it: Interp, element: Any, size: Dim) -> Dim:
    if element is None or (element.lower is None and element.upper is None and element.step is None):
        return size
    low, high = (it.fact(p).literal(...) if p is not None else None for p in (element.lower, element.upper))
    if element.step is None and isinstance(size, int) and low is not ... and high is not ...:
        return len(range(size)[low:high])
    return None


def _advanced(it: Interp, elements: list[Any], owner: Fact) -> Fact:
    facts = [it.fact(e.value) if isinstance(e, cst.Index) else None for e in elements]
    tensors = [f for f in facts if f is not None and f.kind is Kind.TENSOR]
    if len(elements) == 1 and len(tensors) == 1 and tensors[0].rank is not None and owner.shape is not None:
        rank = tensors[0].rank
        if tensors[0].dtype == "bool":
            return tensor((None, *owner.shape[rank:]), owner.dtype)
        if tensors[0].dtype is not None:
            return tensor((*(tensors[0].shape or ()), *owner.shape[1:]), owner.dtype)
    lists = [e for e in elements if isinstance(e, cst.Index) and (
        isinstance(e.value, cst.List) or is_list(it.fact(e.value)))]
    if len(lists) == 1 and len(tensors) == 0 and owner.shape is not None and len(elements) <= len(owner.shape):
        return tensor((None,) * len(owner.shape), owner.dtype)
    return tensor(None, owner.dtype)


def written(it: Interp, target: cst.Subscript, owner: Fact) -> None:
    """`x[...] = value`: a write in the source's axes."""
    it.wants[target] = PLAIN


__all__ = ["binary", "broadcast", "compare", "index", "matmul", "may_be_none", "promoted", "written"]
