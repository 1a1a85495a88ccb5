"""A function that only makes a layer is read as that layer where it is called and applied.

    def up(filters, size):
        return Conv2DTranspose(filters, size, strides=size)          ->    x = Conv2DTranspose(8, 2, strides=2)(x)

    x = up(8, 2)(x)
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.rules.bodies import split_docstring
from port.tree import clone, find, loads, rebuild, walk


def rewrite(module: cst.Module) -> cst.Module:
    """The module with such functions opened where their layer is applied; the same object if there are none."""
    makers = {s.name.value: made for s in module.body if isinstance(s, cst.FunctionDef)
              and (made := _made(s)) is not None}
    used = {n.func.func.value for n in find(module, cst.Call) if isinstance(n.func, cst.Call) and isinstance(
        n.func.func, cst.Name)}
    return _opened(module, makers, frozenset()) if used & makers.keys() else module  # type: ignore[no-any-return]


def _made(node: cst.FunctionDef) -> tuple[cst.FunctionDef, cst.Call] | None:
    """`return Layer(...)`, and nothing else."""
    body = split_docstring(node.body.body)[1]
    small = body[0].body[0] if len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) else None
    value = small.value if isinstance(small, cst.Return) else None
    p = node.params
    plain = not (p.kwonly_params or p.posonly_params or p.star_kwarg or isinstance(p.star_arg, cst.Param))
    fits = plain and not node.decorators and isinstance(value, cst.Call) and not isinstance(value.func, cst.Call)
    return (node, value) if fits and isinstance(value, cst.Call) else None


def _opened(node: Any, makers: dict[str, Any], local: frozenset[str]) -> Any:
    if isinstance(node, cst.FunctionDef):
        names = {p.name.value for p in node.params.params} | {t.value for n in walk(node.body) if isinstance(
            n, cst.AssignTarget) for t in walk(n.target) if isinstance(t, cst.Name)}
        local = local | names
    new = rebuild(node, lambda child: _opened(child, makers, local))
    if isinstance(new, cst.Call) and isinstance(new.func, cst.Call) and isinstance(new.func.func, cst.Name):
        found = makers.get(new.func.func.value) if new.func.func.value not in local else None
        made = _layer(found[0], found[1], new.func, local) if found is not None else None
        return new if made is None else new.with_changes(func=made)
    return new


def _layer(function: cst.FunctionDef, value: cst.Call, call: cst.Call, local: frozenset[str]) -> Any:
    """The call that makes the layer, with the arguments of this call; None if they cannot just be put in."""
    params = [p.name.value for p in function.params.params]
    given = {p.name.value: p.default for p in function.params.params if p.default is not None}
    for at, arg in enumerate(call.args):
        name = arg.keyword.value if arg.keyword is not None else params[at] if at < len(params) else ""
        if arg.star or name not in params or not _plain(arg.value):
            return None
        given[name] = arg.value
    free = loads(value) - set(params)
    if free & local or set(params) - given.keys():
        return None
    return _with(value, given)


def _plain(node: cst.BaseExpression) -> bool:
    return not any(isinstance(n, cst.Call | cst.NamedExpr | cst.Lambda) for n in walk(node))


def _with(node: Any, given: dict[str, Any]) -> Any:
    if isinstance(node, cst.Name):
        return clone(given[node.value]) if node.value in given else node
    if isinstance(node, cst.Attribute | cst.Arg):
        return node.with_changes(value=_with(node.value, given))
    return rebuild(clone(node) if isinstance(node, cst.Call) else node, lambda child: _with(child, given))
