"""A module of torch.nn, made by a call, as Keras layers: exact in value, gradient, training mode and buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libcst as cst

from port import table
from port.latebinding import bound_early
from port.torch2tf import layer_activation as act
from port.torch2tf import layer_conv as conv
from port.torch2tf import layer_norm as norm
from port.torch2tf import layer_pad as pad
from port.torch2tf import layer_pool as pool
from port.torch2tf import layer_recurrent as rnn
from port.torch2tf import layer_shape as shape
from port.torch2tf.layer_args import SPATIAL, At, Plan
from port.torch2tf.layer_signatures import REFUSED, bind_layer, signatures
from port.torch2tf.layer_values import write_class, write_class_value, write_member, write_partial
from port.torch2tf.refused import Refused
from port.torch2tf.style import in_style
from port.torch2tf.values import Layer

Writer = Callable[[At], Plan]
_FAMILIES: dict[Writer, str] = {
    conv.linear: "Linear", conv.lazy_linear: "LazyLinear", conv.bilinear: "Bilinear", conv.conv: "Conv*d LazyConv*d",
    conv.conv_transpose: "ConvTranspose*d", norm.batch_norm: "BatchNorm*d LazyBatchNorm*d SyncBatchNorm",
    norm.instance_norm: "InstanceNorm*d", norm.layer_norm: "LayerNorm", norm.rms_norm: "RMSNorm",
    norm.group_norm: "GroupNorm", norm.response_norm: "LocalResponseNorm",
    pool.max_pool: "MaxPool*d", pool.avg_pool: "AvgPool*d", pool.lp_pool: "LPPool*d",
    pool.adaptive_pool: "AdaptiveAvgPool*d AdaptiveMaxPool*d", act.dropout: "Dropout AlphaDropout",
    act.channel_dropout: "Dropout*d FeatureAlphaDropout", act.identity: "Identity", act.relu: "ReLU",
    act.leaky_relu: "LeakyReLU", act.elu: "ELU", act.celu: "CELU", act.prelu: "PReLU", act.rrelu: "RReLU",
    act.gelu: "GELU", act.named: " ".join(act.NAMES), act.hardtanh: "Hardtanh", act.shrink: "Hardshrink Softshrink",
    act.softplus: "Softplus", act.threshold: "Threshold", act.softmax: "Softmax Softmin LogSoftmax",
    act.softmax2d: "Softmax2d", act.glu: "GLU", act.embedding: "Embedding", act.embedding_bag: "EmbeddingBag",
    shape.flatten: "Flatten", shape.unflatten: "Unflatten", shape.pixel_shuffle: "PixelShuffle PixelUnshuffle",
    shape.channel_shuffle: "ChannelShuffle", shape.fold: "Fold Unfold",
    shape.upsample: "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
    pad.pad: "ZeroPad*d ConstantPad*d ReflectionPad*d ReplicationPad*d CircularPad*d",
    shape.cosine_similarity: "CosineSimilarity PairwiseDistance", rnn.recurrent: "LSTM GRU RNN",
    rnn.cell: "LSTMCell GRUCell RNNCell", rnn.attention: "MultiheadAttention",
    rnn.block: "TransformerEncoderLayer TransformerDecoderLayer Transformer",
    rnn.stack: "TransformerEncoder TransformerDecoder",
}
WRITERS: dict[str, Writer] = {
    f"torch.nn.{name.replace('*', n)}": writer for writer, names in _FAMILIES.items() for name in names.split()
    for n in ("123" if "*" in name else "1")}


def writes(symbol: str) -> bool:
    """Is there a layer for this class?"""
    return symbol in WRITERS


def write_layer(w: Any, node: cst.Call, layer: Layer) -> Plan:
    """The Keras layers for one call of a torch.nn class; raises Refused."""
    short = layer.symbol.rpartition(".")[2]
    if layer.symbol not in WRITERS:
        advice = REFUSED.get(short) or next((r.none for r in table.by_torch_name().get(layer.symbol, ())), "")
        raise Refused("P203" if advice else "P201", f"`nn.{short}` has no Keras layer" + (
            f": {advice}" if advice else ""), node)
    bound, problem = bind_layer(layer.symbol, layer.node)
    if problem:
        raise Refused("P202", f"`nn.{short}`: {problem}", node)
    made = Layer(layer.node, layer.symbol, bound, {k: w.fact(v) for k, v in bound.items()}, inputs=layer.inputs,
                 given=layer.given, normed=layer.normed)
    at = At(w, layer.node, made)
    if short in SPATIAL and at.input is not None and at.input.rank not in (None, SPATIAL[short]):
        raise at.refuse(f"it gets a tensor of rank {at.input.rank}: add the batch axis", "P208")
    writer = WRITERS[layer.symbol]
    w.by(layer.node, f"rule {writer.__module__.rpartition('.')[2]}")
    elements = [*at.bridge, *writer(at).elements]
    it = getattr(w, "it", None)
    if it is None:
        return Plan(tuple(in_style(w, element) for element in elements))
    root = w.function.node if w.function is not None else it.module
    return Plan(tuple(bound_early(root, in_style(w, element)) for element in elements))


__all__ = ["Plan", "Refused", "signatures", "write_class", "write_class_value",
           "write_layer", "write_member", "write_partial", "writes"]
