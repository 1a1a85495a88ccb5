"""Keras masks as facts: where they arise, which layers pass them on, which layers read them.

Only layers carry masks; any other operation gives a tensor without one. A mask that is not followed exactly is
FOREIGN: a layer that would read it is refused (`rules/masking.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.binding import keyword
from port.facts import UNKNOWN, Fact, Kind
from port.scopes import Env
from port.tf2torch.infer import mask_methods
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.mask_values import (
    FOREIGN,
    RUNS,
    Mask,
    after_all,
    after_taking,
    alone,
    in_graph,
    merged,
    recorded,
    seen,
    wrapped,
)
from port.tf2torch.infer.values import Instance, Items, LayerCall, Origin, find_method, has_tensor, tensors_in
from port.tree import find

PASS = {"Activation", "ActivityRegularization", "AlphaDropout", "Dense", "Dropout", "ELU", "GaussianDropout",
        "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU", "Normalization", "PReLU",
        "ReLU", "Rescaling", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "UnitNormalization",
        "TimeDistributed"}
SAME = {"AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity", "SpatialDropout1D"}
MERGES = {"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"}
FILLS = {"Multiply", "Maximum", "Minimum"}  # leave out steps that are not real
RECURRENT = {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"}
ATTEND = {"MultiHeadAttention", "GroupQueryAttention", "GroupedQueryAttention", "Attention", "AdditiveAttention"}
READS = RECURRENT | ATTEND | {"GlobalAveragePooling1D", "GlobalAvgPool1D"}  # translated with their mask
REFUSES = {"BatchNormalization", "Softmax", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}  # read it, and are not


def name_of(layer: LayerCall) -> str:
    return layer.symbol.rpartition(".")[2]


def stops(layer: LayerCall) -> bool:
    """Does it give a tensor without a mask, whatever it gets?"""
    name = name_of(layer)
    carries = PASS | READS | REFUSES | MERGES | {"Concatenate", "Embedding", "Masking", "Lambda"}
    return layer.symbol.startswith("keras.layers.") and name not in carries


def is_on(it: Interp, layer: LayerCall, name: str, default: bool = False) -> bool:
    node = layer.bound.get(name)
    return default if node is None else it.facts.get(node, UNKNOWN).literal(True) is not False


def joined(a: Fact, b: Fact) -> Any:
    """The mask of a value that comes from either path."""
    return a.mask if a.mask is b.mask else FOREIGN


def turned(it: Interp, loop: cst.CSTNode, start: Any, end: Any) -> Any:
    """The mask with which any turn of a loop begins."""
    if start is end or (end is None and isinstance(start, Mask) and start.node is loop):
        return start
    if end is not None or not isinstance(start, Mask) or start is FOREIGN or start.base is not None:
        return FOREIGN
    return it.firsts.setdefault((loop, start), Mask(loop, start.function, "first", base=start))


def read(mask: Any) -> None:
    """A layer reads it."""
    while isinstance(mask, Mask):
        mask.used = True
        mask = mask.base


def arriving(it: Interp, node: cst.Call, layer: LayerCall, inputs: tuple[Fact, ...]) -> Any:
    """The mask that a layer reads of its first input; `mask=` goes before what the tensor carries."""
    given = keyword(node, "mask") if node is not layer.node or name_of(layer) not in READS else None
    if given is not None:
        fact = it.facts.get(given, UNKNOWN)
        if fact.kind is Kind.TENSOR or fact.literal(...) is not None:
            return Mask(given, it.current[-1] if it.current else None, "given", True)
    mask = inputs[0].mask if inputs else None
    if mask is not None and node is not layer.node and name_of(layer) in RECURRENT:
        given = keyword(node, "initial_state", 1)
        state = it.facts.get(given, UNKNOWN) if given is not None else UNKNOWN
        if has_tensor(state) and state.symbol != "?":
            return None  # Keras gives a layer that gets several tensors no mask
        if given is not None and state.literal(...) is not None:
            return FOREIGN
    return reading(it, node, mask, [f.mask for f in inputs])


def reading(it: Interp, node: cst.Call, mask: Mask | None, beside: Sequence[Mask | None]) -> Mask | None:
    """The mask of a tensor as a layer that is called with it, and with those `beside`, reads it."""
    if mask is None or not (mask.kind in RUNS or mask.takers):
        return mask
    return recorded(mask if alone(it, node) else seen(node, mask, beside))


def after_layer(it: Interp, node: cst.Call, layer: LayerCall, inputs: tuple[Fact, ...], result: Fact) -> Fact:
    """The result of a layer with the mask that Keras gives it."""
    name = name_of(layer)
    if not has_tensor(result):
        return result
    mask = arriving(it, node, layer, inputs)
    if name in READS and (mask is None or mask.kind != "given" or name not in RECURRENT):
        for fact in inputs:
            read(mask if name in RECURRENT else reading(it, node, fact.mask, [f.mask for f in inputs]))
    if name in FILLS:
        for fact in inputs:
            read(reading(it, node, fact.mask, [f.mask for f in inputs]))
    out = _outgoing(it, node, layer, name, inputs, mask)
    return with_mask(result, out, FOREIGN if name in ATTEND and out is not None else None)


def with_mask(result: Fact, mask: Any, other: Any = None) -> Fact:
    """`other`: of states and scores beside the result; a tuple holds the masks of all."""
    if isinstance(mask, tuple):
        parts = result.payload.elements if isinstance(result.payload, Items) else [result]
        masks = [FOREIGN if m is mask_methods.LOST else m for m in (*mask, *[None] * len(parts))]
        each = [p.but(mask=m) for p, m in zip(parts, masks, strict=False)]
        return result.but(payload=Items(each, result.payload.kind)) if isinstance(result.payload, Items) else each[0]
    if isinstance(result.payload, Items):
        first, *rest = result.payload.elements
        kept = Items([first.but(mask=mask), *[e.but(mask=other) for e in rest]], result.payload.kind)
        return result.but(payload=kept)
    return result if result.mask is mask else result.but(mask=mask)


def _outgoing(it: Interp, node: cst.Call, layer: LayerCall, name: str, inputs: tuple[Fact, ...], mask: Any) -> Any:
    if name == "Embedding":
        return made(it, node, "embedding") if is_on(it, layer, "mask_zero") else None
    if name == "Masking":
        return made(it, node, "masking")
    masks = [f.mask for f in inputs]
    if not any(masks) and mask is None:
        return None
    if name in ATTEND:
        return _attended(it, node, name, inputs, masks)
    if name in PASS or name in {"BatchNormalization", "Softmax"}:
        return recorded(inputs[0].mask) if name == "TimeDistributed" and alone(it, node) else inputs[0].mask
    if name in MERGES:
        return _merged(it, node, masks)
    if name == "Concatenate":
        return _concatenated(it, node, layer, inputs, masks)
    if name in RECURRENT or name.startswith("ConvLSTM"):
        on = sequences(it, layer) if name == "Bidirectional" else is_on(it, layer, "return_sequences")
        kept = mask if mask is not None and mask.kind == "given" else inputs[0].mask
        return (recorded(kept) if alone(it, node) else kept) if on else None
    if name == "Lambda" and "mask" in layer.bound:
        return FOREIGN
    return None


def _attended(it: Interp, node: cst.Call, name: str, inputs: tuple[Fact, ...], masks: list[Any]) -> Any:
    """The mask of what attention gives: that of its queries."""
    asked = keyword(node, "query") if name not in ("Attention", "AdditiveAttention") else None
    mask = inputs[0].mask if asked is None else it.facts.get(asked, UNKNOWN).mask
    if mask is None or not in_graph(it):
        return mask
    there, after = seen(node, mask, masks), after_all(masks)
    if name == "MultiHeadAttention":
        after |= {node}
    return there if there is FOREIGN else wrapped(it, "gone" if there is None else "kept", mask, after)


def _merged(it: Interp, node: cst.Call, masks: list[Any]) -> Any:
    """The mask of merged tensors. `Add()([x, attention(x, x)])`: the attention takes that of x."""
    inside = [n for a in node.args for n in find(a, cst.Call) if _takes_masks(it, n)] if any(masks) else []
    listed = node.args[0].value if node.args else None
    elements = [e.value for e in listed.elements] if isinstance(listed, cst.List | cst.Tuple) else []
    for call in inside:
        known = isinstance(it.applications[call][0].payload, LayerCall) and len(elements) == len(masks)
        names = {a.value.value for a in call.args if isinstance(a.value, cst.Name)}
        if not known or not all(isinstance(a.value, cst.Name) for a in call.args if it.facts.get(
                a.value, UNKNOWN).mask is not None):
            return FOREIGN
        for i, e in enumerate(elements):
            if isinstance(e, cst.Name) and e.value in names and masks[i] is not None:
                masks[i] = after_taking(it, call, masks[i]) if in_graph(it) else None
    return merged(it, node, masks)


def _takes_masks(it: Interp, node: cst.Call) -> bool:
    payload = it.applications[node][0].payload if node in it.applications else None
    method = find_method(payload.cls, "call") if isinstance(payload, Instance) else None
    return (isinstance(payload, LayerCall) and name_of(payload) == "MultiHeadAttention") or (
        method is not None and bool(method.unmasks))


def unmask(it: Interp, node: cst.Call, env: Env) -> None:
    """Keras' MultiHeadAttention takes the masks from the tensors that it gets, wherever these are used later.

    In a functional model the layers got theirs when it was made; the user's own layers look at the tensors.
    """
    if not _takes_masks(it, node):
        return
    payload, function = it.applications[node][0].payload, it.current[-1] if it.current else None
    method = find_method(payload.cls, "call") if isinstance(payload, Instance) else None
    names = [n for n in method.params if n != "self"] if method is not None else ["query", "value", "key"]
    taken = method.unmasks if method is not None else {*names}
    for at, arg in enumerate(node.args):
        name = arg.keyword.value if arg.keyword is not None else names[at] if at < len(names) else ""
        fact = it.facts.get(arg.value, UNKNOWN)
        if name not in taken or fact.mask is None:
            continue
        if (function is None or function.owner is None) and method is None:
            fact.mask.lost = fact.mask is not FOREIGN
            left = fact.but(mask=after_taking(it, node, fact.mask))
            for other in [n for n, f in env.names.items() if f is fact and isinstance(arg.value, cst.Name)]:
                env.names[other] = left
        elif isinstance(arg.value, cst.Name):
            _take(it, env, arg.value.value, fact, function)
        elif not isinstance(arg.value, cst.Call):
            fact.mask.lost = fact.mask is not FOREIGN


def _take(it: Interp, env: Env, name: str, fact: Fact, function: Any) -> None:
    bare = fact.but(mask=None)
    if any(isinstance(c.payload, LayerCall) and name_of(c.payload) in SAME and inputs and inputs[0].mask is fact.mask
           for c, inputs in it.applications.values()):  # outside of training, what a Dropout gives is what it gets
        for other in [n for n, f in env.names.items() if f.mask is fact.mask and f is not fact and n != name]:
            env.names[other] = env.names[other].but(mask=FOREIGN)
    for other in [n for n, f in env.names.items() if f is fact or n == name]:
        env.names[other] = bare
    if isinstance(fact.payload, Origin) and fact.payload.owner is function and function is not None:
        function.unmasks.add(fact.payload.name)


def sequences(it: Interp, layer: LayerCall) -> bool:
    inner = it.facts.get(layer.bound.get("layer"), UNKNOWN).payload  # type: ignore[arg-type]
    return is_on(it, inner, "return_sequences") if isinstance(inner, LayerCall) else True


def _concatenated(it: Interp, node: cst.Call, layer: LayerCall, inputs: tuple[Fact, ...], masks: list[Any]) -> Any:
    axis = it.facts.get(layer.bound["axis"], UNKNOWN).literal(...) if "axis" in layer.bound else -1
    rank = inputs[0].rank
    if axis == -1 or (rank is not None and axis == rank - 1):  # a step is real if it is in any input
        return _merged(it, node, masks)
    return FOREIGN


def made(it: Interp, node: cst.Call, kind: str) -> Mask:
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
