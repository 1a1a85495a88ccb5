"""Facts of `Input`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, simplify, tensor
from port.tf2torch.infer.given import sizes_of
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Items, Origin, ShapeOf


def new_input(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    shape_node = keyword(node, "input_shape") or keyword(node, "shape", 0)
    batch_node = keyword(node, "batch_shape") or keyword(node, "batch_input_shape")
    dtype_node = keyword(node, "dtype")
    dtype = None
    if dtype_node is not None:
        fact = it.facts.get(dtype_node, UNKNOWN)
        dtype = fact.literal() or fact.symbol.rpartition(".")[2] or None
    dims = input_sizes(it, shape_node if batch_node is None else batch_node, input_name(node))
    if dims is None:
        return tensor(None, dtype or "float").but(payload=Origin(owner_now(it), input_name(node)))
    shape = (None, *dims) if batch_node is None else tuple(dims)
    owner = owner_now(it)
    traced = owner is not None and it.plain_axes(owner)
    flipped = (owner, input_name(node)) in it.flips and len(shape) >= 3 and not traced
    layout = Layout.FLIPPED if flipped else Layout.PLAIN
    return tensor(shape, dtype or "float", layout).but(payload=Origin(owner_now(it), input_name(node)))


def is_input(fact: Fact) -> bool:
    """A tensor that is an Input as it was made."""
    return fact.kind is Kind.TENSOR and isinstance(fact.payload, Origin) and fact.payload.name.startswith("Input@")


def owner_now(it: Interp) -> Any:
    return it.current[-1] if it.current else None


def input_name(node: cst.Call) -> str:
    return f"Input@{id(node)}"


def input_sizes(it: Interp, node: cst.BaseExpression | None, name: str = "") -> list[Dim] | None:
    """Sizes of an Input: spatial ones as numbers where constants tell them, the last as the source names it."""
    if node is None:
        return None
    fact = it.facts.get(node, UNKNOWN)
    if isinstance(node, cst.Tuple | cst.List) and isinstance(fact.payload, Items):
        written = [e for e in node.elements if not isinstance(e, cst.StarredElement)]
        if len(written) == len(node.elements):
            dims = [None if it.facts.get(e.value, UNKNOWN).literal(...) is None else it.dim(e.value) for e in written]
            return [_number(d) for d in dims[:-1]] + dims[-1:]
        return sizes_of(fact)
    value = fact.literal(...)
    text = it.text(node)
    if isinstance(value, tuple):
        dims = list(value)
        if dims and isinstance(dims[-1], int) and isinstance(node, cst.Name):
            dims[-1] = Sym(f"{text}[-1]", dims[-1])
        return dims
    if isinstance(value, int):
        return [it.dim(node)]
    if isinstance(fact.payload, ShapeOf) and fact.payload.of.shape is not None:
        return list(fact.payload.of.shape)
    if isinstance(fact.payload, Items):
        return sizes_of(fact)
    rank = it.ranks.get((owner_now(it), name))
    if rank is None:
        return None
    simple = simplify(f"({text})[-1]")
    base = text if isinstance(simple, Sym) else ""
    return [*[Sym(f"{base}[{i}]") for i in range(rank - 2)], Sym(f"{base}[-1]")]


def _number(dim: Dim) -> Dim:
    return dim.known if isinstance(dim, Sym) and dim.known is not None else dim
