"""`build` that hands its work to methods: `self._build_gates(input_shape)` is read as the lines of that method."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.calls.variables import MAKERS
from port.tree import code, find, loads, rebuild, walk


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such methods put where they are called; the same object if there are none."""
    if not any(n.attr.value in MAKERS for n in find(module, cst.Attribute)):
        return module
    calls = [n for n in find(module, cst.Call) if isinstance(n.func, cst.Attribute)]
    body = [_class(s, calls) if isinstance(s, cst.ClassDef) else s for s in module.body]
    return module if all(a is b for a, b in zip(body, module.body, strict=True)) else module.with_changes(body=body)


def _class(node: cst.ClassDef, calls: list[cst.Call]) -> cst.ClassDef:
    methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
    build = methods.get("build")
    if build is None or not isinstance(build.body, cst.IndentedBlock):
        return node
    parts = {}
    for name, method in methods.items():
        where = [c for c in calls if c.func.attr.value == name]  # type: ignore[attr-defined]
        if name != "build" and len(where) == 1 and _fits(build, method, where[0]):
            parts[where[0]] = method
    if not parts:
        return node
    new = build.with_changes(body=build.body.with_changes(body=_lines(build.body.body, parts)))
    gone = set(parts.values())
    body = [new if s is build else s for s in node.body.body if s not in gone]
    return node.with_changes(body=node.body.with_changes(body=body))


def _fits(build: cst.FunctionDef, method: cst.FunctionDef, call: cst.Call) -> bool:
    """Does it mean the same to have the method's lines there?"""
    if not any(n.attr.value in MAKERS for n in find(method.body, cst.Attribute)):
        return False
    if method.decorators or any(isinstance(n, cst.Return | cst.Yield | cst.Global | cst.Nonlocal)
                                    for n in walk(method.body)):
        return False
    statements = [n for n in find(build.body, cst.Expr) if n.value is call]
    given = ["self", *(code(a.value) for a in call.args if a.keyword is None and not a.star)]
    names = [p.name.value for p in method.params.params]
    plain = not (method.params.kwonly_params or method.params.star_kwarg or len(given) != len(call.args) + 1)
    if code(call.func.value) != "self" or not statements or not plain or given != names:  # type: ignore[attr-defined]
        return False
    made = {t.target.value for n in find(method.body, cst.Assign) for t in n.targets
            if isinstance(t.target, cst.Name)}
    return isinstance(method.body, cst.IndentedBlock) and not made & (loads(build.body) | set(names))


def _lines(body: Any, parts: dict[cst.Call, cst.FunctionDef]) -> list[Any]:
    out: list[Any] = []
    for s in body:
        small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
        method = parts.get(small.value) if isinstance(small, cst.Expr) else None  # type: ignore[call-overload]
        if method is None:
            out.append(_nested(s, parts))
            continue
        lines = list(method.body.body)
        if method.get_docstring() is not None:
            lines = lines[1:]
        out += [lines[0].with_changes(leading_lines=[*s.leading_lines, *lines[0].leading_lines]), *lines[1:]]
    return out


def _nested(node: Any, parts: dict[cst.Call, cst.FunctionDef]) -> Any:
    if isinstance(node, cst.IndentedBlock):
        new = _lines(node.body, parts)
        return node if all(a is b for a, b in zip(new, node.body, strict=False)) and len(new) == len(node.body) else (
            node.with_changes(body=new))
    if isinstance(node, cst.SimpleStatementLine | cst.BaseExpression):
        return node
    return rebuild(node, lambda n: _nested(n, parts))
