"""Methods that only `build` calls, with the shape that it was given: they are read as part of it.

    def build(self, input_shape):                     def build(self, input_shape):
        self._attention(input_shape)         ->           width = input_shape[-1]
                                                          self.kernel = self.add_weight(shape=(width, 1))
    def _attention(self, input_shape):
        width = input_shape[-1]
        self.kernel = self.add_weight(shape=(width, 1))
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.rules.bodies import assigned_names, split_docstring
from port.tree import clone, find, loads, rebuild


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such methods written where they are called; the same object if there are none."""
    return _inside(module)  # type: ignore[no-any-return]


def _inside(node: Any) -> Any:
    if isinstance(node, cst.ClassDef) and isinstance(node.body, cst.IndentedBlock):
        return _class(node)
    return rebuild(node, _inside) if isinstance(node, cst.Module | cst.IndentedBlock) else node


def _class(node: cst.ClassDef) -> cst.ClassDef:
    methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
    build = methods.pop("build", None)
    if build is None or len(build.params.params) != 2:
        return node
    parts = {n: m for n, m in methods.items() if _calls(node, n) and _fits(m, build) and all(
        _is_call(s, n, m) for s in _calls(node, n)) and len(_calls(node, n)) == len(_calls(build, n))}
    if not parts or any(_calls(p, n) for p in parts.values() for n in parts):
        return node
    body = [_inlined(s, parts) if s is build else s for s in node.body.body
            if not (isinstance(s, cst.FunctionDef) and parts.get(s.name.value) is s)]
    return node.with_changes(body=node.body.with_changes(body=body))


def _calls(node: Any, name: str) -> list[Any]:
    """Lines with `self.name`, and what is no line with it."""
    return [s for s in find(node, cst.SimpleStatementLine) if any(
        a.attr.value == name for a in find(s, cst.Attribute))]


def _is_call(line: cst.SimpleStatementLine, name: str, method: cst.FunctionDef) -> bool:
    """`self.name(input_shape)`, its arguments called as the method calls them."""
    call = line.body[0].value if len(line.body) == 1 and isinstance(line.body[0], cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or not isinstance(
            call.func.value, cst.Name) or call.func.value.value != "self" or call.func.attr.value != name:
        return False
    given = [a.value.value if isinstance(a.value, cst.Name) and not a.star and a.keyword is None else None
             for a in call.args]
    return given == [p.name.value for p in method.params.params[1:]]


def _fits(method: cst.FunctionDef, build: cst.FunctionDef) -> bool:
    """Can its body stand inside `build`? It gives nothing back, and binds nothing that `build` reads."""
    params = method.params
    plain = not (params.kwonly_params or params.posonly_params or params.star_kwarg or isinstance(
        params.star_arg, cst.Param) or any(p.default is not None for p in params.params) or method.decorators)
    shape = build.params.params[1].name.value
    bound = assigned_names(method.body) if isinstance(method.body, cst.IndentedBlock) else frozenset([shape])
    return plain and any(p.name.value == shape for p in params.params) and not find(method.body, cst.Return) and not (
        bound & {*loads(build.body), *assigned_names(build.body), shape}) and not find(method.body, cst.FunctionDef)


def _inlined(node: Any, parts: dict[str, cst.FunctionDef]) -> Any:
    if isinstance(node, cst.IndentedBlock):
        body: list[Any] = []
        for s in node.body:
            part = next((m for n, m in parts.items() if isinstance(s, cst.SimpleStatementLine) and _is_call(s, n, m)),
                        None)
            body += [clone(x) for x in split_docstring(part.body.body)[1]] if part is not None else [
                _inlined(s, parts)]
        return node.with_changes(body=body)
    return rebuild(node, lambda child: _inlined(child, parts))
