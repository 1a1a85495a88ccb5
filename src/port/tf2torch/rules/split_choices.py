"""Expressions of a split body that choose between layers."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.emit import Refused
from port.tf2torch.rules.split import Split
from port.tree import find, walk


def choice_of(split: Split, node: cst.SimpleStatementLine) -> cst.If | None:
    """`x = conv(x) if deep else x`: a statement, so that only the layers of the branch that is taken are made."""
    small: Any = node.body[0]
    value = small.value if type(small) in (cst.Assign, cst.Return) and len(node.body) == 1 else None
    if type(value) is not cst.IfExp or not any(_makes_modules(split, v) for v in (value.body, value.orelse)):
        return None
    layouts = {split.em.fact(v).layout for v in (value, value.body, value.orelse)}
    if len(layouts) > 1 or split.em.fact(value.test).literal(...) is not ...:
        return None
    then, other = (cst.IndentedBlock([node.with_changes(body=[small.with_changes(value=v)], leading_lines=[])])
                   for v in (value.body, value.orelse))
    return cst.If(value.test, then, cst.Else(other), leading_lines=node.leading_lines)


def raises_only(s: Any) -> bool:
    return isinstance(s, cst.SimpleStatementLine) and isinstance(s.body[0], cst.Raise)


def makes_layers(split: Split, node: cst.CSTNode) -> bool:
    made = split.em.it.applications
    return any(isinstance(n, cst.Call) and (n in split.em.it.layers or (
        n in made and made[n][0].payload in split.em.classes)) for n in walk(node))


def _makes_modules(split: Split, node: cst.CSTNode) -> bool:
    """Layers that a function does in PyTorch need no place of their own."""
    layers = [split.em.it.layers[n] for n in find(node, cst.Call) if n in split.em.it.layers]
    if not layers:
        return makes_layers(split, node)
    old, split.em.scope = split.em.scope, split.scope("forward")
    try:
        return any(plan(split.em, layer, first_input(layer)).module for layer in layers)
    except Refused:
        return True
    finally:
        split.em.scope = old
