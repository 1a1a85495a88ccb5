"""Tied weights: `self.head.weight = self.embedding.weight` makes the head a function of the other layer's weight."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Fact, Kind
from port.torch2tf import layer_values, members, modshapes, ownnames
from port.torch2tf.refused import Refused
from port.torch2tf.values import Layer, options
from port.tree import code, find

LINEAR, EMBEDDING = "torch.nn.Linear", "torch.nn.Embedding"
NAMES = {LINEAR: "kernel", EMBEDDING: "embeddings"}


def layer_of(w: Any, node: cst.BaseExpression) -> Layer | None:
    """The one layer whose weight an expression is: `self.embedding.weight`."""
    if not isinstance(node, cst.Attribute) or node.attr.value != "weight":
        return None
    found = [o.payload for o in options(w.fact(node.value))]
    return found[0] if len(found) == 1 and isinstance(found[0], Layer) else None


def is_member(w: Any, node: cst.Attribute) -> bool:
    """A weight or setting of a layer, as a target of an assignment."""
    owner: Fact = w.fact(node.value)
    return owner.kind is Kind.LAYER and any(isinstance(o.payload, Layer) for o in options(owner))


def assignment(w: Any, node: cst.Assign) -> list[Any] | None:
    """The statement that ties two layers; None for any other assignment."""
    target = node.targets[0].target
    if len(node.targets) != 1 or not isinstance(target, cst.Attribute) or not is_member(w, target):
        return None
    head = tied_head(w, node)
    if head is None and (layer := _owner(w, target)) is not None and _is_own(w, layer, target.attr.value):
        place = target.with_changes(value=layer_values.leaf(w, target.value, layer))
        return [node.with_changes(targets=[node.targets[0].with_changes(target=place)], value=w.expr(node.value))]
    if head is None:
        raise Refused("P203", f"`{code(target)}` is a weight of a layer, which Keras makes at the first call: "
                      "give the layer an initializer", node)
    place, other, layer = head
    source = build("{o}." + NAMES[layer.symbol], o=paren(w.expr(other)))
    turn = layer.symbol == EMBEDDING
    if w.target == "keras":
        w.need("keras")
        weight = build("keras.ops.transpose({s})", s=source) if turn else source
        value = build("lambda x: keras.ops.matmul(x, {s})", s=weight)
    else:
        w.need("tf")
        value = build("lambda x: tf.matmul(x, {s}, transpose_b=True)" if turn else "lambda x: tf.matmul(x, {s})",
                      s=source)
    return [node.with_changes(targets=[node.targets[0].with_changes(target=w.expr(place))], value=value)]


OF_TORCH = ("weight", "bias", "running_", "num_batches", "in_proj", "out_proj", "training", "_")


OF_KERAS = ownnames.RESERVED | ownnames.ONLY_SET | set("""
    activation activity_regularizer axis beta bias_initializer build built call data_format depthwise_kernel
    dilation_rate embeddings epsilon filters gamma groups input_dim input_spec kernel kernel_initializer kernel_size
    layers momentum moving_mean moving_variance output_dim padding pool_size quantize rank rate scale center seed
    strides supports_masking trainable units use_bias beta_initializer gamma_initializer""".split())


def _owner(w: Any, target: cst.Attribute) -> Layer | None:
    found = [o.payload for o in options(w.fact(target.value))]
    return found[0] if len(found) == 1 and isinstance(found[0], Layer) else None


def _is_own(w: Any, layer: Layer, name: str) -> bool:
    """An attribute that PyTorch's layers do not have: the user's own, such as a number that initialisers read."""
    known = {*modshapes.parameters(w.it, layer.symbol), *members.MODULE_METHODS}
    return name not in known | OF_KERAS and not name.startswith(OF_TORCH)


def tied_head(w: Any, node: cst.CSTNode) -> tuple[Any, Any, Layer] | None:
    """(the Linear that becomes a function, the layer whose weight it uses, that layer) of a tying assignment."""
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return None
    target, value = node.targets[0].target, node.value
    a, b = layer_of(w, target), layer_of(w, value)  # type: ignore[arg-type]
    if a is None or b is None or {a.symbol, b.symbol} - NAMES.keys():
        return None
    pairs = ((a, target, b, value), (b, value, a, target))
    for head, place, other, kept in pairs:
        plain = head.facts.get("bias", Fact()).literal(...) is False
        if head.symbol == LINEAR and plain and (other.symbol == EMBEDDING or head is a):
            return place.value, kept.value, other  # type: ignore[attr-defined]
    return None


def replaced(w: Any, node: cst.Assign) -> bool:
    """Is this `self.head = nn.Linear(...)`, which a later statement of the function ties to another layer?"""
    layer = next((o.payload for o in options(w.fact(node.value))), None)
    function = w.function
    if not isinstance(layer, Layer) or layer.symbol != LINEAR or len(node.targets) != 1 or function is None or (
            not isinstance(function.node, cst.FunctionDef)):
        return False
    text = code(node.targets[0].target)
    for n in find(function.node.body, cst.Assign):
        head = tied_head(w, n)
        if head is not None and code(head[0]) == text:
            return True
    return False
