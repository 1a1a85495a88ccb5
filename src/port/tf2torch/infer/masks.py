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
from port.scopes import Env
from port.tf2torch.infer import mask_methods
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Instance, Items, LayerCall, Origin, find_method, has_tensor, tensors_in
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
    """`node`: the call of Embedding or Masking (or of what holds one) that makes it, or the expression of `mask=`."""

    node: cst.CSTNode
    function: Any  # whose code makes it; None at module level
    kind: str  # embedding | masking | given | parameter
    used: bool = False
    place: str = ""  # of a parameter: where the tensor stands among those of the method
    base: Mask | None = None  # of one that holds in the first turn of the loop `node` alone: the whole one
    lost: bool = False  # attention may have taken it from a tensor that is not followed


FOREIGN = Mask(cst.Pass(), None, "foreign")


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
            read(fact.mask)
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
        return _made(it, node, "embedding") if is_on(it, layer, "mask_zero") else None
    if name == "Masking":
        return _made(it, node, "masking")
    masks = [f.mask for f in inputs]
    if not any(masks) and mask is None:
        return None
    if name in PASS or name in {"BatchNormalization", "Softmax"} or name in ATTEND:
        asked = keyword(node, "query") if name in ATTEND else None
        return mask if asked is None else it.facts.get(asked, UNKNOWN).mask
    if name in MERGES and any(masks) and _attends_inside(it, node):
        return FOREIGN
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


def _attends_inside(it: Interp, node: cst.Call) -> bool:
    """`Add()([x, attention(x, x)])`: the attention takes the mask of what stands before it."""
    return any(_takes_masks(it, n) for a in node.args for n in find(a, cst.Call))


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
        elif isinstance(arg.value, cst.Name):
            _take(env, arg.value.value, fact, function)
        elif not isinstance(arg.value, cst.Call):
            fact.mask.lost = fact.mask is not FOREIGN


def _take(env: Env, name: str, fact: Fact, function: Any) -> None:
    bare = fact.but(mask=None)
    for other in [n for n, f in env.names.items() if f is fact or n == name]:
        env.names[other] = bare
    if isinstance(fact.payload, Origin) and fact.payload.owner is function and function is not None:
        function.unmasks.add(fact.payload.name)


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


def inside(function: Any, name: str, fact: Fact) -> Fact:
    """A masked tensor that goes into the `call` of the user's layer: there its mask is a parameter of its own."""
    if function.owner is None or function.name != "call" or "mask" in function.params:
        return foreign(fact)
    if isinstance(fact.payload, Items):
        parts = [inside(function, f"{name}[{i}]", e) for i, e in enumerate(fact.payload.elements)]
        return fact.but(payload=Items(parts, fact.payload.kind))
    if fact.kind is not Kind.TENSOR or fact.mask is None:
        return fact
    if fact.mask.lost:
        return foreign(fact)
    mask = function.masks.setdefault(name, Mask(cst.Pass(), function, "parameter", place=name))
    return fact.but(mask=mask)


def bring(it: Interp, node: cst.Call, method: Any, given: dict[str, Fact]) -> None:
    """Note the masks that a call brings; those that the method reads must be there."""
    found: dict[str, Any] = {}
    for name, fact in given.items():
        elements = fact.payload.elements if isinstance(fact.payload, Items) else []
        found |= {name: fact.mask} | {f"{name}[{i}]": e.mask for i, e in enumerate(elements)}
    it.brought[node] = method, found
    for place, mask in method.masks.items():
        if mask.used:
            read(found.get(place))


def after_instance(it: Interp, node: cst.Call, instance: Any, args: list[Fact], result: Fact) -> Fact:
    """A layer of the user's: its inner layers may set a mask, and `supports_masking` passes one on."""
    first = tensors_in(args[0])[:1] if args else []
    if first and isinstance(first[0].mask, Mask) and _takes_mask(instance.cls):
        read(first[0].mask)
    own = find_method(instance.cls, "compute_mask")
    if own is not None:  # whatever arrives
        return with_mask(result, _computed(it, node, instance, own.node, args)) if has_tensor(result) else result
    if first and first[0].mask is not None and result.kind is Kind.TENSOR and result.mask is None and _supports(
            instance.cls):
        return result.but(mask=first[0].mask)
    return _at_caller(it, node, find_method(instance.cls, "call"), result)


def _at_caller(it: Interp, node: cst.Call, method: Any, fact: Fact) -> Fact:
    """What the method gives, its masks as the caller can name them."""
    if isinstance(fact.payload, Items):
        parts = [_at_caller(it, node, method, e) for e in fact.payload.elements]
        return fact.but(payload=Items(parts, fact.payload.kind))
    mask = fact.mask
    if not isinstance(mask, Mask) or mask is FOREIGN:
        return foreign(fact)
    if mask.kind == "parameter" and mask.function is method:
        return fact.but(mask=it.brought[node][1].get(mask.place) if node in it.brought else None)
    if mask.kind == "embedding" and mask.function is method and _ids(it, mask, method) and _given_first(node):
        return fact.but(mask=_made(it, node, "embedding"))
    return foreign(fact)


def _ids(it: Interp, mask: Mask, method: Any) -> bool:
    """Is what the Embedding gets the first parameter of the method?"""
    ids = it.applications[mask.node][1][0] if mask.node in it.applications else UNKNOWN  # type: ignore[index]
    names = [n for n in method.params if n != "self"]
    return isinstance(ids.payload, Origin) and ids.payload.owner is method and ids.payload.name == names[0]


def _given_first(node: cst.Call) -> bool:
    return bool(node.args) and node.args[0].keyword is None and not node.args[0].star


def _computed(it: Interp, node: cst.Call, instance: Instance, own: Any, args: list[Fact]) -> Any:
    """The masks that `compute_mask` gives: none, that of an Embedding over the input, those that arrive, or FOREIGN."""
    if _gives_none(own):
        return None
    arriving = _arriving(args[0] if args else UNKNOWN)
    masked = bool(args) and any(t.mask is not None for t in tensors_in(args[0]))
    if masked and not _supports(instance.cls):
        return FOREIGN
    made = (lambda: _made(it, node, "embedding")) if _given_first(node) else (lambda: FOREIGN)
    found = mask_methods.computed(instance.cls, instance, own, arriving if masked else None, made)
    return FOREIGN if found is mask_methods.LOST else found


def _arriving(fact: Fact) -> Any:
    return tuple(map(_arriving, fact.payload.elements)) if isinstance(fact.payload, Items) else fact.mask


def _gives_none(node: cst.CSTNode) -> bool:
    found = list(find(node, cst.Return))
    return all(n.value is None or (isinstance(n.value, cst.Name) and n.value.value == "None") for n in found)


def _takes_mask(cls: Any) -> bool:
    call = find_method(cls, "call")
    return call is not None and "mask" in call.params


def _supports(cls: Any) -> bool:
    init = find_method(cls, "__init__")
    return init is not None and "supports_masking = True" in code(init.node)

