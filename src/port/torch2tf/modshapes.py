"""What a module of torch.nn gives: shape, dtype and layout, and the layout that its input must have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, tensor
from port.torch2tf import ownlayers
from port.torch2tf.values import Items, Layer, can_flip, literal, made_of, may_be_none

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

PLAIN, FLIPPED = Layout.PLAIN, Layout.FLIPPED
# Modules over space: rank of their input. They want channels last.
SPATIAL = {f"{kind}{n}d": n + 2 for n in (1, 2, 3) for kind in (
    "Conv", "ConvTranspose", "LazyConv", "MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "LPPool",
    "InstanceNorm", "ReflectionPad", "ReplicationPad", "ZeroPad", "ConstantPad", "CircularPad", "Dropout")}
SPATIAL |= {f"{kind}{n}d{end}": n + 2 for n in (1, 2, 3) for kind, end in (
    ("Conv", "Same"), ("LazyConv", "Same"), ("SeparableConv", ""))}
SPATIAL |= {"BatchNorm2d": 4, "BatchNorm3d": 5, "LazyBatchNorm2d": 4, "LazyBatchNorm3d": 5, "PixelShuffle": 4,
            "PixelUnshuffle": 4, "UpsamplingBilinear2d": 4, "UpsamplingNearest2d": 4, "ChannelShuffle": 4}
# Those of them that take several ranks.
ANY_SPATIAL = {"BatchNorm1d", "LazyBatchNorm1d", "GroupNorm", "Upsample", "SyncBatchNorm", "LocalResponseNorm"}
LAST_AXIS = {"Linear", "LazyLinear", "LayerNorm", "RMSNorm", "Bilinear"}  # axes as in the source
RECURRENT = {"LSTM", "GRU", "RNN"}
KEEPS_SIZE = {"InstanceNorm", "BatchNorm", "LazyBatchNorm", "Dropout", "GroupNorm", "LocalResponseNorm",
              "SyncBatchNorm"}
PARAMETERS: dict[str, tuple[str, ...]] = {}


def parameters(it: Interp, symbol: str) -> tuple[str, ...]:
    """Constructor parameters in order, from the rows."""
    if symbol not in PARAMETERS:
        found = max(([p.name for p in s.params] for row in it.rows.get(symbol, ()) for s in row.torch
                     if s.name == symbol), key=len, default=[])
        if same := re.fullmatch(r"helpers\.((?:Lazy)?Conv[123]d)Same", symbol):
            found = list(parameters(it, f"torch.nn.{same[1]}"))
        if not found and (lazy := re.fullmatch(r"torch\.nn\.Lazy(Conv(?:Transpose)?[123]d)", symbol)):
            found = [n for n in parameters(it, f"torch.nn.{lazy[1]}") if n != "in_channels"]
        PARAMETERS[symbol] = tuple(found) or _COMMON.get(symbol.rpartition(".")[2], ())
    return PARAMETERS[symbol]


_COMMON = {"Linear": ("in_features", "out_features", "bias"), "Embedding": ("num_embeddings", "embedding_dim"),
           "Flatten": ("start_dim", "end_dim"), "GLU": ("dim",), "PixelShuffle": ("upscale_factor",),
           "AdaptiveAvgPool2d": ("output_size",), "AdaptiveAvgPool1d": ("output_size",),
           "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias",
                      "padding_mode")}


def wish(symbol: str) -> bool | None:
    """True: wants channels last; False: wants the source's axes; None: does not care."""
    name = symbol.rpartition(".")[2]
    if symbol.startswith("helpers.") and name in ownlayers.PLAIN_ORDER:
        return False
    if name in SPATIAL and not name.startswith("Dropout"):
        return True
    return False if name in LAST_AXIS or name in RECURRENT or name == "Flatten" else None


def rank_taken(layer: Layer) -> int | None:
    """How many axes the tensor has that a module is given; a Conv2d takes four, whatever is known of it."""
    rank = layer.inputs[0].rank if layer.inputs else None
    return SPATIAL.get(layer.symbol.rpartition(".")[2]) if rank is None else rank


