"""A layer class that a setting names is read where it is called; what is left of the variable goes.

    make = eval(activation)
    x = make(name="a")(x)         ->    x = eval(activation)(name="a")(x)
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.infer.named import evaluated
from port.tf2torch.rules.bodies import binds
from port.tree import clone, find, rebuild


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such variables of its functions undone; the same object if there are none."""
    return _inside(module)  # type: ignore[no-any-return]


def _inside(node: Any) -> Any:
    if type(node) is cst.FunctionDef and isinstance(node.body, cst.IndentedBlock):
        for name, value in _variables(node).items():
            node = node.with_changes(body=_without(node.body, name, value))
    if type(node) in (cst.Module, cst.FunctionDef, cst.ClassDef, cst.IndentedBlock):
        return rebuild(node, _inside)
    return node


def _variables(function: cst.FunctionDef) -> dict[str, cst.Call]:
    """Variables that are `eval(p)` wherever the function binds them, and only called; `p` keeps its value."""
    lines = [(s, t.value) for s in find(function.body, cst.Assign) if (t := evaluated(s.value)) is not None
             and len(s.targets) == 1 and isinstance(s.targets[0].target, cst.Name)]
    if not lines:
        return {}
    names = [n.value for n in find(function.body, cst.Name)]
    called = [n.func.value for n in find(function.body, cst.Call) if isinstance(n.func, cst.Name)]
    params = {p.name.value for p in find(function.params, cst.Param)}
    found: dict[str, cst.Call] = {}
    for line, setting in lines:
        name = line.targets[0].target.value  # type: ignore[attr-defined]
        mine = [s for s, t in lines if s.targets[0].target.value == name and t == setting]  # type: ignore[attr-defined]
        read = len(mine) + called.count(name)
        if names.count(name) == read and setting in params and not binds(function.body, setting):
            found[name] = line.value  # type: ignore[assignment]
    return found


def _without(node: Any, name: str, value: cst.Call) -> Any:
    """The code with the variable's calls written out, and without the lines that bind it."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == name:
        return node.with_changes(func=clone(value), args=[_without(a, name, value) for a in node.args])
    if isinstance(node, cst.IndentedBlock) and any(_is_line(s, name) for s in node.body):
        left = []
        above: list[cst.EmptyLine] = []
        for s in node.body:
            if _is_line(s, name):
                above += s.leading_lines  # type: ignore[attr-defined]
                continue
            s = _without(s, name, value)
            comments = [ln for ln in above if ln.comment is not None]
            left.append(s.with_changes(leading_lines=[*above, *s.leading_lines]) if comments else s)
            above = []
        return node.with_changes(body=left or [cst.SimpleStatementLine([cst.Pass()])])
    return rebuild(node, lambda child: _without(child, name, value))


def _is_line(s: Any, name: str) -> bool:
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    return isinstance(small, cst.Assign) and evaluated(small.value) is not None and any(
        isinstance(t.target, cst.Name) and t.target.value == name for t in small.targets)
