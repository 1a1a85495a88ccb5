"""Facts of models, and of whatever is applied to a tensor."""

from __future__ import annotations

import libcst as cst

from port.binding import keyword
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, dim_value, tensor
from port.tf2torch.infer import masks, object_masks
from port.tf2torch.infer.functions import call_curried, call_function, curried_alternatives
from port.tf2torch.infer.inputs import input_sizes, owner_now
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.layers import run_layer, shows_tensor
from port.tf2torch.infer.objects import apply_instance
from port.tf2torch.infer.origins import as_source
from port.tf2torch.infer.results import outside
from port.tf2torch.infer.several import LAMBDA, applied
from port.tf2torch.infer.values import (
    Alternatives,
    Curried,
    Function,
    GraphModel,
    Instance,
    Items,
    LayerCall,
    Origin,
    SequentialModel,
    has_tensor,
)
from port.tree import clone


def apply_to(it: Interp, node: cst.Call, callee: Fact, args: list[Fact]) -> Fact:
    payload = callee.payload
    if isinstance(payload, LayerCall):
        return applied(it, callee, lambda one: _apply_layer(it, node, one, args))
    it.applications[node] = (callee, list(args))
    if isinstance(payload, Instance):
        return object_masks.after_instance(it, node, payload, args, apply_instance(it, node, payload, args))
    if isinstance(payload, SequentialModel):
        it.applied.add(payload.node)
        for arg in args[:1]:
            shows_tensor(it, arg)
        if has_input(payload):  # it was followed when it was built
            out = payload.output if payload.output is not None else tensor()
            return masks.foreign(outside(it, payload, out.but(layout=Layout.PLAIN, payload=None)))
        x = _as_its_maker_writes(it, payload, args[0] if args else UNKNOWN)
        payload.inputs.append(x)
        out = outside(it, payload, run_sequential(it, payload, x))
        return out if out.mask is x.mask else masks.foreign(out)
    if isinstance(payload, GraphModel):
        return masks.foreign(as_source(payload.outputs)) if has_tensor(payload.outputs) else tensor()
    if isinstance(payload, Curried):
        return call_curried(it, node, payload, args)
    if isinstance(payload, Alternatives):
        return curried_alternatives(it, node, payload, args)
    return tensor()


def _apply_layer(it: Interp, node: cst.Call, callee: Fact, args: list[Fact]) -> Fact:
    if callee.payload.symbol == LAMBDA and callee.payload.bound:
        return _apply_lambda(it, node, callee, args)
    return run_layer(it, node, callee, args)


def _as_its_maker_writes(it: Interp, model: SequentialModel, x: Fact) -> Fact:
    """Sizes have names that only the function knows which applies the model, if another one made it.

    What a function makes at each of its calls is written once: no size holds that differs between them.
    """
    here = it.current[-1] if it.current else None
    alike = model.maker is here or (model.maker is not None and here is not None and model.maker.owner is not None
                                    and model.maker.owner is here.owner)
    if alike or x.kind is not Kind.TENSOR:
        return x
    shape = None if x.shape is None else tuple(dim_value(d) for d in x.shape)
    x = x.but(shape=shape, last=dim_value(x.last))
    x = it.arrived[model.node] = _common_sizes(it.arrived.get(model.node, x), x)
    return x


def _common_sizes(a: Fact, b: Fact) -> Fact:
    """The second tensor, with the sizes in which both agree."""
    width = b.width if a.width == b.width else None
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        return b.but(last=width, shape=b.shape and (*b.shape[:-1], width))
    return b.but(last=width, shape=tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True)))


def _apply_lambda(it: Interp, node: cst.Call, callee: Fact, args: list[Fact]) -> Fact:
    it.applications[node] = (callee, list(args))
    inner = it.facts.get(next(iter(callee.payload.bound.values())), UNKNOWN)
    callee.payload.inputs.append(args[0] if args else UNKNOWN)
    if isinstance(inner.payload, Function):
        return call_function(it, None, inner.payload, args)
    return tensor()


def has_input(model: SequentialModel) -> bool:
    first = model.layers[0] if model.layers else None
    if model.alone:
        return True
    if first is None or first.kind is Kind.TENSOR:
        return first is not None
    return isinstance(first.payload, LayerCall) and any(
        keyword(first.payload.node, k) is not None for k in ("input_shape", "input_dim", "batch_input_shape"))


def run_sequential(it: Interp, model: SequentialModel, x: Fact) -> Fact:
    for layer in model.layers:
        if isinstance(layer.payload, LayerCall) and layer.payload.symbol == "keras.layers.Lambda":
            layer.payload.inputs.append(x)
            x = tensor(None, x.dtype, Layout.PLAIN)
        elif isinstance(layer.payload, LayerCall):
            x = run_layer(it, layer.payload.node, layer, [x])
        elif layer.kind in (Kind.LAYER, Kind.MODEL):
            x = _inside(it, model, layer, x)
        else:
            x = tensor()
    model.output = x
    return x


