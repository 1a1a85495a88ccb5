"""A variable that holds one of several layers, by a setting: each is read as applied in its own branch.

    if rate:                                    if rate:
        layer = StochasticDepth(rate)               layer_out = StochasticDepth(rate)(x)
    else:                                 ->    else:
        layer = Activation("linear")                layer_out = Activation("linear")(x)
    return inputs + layer(x)                    return inputs + layer_out
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import libcst as cst

from port.tree import find, rebuild


def rewrite(module: cst.Module, is_layer: Callable[[cst.BaseExpression], object] = lambda func: True) -> cst.Module:
    """The module with such variables undone in its functions; the same object if there are none.

    `is_layer`: asked what the branches call; one of them must be so.
    """
    return _inside(module, is_layer)  # type: ignore[no-any-return]


def _inside(node: Any, is_layer: Callable[[cst.BaseExpression], object]) -> Any:
    if type(node) is cst.FunctionDef and isinstance(node.body, cst.IndentedBlock):
        new = _suite(node.body, is_layer)
        node = node if new is node.body else node.with_changes(body=new)
    if type(node) in (cst.Module, cst.FunctionDef, cst.ClassDef, cst.IndentedBlock):
        return rebuild(node, lambda child: _inside(child, is_layer))
    return node


def _suite(block: cst.IndentedBlock, is_layer: Callable[[cst.BaseExpression], object]) -> cst.IndentedBlock:
    body = list(block.body)
    for i, (choice, use) in enumerate(pairwise(body)):
        if type(choice) is not cst.If or type(use) is not cst.SimpleStatementLine:
            continue
        leaves = _leaves(choice)
        name = leaves[0][0] if len({name for name, _ in leaves}) == 1 else ""
        calls = [n for n in find(use, cst.Call) if isinstance(n.func, cst.Name) and n.func.value == name]
        plain = len(calls) == 1 and all(isinstance(a.value, cst.Name) and not a.star for a in calls[0].args)
        out = f"{name}_out"
        if name and plain and any(is_layer(func) for _, func in leaves):
            names = [n.value for n in find(block, cst.Name)]
            if out not in names and names.count(name) == len(leaves) + 1:
                body[i] = _applied(choice, calls[0], out)
                body[i + 1] = _replaced(use, calls[0], cst.Name(out))
    return block if body == list(block.body) else block.with_changes(body=body)


def _leaves(s: Any) -> list[tuple[str, Any]]:
    """The variable that each branch assigns last to what a call gives, and what it calls; '' where there is none."""
    found = []
    while isinstance(s, cst.If):
        found.append(_last(s.body))
        s = s.orelse
    return [*found, _last(s.body) if isinstance(s, cst.Else) else ("", None)]


def _last(block: Any) -> tuple[str, Any]:
    last = block.body[-1] if isinstance(block, cst.IndentedBlock) else None
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 else None
    fits = isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.value, cst.Call)
    target = small.targets[0].target if fits and isinstance(small, cst.Assign) else None
    return (target.value, small.value.func) if isinstance(target, cst.Name) else ("", None)  # type: ignore[union-attr]


def _applied(s: Any, call: cst.Call, out: str) -> Any:
    """The last assignment of each branch, applied to the arguments of the call."""
    if isinstance(s, cst.IndentedBlock):
        last: Any = s.body[-1]
        small = last.body[0]
        target = cst.AssignTarget(cst.Name(out))
        new = small.with_changes(targets=[target], value=cst.Call(small.value, call.args))
        return s.with_changes(body=[*s.body[:-1], last.with_changes(body=[new])])
    if isinstance(s, cst.Else):
        return s.with_changes(body=_applied(s.body, call, out))
    return s.with_changes(body=_applied(s.body, call, out), orelse=_applied(s.orelse, call, out))


def _replaced(node: Any, old: cst.CSTNode, new: cst.CSTNode) -> Any:
    return new if node is old else rebuild(node, lambda child: _replaced(child, old, new))
