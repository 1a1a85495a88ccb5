"""A layer class that a setting names: `eval(activation)()` is read as `Activation` of that setting."""

from __future__ import annotations

import builtins
from typing import Any

import libcst as cst

from port.binding import best_row
from port.facts import Fact, Kind
from port.scopes import File
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import LayerCall

NAMED = "port.named_layer"  # what `eval(activation)` gives
ACTIVATION = "keras.layers.Activation"


def evaluated(node: Any) -> cst.Name | None:
    """`p` of `eval(p)`."""
    fits = isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "eval"
    if not fits or len(node.args) != 1 or node.args[0].star or node.args[0].keyword is not None:
        return None
    given = node.args[0].value
    return given if isinstance(given, cst.Name) else None


def as_activation(node: cst.Call) -> cst.Call:
    """`eval(p)(name=...)` with `p` among its arguments, as rows take it; any other call as it is."""
    setting = evaluated(node.func)
    return node if setting is None else node.with_changes(args=[cst.Arg(setting), *node.args])


def eval_call(it: Interp, node: cst.Call, args: list[Fact]) -> Fact:
    known = evaluated(node) is not None and args[0].kind is Kind.PLAIN
    return Fact(Kind.UNKNOWN, symbol=NAMED) if known else it.plain(node)


def named_layer(it: Interp, node: cst.Call) -> Fact:
    """The layer that such a class makes; what else its constructor takes than a name belongs to one class only."""
    if evaluated(node.func) is None or any(a.keyword is None or a.keyword.value != "name" for a in node.args):
        return it.plain(node)
    layer = it.layers.get(node)
    if layer is None:
        found = best_row(it.rows.get(ACTIVATION, ()), as_activation(node), ACTIVATION, layer=True)
        if found is None:
            return it.plain(node)
        layer = it.layers[node] = LayerCall(node, ACTIVATION, found[0], found[1].args, matched=found[1])
    return Fact(Kind.LAYER, symbol=ACTIVATION, payload=layer)


def is_bound(file: File, name: str) -> bool:
    """Whether `eval` finds the name in the file."""
    return not name.isidentifier() or name in vars(builtins) or any(
        name in names for names in (file.names.bound, file.env.names, file.links, file.later, file.inside)) or any(
        is_bound(other, name) for other in file.stars)
