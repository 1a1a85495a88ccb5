"""Facts of layers of the framework where they are applied."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from port.binding import best_row
from port.facts import UNKNOWN, Fact, Kind, Layout, Sym, tensor
from port.table import Row
from port.tf2torch.infer import base_sizes, masks, sequences
from port.tf2torch.infer.arrivals import reached
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.origins import join_origin, same_rank, want_flipped
from port.tf2torch.infer.rowcalls import ANY_LAYOUT, FLIPS, given, made, matched
from port.tf2torch.infer.sameshapes import INPUT_SIZES
from port.tf2torch.infer.values import Items, LayerCall, Origin, SameRank, has_tensor, is_helper, without
from port.tree import find

MERGES = {n: n.capitalize() for n in (
    "add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot")}


def merge(it: Interp, node: cst.Call, symbol: str, args: list[Fact]) -> Fact:
    """`layers.add([a, b])` is `layers.Add()([a, b])`."""
    full = f"keras.layers.{MERGES[symbol.rpartition('.')[2]]}"
    rows = it.rows.get(full)
    if not rows:
        return tensor()
    layer = it.layers.get(node)
    if layer is None:
        found = best_row(rows, node.with_changes(args=node.args[1:]), full, layer=True)
        row, bound = found if found else (None, None)
        layer = it.layers[node] = LayerCall(node, full, row, bound.args if bound else {})
    fact = Fact(Kind.LAYER, symbol=full, payload=layer)
    return run_layer(it, node, fact, args[:1])


def rank_of(symbol: str) -> int | None:
    """The rank that `Conv2D` or `Conv2DTranspose` takes."""
    found = re.search(r"([123])D(Transpose)?$", symbol)
    return int(found[1]) + 2 if found else None


def _rank_of_equation(it: Interp, layer: LayerCall) -> int | None:
    """The rank that the equation of an EinsumDense tells: 3 of `abc,cd->abd`."""
    equation = it.facts.get(layer.bound["equation"], UNKNOWN).literal() if "equation" in layer.bound else None
    if not isinstance(equation, str) or "." in equation:
        return None
    return len(equation.partition(",")[0].replace(" ", ""))


def images_rank(it: Interp, node: cst.Call) -> int:
    """How many axes the images have that this call gives, by the name of what is called."""
    payload = it.applications[node][0].payload if node in it.applications else None
    name = payload.symbol if isinstance(payload, LayerCall) else it.names.resolve(node.func)
    return rank_of(name) or next((n + 2 for n in (1, 3) if f"{n}d" in name), 4)


def run_layer(it: Interp, node: cst.Call, callee: Fact, args: list[Fact]) -> Fact:
    """Apply a framework layer: remember what arrives, give what leaves."""
    layer: LayerCall = callee.payload
    first = args[0] if args else UNKNOWN
    rank = rank_of(layer.symbol) or _rank_of_equation(it, layer)
    if rank and first.kind is Kind.TENSOR and first.shape is None:
        if isinstance(first.payload, Origin | SameRank):
            it.ranks[(first.payload.owner, first.payload.name)] = rank
        it.shown[id(first)] = first, rank
        first = first.but(shape=(*[None] * (rank - 1), first.last))
    inputs = tuple(first.payload.elements) if isinstance(first.payload, Items) else (first,)
    if len(args) > 1:
        inputs += tuple(a for a in args[1:] if has_tensor(a))
    it.applications[node] = (callee, list(args))
    for one in (layer, *layer.others):
        one.inputs.append(first)
    row = layer.row
    if row is None:
        return tensor()
    for fact in inputs if row.weights or (it.current and is_helper(it.current[-1])) else ():
        shows_tensor(it, fact)
    _shows_width(it, layer, first)
    flat = bool(inputs) and is_flat(it, layer, inputs[0].rank)
    if row.layout == FLIPS and not flat:
        want_flipped(it, inputs)
    result = made(row, given(it, matched(layer, row), inputs))
    if result.kind is Kind.TENSOR:
        spatial = row.layout == FLIPS and not flat
        if row.returns in ("same", "pool", "conv") and row.layout == FLIPS:
            result = result.but(layout=Layout.PLAIN if flat or (result.rank or 3) < 3 else Layout.FLIPPED)
        elif not spatial and (row.returns not in ANY_LAYOUT or wants_plain(row)):
            result = result.but(layout=Layout.PLAIN)
        keep = row.returns in ("same", "broadcast", "cast") and not spatial
        result = result.but(payload=(join_origin(inputs) or same_rank(inputs)) if keep else (
            same_rank(inputs) if row.returns == "plain_same" else None))
    result = masks.after_layer(it, node, layer, inputs, sequences.outcome(it, node, layer, inputs, result))
    result = base_sizes.of_base(it, layer.maker, without(result, layer.hidden))
    if result.kind is Kind.TENSOR:
        layer.outputs.append(result)
    return result


def shows_tensor(it: Interp, fact: Fact) -> None:
    """A parameter that a layer with weights is applied to is a tensor, also where no call shows it."""
    function = it.current[-1] if it.current else None
    name = fact.symbol.removeprefix("=")
    inside = function is not None and (function.owner is None or (
        (function.name == "call" or is_helper(function)) and name not in ("self", "training", "mask")))
    if function is None or not inside or fact.kind is not Kind.PLAIN or fact.payload is not None:
        return
    if fact.values is None and fact.symbol == "=" + name and name in function.params and (
            name not in function.tensors):
        function.tensors[name] = tensor()


def _shows_width(it: Interp, layer: LayerCall, x: Fact) -> None:
    """A module of PyTorch that is told the size of its input tells it of the parameter that arrives there."""
    told = layer.bound.get(INPUT_SIZES.get(layer.symbol, ""))
    function = it.current[-1] if it.current else None
    if told is None or function is None or function.owner is None or not isinstance(x.payload, Origin) or (
            x.payload.owner is not function):
        return
    width = it.dim(told)
    if isinstance(width, int | Sym) and isinstance(x.width, Sym) and function.mirrors.get(x.width.text) and (
            not isinstance(width, Sym) or width.text.isidentifier()):
        it.widths.setdefault((function, x.payload.name), width)


def is_flat(it: Interp, layer: LayerCall, rank: int | None) -> bool:
    """Without positions; or BatchNormalization(axis=1) of up to three axes, which PyTorch counts as Keras does.

    Where nothing shows how many axes arrive, the last one is normalised (helper `on_last_axis`).
    """
    if layer.symbol == "keras.layers.BatchNormalization" and rank in (None, 3):
        axis = norm_axis(it, layer.bound.get("axis"))
        return axis == 1 or (axis == -1 and rank is None)
    return rank is not None and rank < 3


def norm_axis(it: Interp, node: cst.BaseExpression | None) -> Any:
    """The axis of a BatchNormalization; of a setting of the constructor, what all calls give; `...` if not known."""
    fact = it.facts.get(node, UNKNOWN) if node is not None else None
    value = -1 if fact is None else fact.literal(...)
    if fact is None or value is not ... or not fact.symbol.startswith("="):
        return value
    inits = [i for c in it.classes.values() if (i := c.methods.get("__init__")) is not None and any(
        n is node for m in c.methods.values() for n in find(m.node, cst.Attribute))]
    given = {v for i in inits for v in reached(i, fact.symbol[1:])}
    return given.pop() if len(given) == 1 else ...


def wants_plain(row: Row) -> bool:
    """Layers that act on the last axis of the source, whatever the rank."""
    names = {s.name.rpartition(".")[2] for s in row.torch}
    return bool(names & {"LayerNorm", "RMSNorm", "Linear", "MultiheadAttention"}) or (row.attr == "norm" and (
        row.layout != FLIPS))
