"""Initial values of a part of a bias, `self.qkv.bias[n:2 * n].data.zero_()`, and how long it is, before it exists."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.torch2tf import init_values
from port.torch2tf.init_calls import known_layer
from port.torch2tf.layer_values import SETTINGS, leaf

SIZED = {"Linear": "out_features", "Conv1d": "out_channels", "Conv2d": "out_channels", "Conv3d": "out_channels"}


def statement(w: Any, node: cst.Call) -> list[Any] | None:
    """What stands for the statement; None if it is another one."""
    func = node.func
    if not isinstance(func, cst.Attribute) or func.attr.value not in init_values.METHODS or not _is_constructor(w):
        return None
    part = _data(func.value)
    if not isinstance(part, cst.Subscript) or len(part.slice) != 1 or not isinstance(part.slice[0].slice, cst.Slice):
        return None
    owner = _owner(w, part.value)
    if owner is None:
        return None
    if w.options.init == "framework":
        return []
    made = init_values.draw(w, init_values.METHODS[func.attr.value], list(node.args))
    w.need("np")
    w.helper("part_of")
    key = part.with_changes(value=expression("np.s_"), slice=[
        e.with_changes(slice=w.generic(e.slice)) for e in part.slice])
    place = cst.Attribute(owner, cst.Name("bias_initializer"))
    return [cst.Assign([cst.AssignTarget(place)], build("part_of({p}, {k}, {v})", p=place, k=key, v=made.node))]


def size(w: Any, node: cst.Call) -> Any:
    """`self.qkv.bias.numel()` in a constructor is `self.qkv.units`; None if it is another call."""
    func = node.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "numel" or node.args or not _is_constructor(w):
        return None
    owner = _owner(w, func.value)
    layer = known_layer(w, func.value.value) if isinstance(func.value, cst.Attribute) else None
    return None if owner is None or layer is None else cst.Attribute(owner, cst.Name(
        SETTINGS[SIZED[layer.symbol.rpartition(".")[2]]]))


def _owner(w: Any, node: cst.BaseExpression) -> Any:
    """The layer, as it is written, whose bias this is."""
    target = _data(node)
    if not isinstance(target, cst.Attribute) or target.attr.value != "bias":
        return None
    layer = known_layer(w, target.value)
    known = layer is not None and layer.symbol.rpartition(".")[2] in SIZED
    return leaf(w, target.value, layer) if known and layer is not None else None


def _is_constructor(w: Any) -> bool:
    return w.function is not None and w.function.name == "__init__"


def _data(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.value if isinstance(node, cst.Attribute) and node.attr.value == "data" else node
