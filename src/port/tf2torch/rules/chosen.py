"""A variable that holds one of several layers, by a setting: each is read as applied in its own branch.

    if rate:                                    if rate:
        layer = StochasticDepth(rate)               layer_out = StochasticDepth(rate)(x)
    else:                                 ->    else:
        layer = Activation("linear")                layer_out = Activation("linear")(x)
    return inputs + layer(x)                    return inputs + layer_out
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import libcst as cst

from port.tree import find, rebuild


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such variables undone in its functions; the same object if there are none."""
    return _inside(module)  # type: ignore[no-any-return]


def _inside(node: Any) -> Any:
    if type(node) is cst.FunctionDef and isinstance(node.body, cst.IndentedBlock):
        new = _suite(node.body, [n.value for n in find(node.body, cst.Name)])
        node = node if new is node.body else node.with_changes(body=new)
    if type(node) in (cst.Module, cst.FunctionDef, cst.ClassDef, cst.IndentedBlock):
        return rebuild(node, _inside)
    return node


def _suite(block: cst.IndentedBlock, names: list[str]) -> cst.IndentedBlock:
    body = list(block.body)
    for i, (choice, use) in enumerate(pairwise(body)):
        name = _chosen(choice)
        calls = [n for n in find(use, cst.Call) if isinstance(n.func, cst.Name) and n.func.value == name]
        plain = len(calls) == 1 and all(isinstance(a.value, cst.Name) and not a.star for a in calls[0].args)
        out = f"{name}_out"
        if name and plain and isinstance(use, cst.SimpleStatementLine) and out not in names and names.count(
                name) == _leaves(choice) + 1:
            body[i] = _applied(choice, calls[0], out)
            body[i + 1] = _replaced(use, calls[0], cst.Name(out))
    return block if body == list(block.body) else block.with_changes(body=body)


def _chosen(s: Any) -> str:
    """The variable that every branch assigns last, to what a call gives; '' if there is none."""
    names = set()
    while isinstance(s, cst.If):
        names.add(_last(s.body))
        s = s.orelse
    names.add(_last(s.body) if isinstance(s, cst.Else) else "")
    return names.pop() if len(names) == 1 else ""


def _last(block: Any) -> str:
    last = block.body[-1] if isinstance(block, cst.IndentedBlock) else None
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) and len(last.body) == 1 else None
    fits = isinstance(small, cst.Assign) and len(small.targets) == 1 and isinstance(small.value, cst.Call)
    target = small.targets[0].target if fits and isinstance(small, cst.Assign) else None
    return target.value if isinstance(target, cst.Name) else ""


def _leaves(s: Any) -> int:
    return 1 + (_leaves(s.orelse) if isinstance(s.orelse, cst.If) else 1)


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
