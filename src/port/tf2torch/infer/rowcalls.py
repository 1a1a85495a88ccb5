"""Facts of calls that a row describes."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import Bound, best_row, bind, literal_text, row_name
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, tensor
from port.table import Row
from port.tf2torch.infer import layershapes, masks, opshapes, sameshapes, shapes
from port.tf2torch.infer.conditions import default_fact, taken_ranks, unmet
from port.tf2torch.infer.given import Given
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.origins import join_origin, proves_rank, want_flipped
from port.tf2torch.infer.sizes import made_tensors, of_sizes
from port.tf2torch.infer.values import LayerCall, ShapeOf, has_tensor

# Shape rules of ops that act alike in either layout (their axis arguments are remapped).
ANY_LAYOUT = {"same", "broadcast", "compare", "concat", "reduce", "cast", "split", "pad", "like"}
FLIPS = "nchw"
SHAPES = shapes.RULES | layershapes.RULES | opshapes.RULES | sameshapes.RULES


def new_layer(it: Interp, node: cst.Call, symbol: str, row: Row | None, bound: Bound | None) -> Fact:
    layer = it.layers.get(node)
    if layer is None:
        layer = it.layers[node] = LayerCall(node, symbol, row, bound.args if bound else {})
        layer.hidden = frozenset(it.hidden)
        layer.maker = it.current[-1].owner if it.current else None
    return Fact(Kind.LAYER, symbol=symbol, payload=layer)


def given(it: Interp, bound: Bound | None, inputs: tuple[Fact, ...]) -> Given:
    args = bound.args if bound is not None else {}
    params = tuple(p.name for p in bound.signature.params) if bound is not None else ()

    def fact(name: str) -> Fact:
        return it.facts.get(args[name], UNKNOWN) if name in args else UNKNOWN

    def literal(name: str) -> Any:
        if name in args:
            return it.facts.get(args[name], UNKNOWN).value
        return literal_text(bound.default(name) if bound is not None else None)

    def dim(name: str) -> Dim:
        if name in args:
            return it.dim(args[name])
        try:
            value = literal(name)
        except LookupError:
            return None
        return value if isinstance(value, int) else None

    return Given(inputs, literal, dim, fact, params, frozenset(args))


PERMUTES = ("tf.transpose", "tf.compat.v1.transpose", "keras.ops.transpose", "keras.backend.permute_dimensions")


def row_call(it: Interp, node: cst.Call, symbol: str, rows: tuple[Row, ...], args: list[Fact]) -> Fact:
    found = _fitting(it, rows, node, symbol)
    if found is None:
        return it.plain(node)
    row, bound = found
    if row.kind == "layer" or symbol.startswith("keras.layers."):
        return new_layer(it, node, symbol, row, bound)
    tensors = tuple(a for a in args if has_tensor(a))
    if (python := of_sizes(it, row, bound)) is not None:
        return python
    tensors = tensors or tuple(made_tensors(it, row, bound))
    perm: tuple[Any, ...] = ()
    if symbol in PERMUTES and bound.args:
        x, *rest = bound.args.values()
        perm = next((v for r in rest if isinstance(v := it.facts.get(r, UNKNOWN).literal(), tuple)), ())
        proves_rank(it, x, len(perm))
    for name, rank in taken_ranks(row):
        if name in bound.args:
            proves_rank(it, bound.args[name], rank)
    if not tensors and not row.returns:
        return Fact(Kind.PLAIN, symbol="=") if not symbol.startswith(("tf.", "keras.ops")) else tensor(
        ) if _makes_tensor(row) else it.plain(node)
    if row.returns == "shape":
        return Fact(Kind.SHAPE, payload=ShapeOf(tensors[0], form="tensor")) if tensors else it.plain(node)
    if row.returns in ("plain", "python", "none"):
        return it.plain(node)
    if row.layout == FLIPS:
        want_flipped(it, tensors)
    result = made(row, given(it, bound, tensors))
    if result.kind is Kind.TENSOR:
        if perm and result.shape is None:
            result = result.but(shape=(None,) * len(perm))
        if row.layout == FLIPS:
            result = result.but(layout=Layout.FLIPPED)
        elif row.returns not in ANY_LAYOUT:
            result = result.but(layout=Layout.PLAIN)
        if row.dtype:
            given_dtype = it.facts.get(bound.args["dtype"], UNKNOWN) if "dtype" in bound.args else UNKNOWN
            result = result.but(dtype=opshapes.dtype_of(given_dtype) if row.dtype == "dtype" else row.dtype)
    origin = join_origin(tensors) if row.returns in ("same", "broadcast", "cast") else None
    result = result.but(payload=origin) if result.kind is Kind.TENSOR else result
    return masks.after_op(symbol, tensors, result)


def made(row: Row, call: Given) -> Fact:
    """What the op gives; nothing is known where the shapes do not fit its axes: the source fails there as well."""
    try:
        return SHAPES.get(row.returns, shapes.unknown)(call)
    except (IndexError, ZeroDivisionError):
        return tensor()


def _fitting(it: Interp, rows: tuple[Row, ...], node: cst.Call, symbol: str) -> tuple[Row, Bound] | None:
    """The first row whose signature and conditions fit the call; failing that, whose signature does."""
    if symbol.startswith("keras.layers."):
        return best_row(rows, node, symbol, layer=True)
    for row in rows:
        for signature in row.tf:
            bound = bind(signature, node)
            if bound.problem or not row_name(signature.name, symbol):
                continue

            def fact(name: str, bound: Bound = bound) -> Fact:
                return it.facts.get(bound.args[name], UNKNOWN) if name in bound.args else default_fact(bound, name)

            if unmet(row, bound, fact) == ("", ""):
                return row, bound
    return best_row(rows, node, symbol)


def _makes_tensor(row: Row) -> bool:
    return row.kind in ("function", "") and not row.none


def matched(layer: LayerCall, row: Row) -> Bound | None:
    """The call that makes a layer, matched with its row: once, however often it is applied."""
    if layer.matched is None:
        found = best_row((row,), layer.node, layer.symbol, layer=True)
        if found is None:
            return None
        layer.matched = found[1]
        layer.matched.args = dict(layer.bound) or layer.matched.args
    return layer.matched
