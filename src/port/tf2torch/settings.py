"""Initialisers, penalties and constraints that a constructor passes through `get`: settings that stay as given."""

from __future__ import annotations

import libcst as cst

from port.names import dotted_name
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.arrivals import reached
from port.tf2torch.infer.values import OPEN, find_method
from port.tree import code, find, walk

KINDS = ("initializers", "regularizers", "constraints")
GETTERS = tuple(f"keras.{kind}.get" for kind in KINDS)


def as_given(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`keras.initializers.get(x)` -> `x`: what reads it was translated, the object itself has no use."""
    symbol = em.symbol(node.func)
    if len(node.args) != 1 or node.args[0].star:
        raise Refused("P202", f"`{symbol}` with more than the setting", node)
    kept = [t for n in find(em.it.module, cst.Assign) if n.value is node
            for t in (dotted_name(t.target) for t in n.targets) if t]
    if not kept:
        raise Refused("P203", f"`{symbol}` that is not kept by a name: write a function that fills a tensor", node)
    owner: cst.CSTNode = em.scope.cls.node if em.scope.cls is not None else em.it.module
    for n in walk(owner):
        if isinstance(n, cst.Call) and dotted_name(n.func) in kept:
            raise Refused("P203", f"`{code(n.func)}` is called: write a function that fills or changes a tensor", node)
    em.report("P001", f"`{symbol}` is dropped: `{kept[0]}` stays the setting that was given", node, symbol)
    return em.expr(node.args[0].value)


def usually_none(em: Emitter, node: cst.BaseExpression | None, depth: int = 0) -> bool:
    """A setting whose default is None, and no call of this project gives another."""
    if node is None or depth > 4:
        return False
    if isinstance(node, cst.Name) and node.value == "None":
        return True
    if isinstance(node, cst.Call):
        return em.it.names.resolve(node.func) in GETTERS and len(node.args) == 1 and usually_none(
            em, node.args[0].value, depth + 1)
    cls, function = em.scope.cls, em.scope.function
    if isinstance(node, cst.Attribute) and code(node.value) == "self":
        function = find_method(cls, "__init__") if cls is not None else None
        values = _assigned(function.node, code(node)) if function is not None else []
        return len(values) == 1 and usually_none(em, values[0], depth + 1)
    if not isinstance(node, cst.Name):
        return False
    makers = [function, find_method(cls, "__init__") if cls is not None else None]
    maker = next((f for f in makers if f is not None and node.value in f.params), None)
    if maker is None or _assigned(maker.node, node.value):
        return False
    if OPEN in maker.reaching.get(node.value, set()) or not reached(maker, node.value) <= {None}:
        return False
    return usually_none(em, maker.defaults.get(node.value), depth + 1)


def _assigned(body: cst.CSTNode, name: str) -> list[cst.BaseExpression]:
    return [n.value for n in find(body, cst.Assign)
            for t in n.targets if dotted_name(t.target) == name]
