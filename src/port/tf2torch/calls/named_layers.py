"""Layers that are asked for by name in a model that functions build: `base.get_layer('relu1').output`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build
from port.facts import Layout
from port.tf2torch.calls.traced import TRACED
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Instance, LayerCall
from port.tree import code, find


def note(em: Emitter, node: cst.Call, layer: Any) -> None:
    """Where a layer with a name is applied: what it gives gets the name, if what imports this asks for layers so."""
    made = node if node is getattr(layer, "node", None) else node.func
    fits = em.scope.stage == TRACED and isinstance(layer, LayerCall | Instance)
    name = keyword(made, "name", None) if fits and isinstance(made, cst.Call) else None
    first = em.fact(node).layout is Layout.FLIPPED and node not in em.it.turned  # it has other axes than the source's
    if name is not None and not first and _asked(em):
        em.helper("named")
        em.layer_names[node] = em.plain(name)


def _asked(em: Emitter) -> bool:
    if em.asks_layers is None:
        reached = {f.file for f in em.traced if any(_call(a) is not None for a in find(f.node, cst.Attribute))}
        while more := {other for file in reached for other in _imported(file)} - reached:
            reached |= more
        em.asks_layers = em.it.file in reached
    return em.asks_layers


def _imported(file: Any) -> set[Any]:
    return {*file.stars, *(other for other, _ in file.links.values())}


def _call(node: cst.Attribute) -> tuple[cst.Call, cst.Attribute] | None:
    """The call in `base.get_layer(name).output`, and what is called."""
    fits = node.attr.value == "output" and isinstance(node.value, cst.Call) and isinstance(
        node.value.func, cst.Attribute) and node.value.func.attr.value == "get_layer"
    return (node.value, node.value.func) if fits else None  # type: ignore


def asked(em: Emitter, node: cst.Attribute) -> cst.BaseExpression | None:
    """`base.get_layer(name).output`; None for any other attribute, or elsewhere."""
    found = _call(node) if em.scope.stage == TRACED else None
    if found is None:
        return None
    call, func = found
    name, number = keyword(call, "name", 0), keyword(call, "index", 1)
    key = number if name is None else name
    if key is None or (name is not None and number is not None):
        raise Refused("P202", f"`{code(call)}` asks for no layer by its name", node)
    if name is None:
        em.report("P205", f"`{code(call)}`: layers are known by their names in PyTorch, not by numbers; this raises",
                  node)
    em.by(node, "rule traced")
    em.helper("layer_output")
    return build("layer_output({m}, {n})", m=em.expr(func.value), n=em.plain(key))
