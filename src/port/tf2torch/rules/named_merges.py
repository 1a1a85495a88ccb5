"""A function that a setting names and that merges tensors: a branch for each that the file has.

                                              if kind not in ("add", "multiply"):
                                                  raise ValueError(f"kind: {kind!r}")
    x = eval(kind)([x, y])              ->    if kind == "add":
                                                  x = add([x, y])
                                              else:
                                                  x = multiply([x, y])
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libcst as cst

from port.build import expression, statement
from port.names import Names
from port.tf2torch.infer.arrivals import reached
from port.tf2torch.infer.named import evaluated
from port.tf2torch.infer.values import Function
from port.tf2torch.rules.bodies import binds
from port.tree import clone, find, rebuild

MERGES = frozenset(f"keras.layers.{n}" for n in ("add", "subtract", "multiply", "average", "maximum", "minimum"))


def rewrite(module: cst.Module, bound: Names, functions: Iterable[Function]) -> cst.Module:
    """The module with such calls of its functions undone; the same object if there are none.

    `functions`: as an earlier reading of the file found them, with what reaches their settings.
    """
    names = [n for n in sorted(bound.bound) if bound.resolve_text(n) in MERGES]
    return _inside(module, names, list(functions)) if names else module  # type: ignore[no-any-return]


def _inside(node: Any, names: list[str], functions: list[Function]) -> Any:
    if type(node) is cst.FunctionDef:
        params = {p.name.value for p in find(node.params, cst.Param)}
        here = [n for n in names if n not in params and not binds(node.body, n)]
        mine = [f for f in functions if f.name == node.name.value]
        arriving = {p: {v for f in mine for v in reached(f, p)} for p in params if not binds(node.body, p)}
        settings = {p for p, values in arriving.items() if values and values <= {*here}}
        return _branched(node, settings, here) if settings else node
    if type(node) in (cst.Module, cst.ClassDef, cst.IndentedBlock):
        return rebuild(node, lambda child: _inside(child, names, functions))
    return node


def _branched(node: Any, settings: set[str], names: list[str]) -> Any:
    if isinstance(node, cst.IndentedBlock):
        lines = [new for s in node.body for new in (_line(s, settings, names) if isinstance(s, cst.SimpleStatementLine)
                                                   else [_branched(s, settings, names)])]
        return node if lines == list(node.body) else node.with_changes(body=lines)
    return rebuild(node, lambda child: _branched(child, settings, names))


def _line(node: cst.SimpleStatementLine, settings: set[str], names: list[str]) -> list[Any]:
    calls = [c for c in find(node, cst.Call) if (p := evaluated(c.func)) is not None and p.value in settings
             and c.args and isinstance(c.args[0].value, cst.List)]
    if len(calls) != 1:
        return [node]
    name = evaluated(calls[0].func).value  # type: ignore[union-attr]
    among = ", ".join(f'"{n}"' for n in names) + ("," if len(names) == 1 else "")
    guard = statement(f'if {name} not in ({among}):\n    raise ValueError(f"{name}: {{{name}!r}}")')
    *others, last = (_called(clone(node.with_changes(leading_lines=[])), name, n) for n in names)
    tail: Any = cst.Else(cst.IndentedBlock([last])) if others else last
    for n, line in zip(reversed(names[:-1]), reversed(others), strict=True):
        tail = cst.If(expression(f'{name} == "{n}"'), cst.IndentedBlock([line]), tail)
    return [guard, tail.with_changes(leading_lines=node.leading_lines)]


def _called(node: Any, setting: str, name: str) -> Any:
    found = evaluated(node)
    return cst.Name(name) if found is not None and found.value == setting else rebuild(
        node, lambda child: _called(child, setting, name))