def only(outputs: cst.BaseExpression) -> cst.BaseExpression:
    """What a model of `outputs` gives: of a list of one, that one."""
    if isinstance(outputs, cst.List | cst.Tuple) and len(outputs.elements) == 1 and not isinstance(
            outputs.elements[0], cst.StarredElement):
        return outputs.elements[0].value
    return outputs


def new_model(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    inputs, outputs = keyword(node, "inputs", 0), keyword(node, "outputs", 1)
    if inputs is None or outputs is None:
        return Fact(Kind.MODEL, symbol="keras.Model")
    payload = GraphModel(node, it.facts.get(inputs, UNKNOWN),
                         it.facts.get(only(outputs), UNKNOWN))
    return Fact(Kind.MODEL, symbol="keras.Model", payload=payload)


def new_sequential(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    model = SequentialModel(node, maker=it.current[-1] if it.current else None, alone=node in it.alone)
    it.sequentials[node] = model
    given_layers = keyword(node, "layers", 0)
    if given_layers is not None:
        fact = it.facts.get(given_layers, UNKNOWN)
        if isinstance(fact.payload, Items) and fact.payload.kind != "layers":
            model.layers = list(fact.payload.elements)
        else:
            model.open = True
    result = Fact(Kind.MODEL, symbol="keras.Sequential", payload=model)
    start_sequential(it, model)
    return result


def _inside(it: Interp, model: SequentialModel, layer: Fact, x: Fact) -> Fact:
    """A layer of the user's, or a model, inside a Sequential: the call is the Sequential's, not its own."""
    call_ = clone(_INSIDE) if layer.payload not in model.calls else model.calls[layer.payload]
    model.calls[layer.payload] = call_
    return masks.foreign(apply_to(it, call_, layer, [masks.foreign(x)]))


_INSIDE = cst.Call(cst.Name("layer"), [cst.Arg(cst.Name("x"))])


def start_sequential(it: Interp, model: SequentialModel) -> None:
    """Thread a known Input through the layers so far."""
    if not model.layers:
        return
    first = model.layers[0]
    x: Fact | None = None
    layers = model.layers
    if first.kind is Kind.TENSOR:
        x, layers = first, layers[1:]
    elif isinstance(first.payload, LayerCall):
        shape = sequential_shape(it, first.payload)
        if shape is not None:
            x = _input(it, model, shape)
    if x is None and model.alone:
        rank = it.ranks.get((owner_now(it), f"Input@{id(model.node)}"))
        x = _input(it, model, None if rank is None else (None,) * rank)
    if x is not None:
        rest = SequentialModel(model.node, list(layers))
        model.output = run_sequential(it, rest, x)


def _input(it: Interp, model: SequentialModel, shape: tuple[Dim, ...] | None) -> Fact:
    origin = Origin(owner_now(it), f"Input@{id(model.node)}")
    flipped = (origin.owner, origin.name) in it.flips and shape is not None and len(shape) >= 3
    return tensor(shape, "float", Layout.FLIPPED if flipped else Layout.PLAIN).but(payload=origin)


def stand_alone(it: Interp) -> bool:
    """Sequentials that nothing has applied, nor told the shape that arrives: are there new ones?"""
    found = {node for node, m in it.sequentials.items() if not (has_input(m) or m.open) and m.layers} - it.applied
    new = found - it.alone
    it.alone |= new
    return bool(new)


def sequential_shape(it: Interp, layer: LayerCall) -> tuple[Dim, ...] | None:
    shape = keyword(layer.node, "input_shape")
    if shape is not None:
        dims = input_sizes(it, shape, f"Input@{id(layer.node)}")
        return None if dims is None else (None, *dims)
    size = keyword(layer.node, "input_dim") if layer.symbol != "keras.layers.Embedding" else None
    if size is not None:
        return (None, it.dim(size))
    length = keyword(layer.node, "input_length")
    if layer.symbol == "keras.layers.Embedding":
        return (None, it.dim(length) if length is not None else None)
    return None


def add_layer(it: Interp, model: SequentialModel, layer: Fact) -> Fact:
    it.added[model.node] = True
    first = not model.layers
    if it.depth and model.output is not None:  # in a loop: what arrives differs from turn to turn
        known = model.output
        model.output = known.but(shape=None if known.shape is None else (None,) * len(known.shape), last=None)
    if all(known.payload is not layer.payload or known.payload is None for known in model.layers):
        model.layers.append(layer)
    if first:
        start_sequential(it, model)
        if layer.kind is Kind.TENSOR:
            model.output = layer
    elif model.output is not None:
        rest = SequentialModel(model.node, [layer])
        model.output = run_sequential(it, rest, model.output)
    return UNKNOWN
