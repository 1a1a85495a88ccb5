"""Settings that a constructor puts into an attribute, and a module below: nobody ever finds the setting there."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.names import dotted_name
from port.torch2tf.values import Function
from port.tree import walk


def is_lost(it: Any, target: cst.Attribute) -> bool:
    """`self.pool = pool` above `self.pool = nn.AvgPool2d(2)`, with nothing between them that could read it."""
    function: Function | None = it.current[-1] if it.current else None
    if function is None or function.name != "__init__" or not isinstance(function.node, cst.FunctionDef):
        return False
    known = it.objects.setdefault("overwritten", {})
    if function not in known:
        known[function] = _lost(function)
    return target in known[function]


def _lost(function: Function) -> set[cst.CSTNode]:
    """Targets of statements of the constructor itself, not of its branches, whose values are lost."""
    own = function.params[0] if function.params else ""
    found: set[cst.CSTNode] = set()
    open_: dict[str, cst.CSTNode] = {}  # attribute -> its last target, which nothing has read yet
    for statement in function.node.body.body:  # type: ignore[union-attr]
        for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else [statement]:
            targets = [t for t in _targets(small) if dotted_name(t).rpartition(".")[0] == own]
            inside = {id(n) for t in targets for n in walk(t)}
            open_ = _unread(small, own, inside, open_)
            for target in targets:
                if target.attr.value in open_:
                    found.add(open_[target.attr.value])
                open_[target.attr.value] = target
    return found


def _targets(node: Any) -> list[cst.Attribute]:
    """`self.a, self.b = ...`: what the statement certainly sets."""
    found: list[Any] = [t.target for t in node.targets] if isinstance(node, cst.Assign) else []
    while any(isinstance(t, cst.Tuple) for t in found):
        found = [x for t in found for x in ([e.value for e in t.elements] if isinstance(t, cst.Tuple) else [t])]
    return [t for t in found if isinstance(t, cst.Attribute)]


def _unread(node: cst.CSTNode, own: str, targets: set[int], held: dict[str, cst.CSTNode]) -> dict[str, cst.CSTNode]:
    """What remains unread: `self.a` reads one attribute, whoever gets `self`, or one of its methods, all of them."""
    read: set[str] = set()
    names = 0
    for n in walk(node):
        if id(n) in targets:
            continue
        if type(n) is cst.Attribute and type(n.value) is cst.Name and n.value.value == own:
            read.add(n.attr.value)
            names -= not n.attr.value.startswith("__")
        elif type(n) is cst.Call and dotted_name(n.func).startswith(f"{own}."):
            return {}
        names += type(n) is cst.Name and n.value == own
    return {} if names else {name: target for name, target in held.items() if name not in read}