def result(it: Interp, layer: Layer, args: list[Fact]) -> tuple[Fact, Layout]:
    """(what the module gives, the layout that its tensors must have)"""
    name = layer.symbol.rpartition(".")[2]
    own = ownlayers.result(it, layer, args) if layer.symbol.startswith("helpers.") else None
    if own is not None:
        return own
    x = args[0] if args else UNKNOWN
    if x.kind is not Kind.TENSOR:
        return _no_tensor(name, args), PLAIN
    x = x.but(values=None)
    rank = SPATIAL.get(name)
    if rank is None and name in ANY_SPATIAL and x.rank is not None and x.rank >= 3:
        rank = x.rank
    if rank is None and name == "Upsample" and "mode" in layer.facts:
        rank = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}.get(layer.facts["mode"].literal())
    if rank is not None:
        return spatial(it, layer, name, x, rank)
    if name in LAST_AXIS:
        if name == "Linear":
            it.want_straight(x)
        return _last_axis(layer, name, x), PLAIN
    if name == "GLU":
        return _gated(layer, x)
    if name == "Embedding":
        it.prove_whole(x)
        size = layer.facts.get("embedding_dim", UNKNOWN).literal()
        if x.shape is None:
            return tensor(None, "float").but(payload=made_of(x, more=1)), PLAIN
        return tensor((*x.shape, size if isinstance(size, int) else None), "float"), PLAIN
    if name == "Flatten":
        from port.torch2tf import opaxes

        low, high = (layer.facts[k].literal(...) if k in layer.facts else d
                     for k, d in (("start_dim", 1), ("end_dim", -1)))
        return opaxes.flattened(x, low, high)
    if name in RECURRENT:
        it.prove_rank(x, 3)
        return _recurrent(layer, name, x), PLAIN
    if name == "MultiheadAttention":
        return Fact(Kind.PLAIN, payload=Items([tensor(x.shape, "float"), tensor(None, "float")], "tuple")), PLAIN
    if name.endswith("Loss"):
        return tensor((), "float"), PLAIN
    if name in ("LSTMCell",):
        return Fact(Kind.PLAIN, payload=Items([tensor((None, None), "float")] * 2, "tuple")), PLAIN
    if name in ("GRUCell", "RNNCell"):
        return tensor((None, None), "float"), PLAIN
    if name.startswith("Transformer") or name in ("MultiHeadAttention", "GroupQueryAttention"):
        return x.but(payload=None, layout=PLAIN), PLAIN
    if layer.symbol.startswith("helpers.") and name not in ("Lambda", "PReLU", "Dropout", "GaussianNoise"):
        return tensor(None, "float"), PLAIN
    if layer.symbol.startswith("einops."):
        from port.torch2tf import einops

        pattern = layer.facts.get("pattern", layer.facts.get("?0", UNKNOWN)).literal(...)
        return einops.transformed(it, layer.node, x, pattern), einops.wanted(x, pattern)
    if name == "Unflatten":
        return tensor(None, x.dtype), PLAIN
    if name == "Unfold":
        it.prove_rank(x, 4)
        it.want_flipped(x)
        return tensor((x.shape[0] if x.shape else None, None, None), "float"), FLIPPED
    if name == "Fold":
        return tensor((x.shape[0] if x.shape else None, None, None, None), "float", FLIPPED), PLAIN
    if name in ("CosineSimilarity", "PairwiseDistance", "EmbeddingBag"):
        return tensor(None, "float"), PLAIN
    return x, x.layout  # activations, dropout, identity


