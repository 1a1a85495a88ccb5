"""Keras masks as facts: where they arise, which layers pass them on, which layers read them.

Only layers carry masks; any other operation gives a tensor without one. A mask that is not followed exactly is
FOREIGN: a layer that would read it is refused (`rules/masking.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.binding import keyword
from port.facts import UNKNOWN, Fact, Kind
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Items, LayerCall, find_method, has_tensor, tensors_in
from port.tree import code, find

PASS = {"Activation", "ActivityRegularization", "AlphaDropout", "Dense", "Dropout", "ELU", "GaussianDropout",
        "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "Normalization", "PReLU",
        "ReLU", "Rescaling", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "UnitNormalization",
        "TimeDistributed"}
MERGES = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}
RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"}
ATTEND = {"MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention", "Attention", "AdditiveAttention"}
READS = RECURRENT | ATTEND | {"GlobalAveragePooling1D", "GlobalAvgPool1D"}  # translated with their mask
REFUSES = {"BatchNormalization", "Softmax", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}  # read it, and are not


@dataclass(eq=False)
class Mask:
    """`node`: the call of Embedding or Masking that makes it, or the expression given as `mask=`."""

    node: cst.CSTNode
    function: Any  # whose code makes it; None at module level
    kind: str  # embedding | masking | given
    used: bool = False


FOREIGN = Mask(cst.Pass(), None, "foreign")


def name_of(layer: LayerCall) -> str:
    return layer.symbol.rpartition(".")[2]




def is_on(it: Interp, layer: LayerCall, name: str, default: bool = False) -> bool:
    node = layer.bound.get(name)
    return default if node is None else it.facts.get(node, UNKNOWN).literal(True) is not False


def joined(a: Fact, b: Fact) -> Any:
    """The mask of a value that comes from either path."""
    return a.mask if a.mask is b.mask else FOREIGN


def arriving(it: Interp, node: cst.Call, layer: LayerCall, inputs: tuple[Fact, ...]) -> Any:
    """The mask that a layer gets with its first input; `mask=` goes before what the tensor carries."""
    given = keyword(node, "mask") if node is not layer.node or name_of(layer) not in READS else None
    if given is not None:
        fact = it.facts.get(given, UNKNOWN)
        if fact.kind is Kind.TENSOR or fact.literal(...) is not None:
            return Mask(given, it.current[-1] if it.current else None, "given", True)
    return inputs[0].mask if inputs else None


def after_layer(it: Interp, node: cst.Call, layer: LayerCall, inputs: tuple[Fact, ...], result: Fact) -> Fact:
    """The result of a layer with the mask that Keras gives it."""
    name = name_of(layer)
    if not has_tensor(result):
        return result
    mask = arriving(it, node, layer, inputs)
    if name in READS and (mask is None or mask.kind != "given" or name not in RECURRENT):
        for fact in inputs:
            if isinstance(fact.mask, Mask):
                fact.mask.used = True
    return with_mask(result, _outgoing(it, node, layer, name, inputs, mask))


def with_mask(result: Fact, mask: Any) -> Fact:
    if isinstance(result.payload, Items):
        first, *rest = result.payload.elements
        kept = Items([first.but(mask=mask), *[e.but(mask=None) for e in rest]], result.payload.kind)
        return result.but(payload=kept)
    return result if result.mask is mask else result.but(mask=mask)


def _outgoing(it: Interp, node: cst.Call, layer: LayerCall, name: str, inputs: tuple[Fact, ...], mask: Any) -> Any:
    if name == "Embedding":
        return _made(it, node, "embedding") if is_on(it, layer, "mask_zero") else None
    if name == "Masking":
        return _made(it, node, "masking")
    masks = [f.mask for f in inputs]
    if not any(masks) and mask is None:
        return None
    if name in PASS or name in {"BatchNormalization", "Softmax"} or name in ATTEND:
        return mask
    if name in MERGES:
        return None if any(m is None for m in masks) else masks[0] if len({id(m) for m in masks}) == 1 else FOREIGN
    if name == "Concatenate":
        return _concatenated(it, layer, inputs, masks)
    if name == "Bidirectional":
        return mask if sequences(it, layer) else None
    if name in RECURRENT or name.startswith("ConvLSTM"):
        return mask if is_on(it, layer, "return_sequences") else None
    if name == "Lambda" and "mask" in layer.bound:
        return FOREIGN
    return None


def sequences(it: Interp, layer: LayerCall) -> bool:
    inner = it.facts.get(layer.bound.get("layer"), UNKNOWN).payload  # type: ignore[arg-type]
    return is_on(it, inner, "return_sequences") if isinstance(inner, LayerCall) else True


def _concatenated(it: Interp, layer: LayerCall, inputs: tuple[Fact, ...], masks: list[Any]) -> Any:
    axis = it.facts.get(layer.bound["axis"], UNKNOWN).literal(...) if "axis" in layer.bound else -1
    rank = inputs[0].rank
    if axis == -1 or (rank is not None and axis == rank - 1):  # a step is real if it is in any input
        if any(m is None for m in masks):
            return None
        return masks[0] if len({id(m) for m in masks}) == 1 else FOREIGN
    return FOREIGN


def _made(it: Interp, node: cst.Call, kind: str) -> Mask:
    known = it.masks.get(node)
    if known is None:
        known = it.masks[node] = Mask(node, it.current[-1] if it.current else None, kind)
    return known


def after_op(symbol: str, inputs: tuple[Fact, ...], result: Fact) -> Fact:
    """Operations lose masks; a cast to the type that a tensor has gives the same object, and its mask."""
    same = symbol.rpartition(".")[2] in ("cast", "convert_to_tensor") and any(
        t.mask is not None for f in inputs for t in tensors_in(f))
    if isinstance(result.payload, Items):
        return result.but(payload=Items([after_op("", (), e) for e in result.payload.elements], result.payload.kind))
    return result.but(mask=FOREIGN if same else None) if result.kind is Kind.TENSOR else result


def foreign(fact: Fact) -> Fact:
    """What leaves a function, class or model: its mask cannot be named outside."""
    if any(t.mask is not None for t in tensors_in(fact)):
        if isinstance(fact.payload, Items):
            return fact.but(payload=Items([foreign(e) for e in fact.payload.elements], fact.payload.kind))
        return fact.but(mask=FOREIGN)
    return fact


def after_instance(instance: Any, args: list[Fact], result: Fact) -> Fact:
    """A layer of the user's: its inner layers may set a mask, and `supports_masking` passes one on."""

    first = tensors_in(args[0])[:1] if args else []
    if first and isinstance(first[0].mask, Mask) and _takes_mask(instance.cls):
        first[0].mask.used = True
    own = find_method(instance.cls, "compute_mask")
    if own is not None:  # whatever arrives
        return with_mask(result, None if _gives_none(own.node) else FOREIGN) if has_tensor(result) else result
    if first and first[0].mask is not None and result.kind is Kind.TENSOR and result.mask is None and _supports(
            instance.cls):
        return result.but(mask=FOREIGN)
    return foreign(result)


def _gives_none(node: cst.CSTNode) -> bool:
    found = list(find(node, cst.Return))
    return all(n.value is None or (isinstance(n.value, cst.Name) and n.value.value == "None") for n in found)


def _takes_mask(cls: Any) -> bool:

    call = find_method(cls, "call")
    return call is not None and "mask" in call.params


def _supports(cls: Any) -> bool:

    init = find_method(cls, "__init__")
    return init is not None and "supports_masking = True" in code(init.node)

