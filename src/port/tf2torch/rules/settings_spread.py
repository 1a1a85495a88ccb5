"""Settings in a dict, or that a function of the file puts into one, written out where they are spread into a call.

    def norm_settings(**params):
        settings = {"axis": 3, "momentum": 0.99, "scale": True}
        settings.update(params)
        return settings

    norm = norm_settings(scale=False)
    x = layers.BatchNormalization(name="bn", **norm)(x)
->  x = layers.BatchNormalization(name="bn", axis=3, momentum=0.99, scale=False)(x)
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import argument
from port.names import Names, dotted_name
from port.tree import clone, find, loads, rebuild

CONSTANTS = (cst.Integer, cst.Float, cst.SimpleString)
SCOPES = (cst.FunctionDef, cst.ClassDef)


@dataclass(frozen=True)
class _Maker:
    values: Mapping[str, cst.BaseExpression]
    open: bool  # may a call add to them, or put others in their place?


def rewrite(module: cst.Module, bound: Names, elsewhere: Callable[[str], bool] = lambda name: False) -> cst.Module:
    """The module with such dicts written out; the same object if there are none. `elsewhere`: do others read it?"""
    makers = {f.name.value: made for f in module.body if isinstance(f, cst.FunctionDef)
              and (made := _maker(f, bound)) is not None}
    block = module
    for name, values in _dicts(module, bound, elsewhere).items():
        block = _written(block, name, values)
    return _scope(block, makers) if makers else block


def _dicts(module: cst.Module, bound: Names, elsewhere: Callable[[str], bool]
           ) -> dict[str, dict[str, cst.BaseExpression]]:
    """Dicts of constants at the top of the file that nothing but calls in it read, which spread them."""
    found = {}
    for s in module.body:
        name, value = _assigned(s)
        if not isinstance(value, cst.Dict):
            continue
        values, spread = _entries(value, {}, bound), sum(_spreads(a, name) for a in find(module, cst.Arg))
        whole = values and len(values) == len(value.elements) and all(map(_constant, values.values()))
        alone = sum(n.value == name for n in find(module, cst.Name)) == 1 + spread
        if whole and spread and alone and not elsewhere(name):
            found[name] = values
    return found


def _maker(function: cst.FunctionDef, bound: Names) -> _Maker | None:
    star = function.params.star_kwarg
    if function.params.params or function.params.kwonly_params or not isinstance(function.params.star_arg, str | (
            cst.MaybeSentinel)) or function.decorators or not isinstance(function.body, cst.IndentedBlock):
        return None
    lines = [s.body[0] for s in function.body.body if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1]
    if len(lines) < len(function.body.body):
        return None
    local: dict[str, cst.BaseExpression] = {}
    held, updated = "", False
    values: dict[str, cst.BaseExpression] = {}
    for at, line in enumerate(lines):
        if isinstance(line, cst.Expr) and isinstance(line.value, cst.SimpleString) and at == 0:
            continue
        if isinstance(line, cst.Return):
            found = line.value if isinstance(line.value, cst.Dict) and not held else None
            values = _entries(found, local, bound) if found is not None else values
            named = isinstance(line.value, cst.Name) and line.value.value == held
            good = at == len(lines) - 1 and (found is not None or named)
            known = bool(values) or (found is not None and not found.elements)  # nothing is a setting of none
            return _Maker(values, updated) if good and known and (updated or star is None) else None
        if isinstance(line, cst.Assign) and len(line.targets) == 1 and isinstance(line.targets[0].target, cst.Name):
            name = line.targets[0].target.value
            if isinstance(line.value, cst.Dict) and not held:
                held, values = name, _entries(line.value, local, bound)
            elif name in local or held:
                return None
            else:
                local[name] = line.value
        elif held and star is not None and isinstance(line, cst.Expr) and isinstance(line.value, cst.Call) and (
                dotted_name(line.value.func) == f"{held}.update") and [
                    dotted_name(a.value) for a in line.value.args if not a.star] == [star.name.value]:
            updated = True
        else:
            return None
    return None


def _entries(node: cst.Dict, local: Mapping[str, cst.BaseExpression], bound: Names) -> dict[str, cst.BaseExpression]:
    """Keys and values, each of which means the same in other functions of the file; {} if one does not."""
    found: dict[str, cst.BaseExpression] = {}
    for element in node.elements:
        key = element.key.evaluated_value if isinstance(element, cst.DictElement) and isinstance(
            element.key, cst.SimpleString) else ""
        value = local.get(element.value.value, element.value) if isinstance(element.value, cst.Name) else element.value
        if not isinstance(key, str) or not key.isidentifier() or not loads(value) <= bound.bound.keys() | {
                "True", "False", "None"}:
            return {}
        found[key] = value
    return found


def _scope(node: Any, makers: Mapping[str, _Maker]) -> Any:
    """One function or the module, then what is inside."""
    block = node if isinstance(node, cst.Module) else node.body
    if isinstance(node, cst.Module | cst.FunctionDef) and isinstance(block, cst.Module | cst.IndentedBlock):
        for name, values in _variables(block, makers, node).items():
            block = _written(block, name, values)
    new = rebuild(block, lambda child: _inner(child, makers))
    if isinstance(node, cst.Module):
        return new
    return node if new is node.body else node.with_changes(body=new)


def _inner(node: Any, makers: Mapping[str, _Maker]) -> Any:
    if isinstance(node, SCOPES):
        return _scope(node, makers)
    if isinstance(node, cst.BaseCompoundStatement | cst.IndentedBlock | cst.Else):
        return rebuild(node, lambda child: _inner(child, makers))
    return node


def _variables(block: Any, makers: Mapping[str, _Maker], node: Any) -> dict[str, dict[str, cst.BaseExpression]]:
    """Variables that hold such a dict in all of the scope, and that are only spread."""
    params = {p.name.value for p in find(node.params, cst.Param)} if isinstance(node, cst.FunctionDef) else set()
    bound = [t.value for kind in (cst.Assign, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr, cst.Global, cst.Del)
             for s in find(block, kind) for t in find(s, cst.Name)
             if not isinstance(s, cst.Assign) or any(t is n for a in s.targets for n in find(a.target, cst.Name))]
    spread = [a.value.value for a in find(block, cst.Arg) if a.star == "**" and isinstance(a.value, cst.Name)]
    every = [n.value for n in find(block, cst.Name)]
    found = {}
    for s in block.body:
        name, value = _assigned(s)
        if not isinstance(value, cst.Call):
            continue
        values = _made(value, makers)
        alone = bound.count(name) == 1 and name not in params and every.count(name) == 1 + spread.count(name)
        if values is not None and alone:
            found[name] = values
    return found


def _made(call: cst.Call, makers: Mapping[str, _Maker]) -> dict[str, cst.BaseExpression] | None:
    maker = makers.get(dotted_name(call.func))
    given = {a.keyword.value: a.value for a in call.args if a.keyword is not None}
    constant = len(given) == len(call.args) and all(map(_constant, given.values()))
    if maker is None or not constant or (given and not maker.open):
        return None
    return {**maker.values, **given}


def _constant(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Tuple):
        return all(isinstance(e, cst.Element) and _constant(e.value) for e in node.elements)
    return isinstance(node, CONSTANTS) or (isinstance(node, cst.Name) and node.value in ("True", "False", "None"))


def _written(node: Any, name: str, values: Mapping[str, cst.BaseExpression]) -> Any:
    """The code with the variable's values written out, without the line that binds it."""
    if isinstance(node, cst.Call) and any(_spreads(a, name) for a in node.args):
        node = rebuild(node, lambda child: _written(child, name, values))
        args = [b for a in node.args for b in (
            [argument(key, clone(value), None) for key, value in values.items()] if _spreads(a, name) else [a])]
        return node.with_changes(args=_commas(args))
    if isinstance(node, cst.IndentedBlock | cst.Module):
        body = [_written(s, name, values) for s in node.body if not _binds(s, {name})]
        return node.with_changes(body=body or [cst.SimpleStatementLine([cst.Pass()])])
    return rebuild(node, lambda child: _written(child, name, values))


def _commas(args: list[cst.Arg]) -> list[cst.Arg]:
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [a if isinstance(a.comma, cst.Comma) else a.with_changes(comma=comma) for a in args[:-1]] + [
        a.with_changes(comma=cst.MaybeSentinel.DEFAULT) for a in args[-1:]]


def _spreads(arg: cst.Arg, name: str) -> bool:
    return arg.star == "**" and isinstance(arg.value, cst.Name) and arg.value.value == name


def _binds(s: Any, names: Container[str]) -> bool:
    return _assigned(s)[0] in names


def _assigned(s: Any) -> tuple[str, Any]:
    """Name and value of a line `name = value`; an empty name for any other."""
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    return (target.value, small.value) if isinstance(target, cst.Name) else ("", None)  # type: ignore[union-attr]