def spatial(it: Interp, layer: Layer, name: str, x: Fact, rank: int) -> tuple[Fact, Layout]:
    kept = next((k for k in KEEPS_SIZE if name.startswith(k)), None)
    if x.rank is not None and x.rank != rank:
        if kept and name.startswith("Dropout"):
            return x, x.layout
        if x.rank == rank - 1:  # an image without a batch axis
            return tensor(None, x.dtype), PLAIN
        return tensor((None,) * rank, "float", FLIPPED), FLIPPED
    if x.shape is None:
        if name.startswith("Dropout"):
            return x, x.layout
        it.prove_rank(x, rank)
    it.want_flipped(x)
    if kept:
        same = x if x.layout is FLIPPED else x.but(layout=FLIPPED, payload=None)
        same = same if same.shape is not None else same.but(shape=(None,) * rank)
        same = same if name.startswith("Dropout") else same.but(dtype=x.dtype or "float")
        return same, FLIPPED
    shape = x.shape or (None,) * rank
    channels: Dim = shape[1]
    if name.startswith(("Conv", "LazyConv", "SeparableConv")):
        value = layer.facts.get("out_channels", UNKNOWN).literal()
        channels = value if isinstance(value, int) else None
    elif name in ("PixelShuffle", "PixelUnshuffle"):
        channels = None
    space: tuple[Dim, ...] = (None,) * (rank - 2)
    if name.startswith("Adaptive"):
        space = _sizes(layer.facts.get("output_size", UNKNOWN), rank - 2)
    return tensor((shape[0], channels, *space), x.dtype or "float", FLIPPED), FLIPPED


def _sizes(fact: Fact, count: int) -> tuple[Dim, ...]:
    value = fact.literal()
    if isinstance(value, int):
        return (value,) * count
    if isinstance(value, tuple) and len(value) == count and all(isinstance(v, int) for v in value):
        return value
    if isinstance(fact.payload, Items) and len(fact.payload.elements) == count:
        found = [e.literal() for e in fact.payload.elements]
        return tuple(v if isinstance(v, int) else None for v in found)
    return (None,) * count


def _last_axis(layer: Layer, name: str, x: Fact) -> Fact:
    if name in ("LayerNorm", "RMSNorm"):
        x = x.but(dtype=x.dtype or "float")
        if x.shape is None:
            return x.but(payload=made_of(x, moved=True))
        return x.but(layout=PLAIN) if x.layout is PLAIN else tensor(x.shape, x.dtype)
    value = layer.facts.get("out_features", UNKNOWN).literal() if name in ("Linear", "Bilinear", "LazyLinear") else None
    if x.shape is None:
        return tensor(None, "float" if x.dtype in (None, "float") else x.dtype).but(
            payload=made_of(x, moved=True))
    shape = (*x.shape[:-1], value if isinstance(value, int) else None)
    return tensor(shape, "float" if x.dtype in (None, "float") else x.dtype)


def _gated(layer: Layer, x: Fact) -> tuple[Fact, Layout]:
    """One axis is halved; the order stays."""
    at = layer.facts["dim"].literal(...) if "dim" in layer.facts else -1
    if x.shape is None or not isinstance(at, int):
        return tensor(None, x.dtype).but(payload=made_of(x)), PLAIN
    shape = list(x.shape)
    half = shape[at % len(shape)]
    shape[at % len(shape)] = half // 2 if isinstance(half, int) else None
    return tensor(tuple(shape), x.dtype, x.layout), x.layout


def _recurrent(layer: Layer, name: str, x: Fact) -> Fact:
    out = tensor((None, None, None), "float")
    state = tensor((None, None, None), "float")
    final = Fact(Kind.PLAIN, payload=Items([state, state], "tuple")) if name == "LSTM" else state
    return Fact(Kind.PLAIN, payload=Items([out, final], "tuple"))


def _no_tensor(name: str, args: list[Fact]) -> Fact:
    if name in RECURRENT:  # a packed sequence
        return _recurrent(None, name, UNKNOWN)  # type: ignore[arg-type]
    return tensor() if args else UNKNOWN


__all__ = ["Any", "can_flip", "literal", "may_be_none", "parameters", "result", "spatial", "wish"]
