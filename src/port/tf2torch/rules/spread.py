"""`**kwargs` that a function or constructor only passes on is read as the keywords that its calls give.

    class Block(layers.Layer):                    class Block(layers.Layer):
        def __init__(self, **kwargs):                 def __init__(self, num_heads, key_dim):
            super().__init__()               ->           super().__init__()
            self.mha = Attention(**kwargs)                self.mha = Attention(num_heads=num_heads, key_dim=key_dim)

    Block(num_heads=2, key_dim=8)                 Block(num_heads=2, key_dim=8)
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.build import TIGHT, expression
from port.tree import changed, clone, find, loads, named, rebuild, replaced

CONSTANTS = {"True", "False", "None"}
Default = Callable[[cst.BaseExpression, str], str | None]  # of a called thing's parameter, as text


@dataclass(frozen=True)
class _Passing:
    """A function whose `**kwargs` goes into calls only; `calls`: those of the file that call it."""

    node: cst.FunctionDef
    name: str  # of the variable
    takers: list[cst.Call]
    calls: list[cst.Call]


def rewrite(module: cst.Module, default: Default, elsewhere: Collection[str], others: Collection[str] = ()
            ) -> cst.Module:
    """The module with such parameters written out; the same object if there are none.

    `default` says what a parameter of the framework's is where a call does not give it; `elsewhere` are the names
    that other files import from this one, whose calls are not seen, and `others` the texts of these files.
    """
    module = _dicts(_constants(module, others))
    while (found := _next(module, default, elsewhere)) is not None:
        module = replaced(module, *found)
    return module


def _dicts(node: Any) -> Any:
    """`settings = {"padding": "same"}` of a function, which its calls get as `**settings`, as keywords."""
    if isinstance(node, cst.Module | cst.ClassDef | cst.IndentedBlock):
        return rebuild(node, _dicts)
    if not isinstance(node, cst.FunctionDef):
        return node
    body: Any = node.body
    for line in node.body.body:
        name, pairs = _settings(line)
        body = _without(body, line, name, pairs) if pairs else body
    return changed(node, body=body)


def _constants(module: Any, others: Collection[str]) -> Any:
    """The same of `SETTINGS = dict(padding="same")` at the top of the file, which stays, if no other file names it."""
    for line in module.body:
        name, pairs = _settings(line)
        if pairs and not any(name in text for text in others) and not any(
                loads(value) - CONSTANTS for _, value in pairs):
            module = _without(module, line, name, pairs, keep=True)
    return module


def _settings(line: Any) -> tuple[str, list[tuple[str, cst.BaseExpression]]]:
    """The variable that a line binds to a dict of names, and its items; none if the line does anything else."""
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    if not isinstance(small, cst.Assign) or not isinstance(target, cst.Name):
        return "", []
    value, found = small.value, []
    if isinstance(value, cst.Dict):
        for e in value.elements:
            if not isinstance(e, cst.DictElement) or not isinstance(e.key, cst.SimpleString):
                return "", []
            found.append((str(e.key.evaluated_value), e.value))
    elif isinstance(value, cst.Call) and isinstance(value.func, cst.Name) and value.func.value == "dict":
        for arg in value.args:
            if arg.keyword is None:
                return "", []
            found.append((arg.keyword.value, arg.value))
    return target.value, found


def _is_plain(value: cst.BaseExpression) -> bool:
    """May it be written several times?"""
    if isinstance(value, cst.Tuple):
        return all(isinstance(e, cst.Element) and _is_plain(e.value) for e in value.elements)
    if isinstance(value, cst.UnaryOperation):
        return _is_plain(value.expression)
    return isinstance(value, cst.Name | cst.SimpleString | cst.Integer | cst.Float | cst.Attribute)


def _without(body: Any, line: cst.CSTNode, name: str, pairs: list[tuple[str, cst.BaseExpression]], keep: bool = False
             ) -> Any:
    """The body without this dict, if it is nothing but spread, and each value may be written several times."""
    takers = [c for c in find(body, cst.Call) if any(_takes(a, name) for a in c.args)]
    bound = {n for a in find(body, cst.AssignTarget) for n in named(a.target)}
    plain = all(_is_plain(value) and not loads(value) & bound for _, value in pairs)
    if not takers or not plain or sum(n.value == name for n in find(body, cst.Name)) != len(takers) + 1:
        return body
    for taker in takers:
        made = [cst.Arg(clone(value), cst.Name(key), equal=TIGHT) for key, value in pairs]
        args = [x for a in taker.args for x in (made if _takes(a, name) else [a])]
        args = [changed(a, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))) if any(
            a is m for m in made) and a is not args[-1] else a for a in args]
        args[-1] = changed(args[-1], comma=cst.MaybeSentinel.DEFAULT)
        body = replaced(body, taker, changed(taker, args=args))
    return changed(body, body=[s for s in body.body if keep or s is not line])


def _next(module: cst.Module, default: Default, elsewhere: Collection[str]) -> tuple[Any, Any] | None:
    classes = {s.name.value: s for s in module.body if isinstance(s, cst.ClassDef)}
    functions = {s.name.value: s for s in module.body if isinstance(s, cst.FunctionDef)}
    inits = {name: init for name, c in classes.items() if (init := _init(c)) is not None}
    for name, node in [*functions.items(), *inits.items()]:
        if node.params.star_kwarg is None or name in elsewhere:
            continue
        calls = _calls(module, name, classes, inits) if name in classes else _called(module, name)
        passing = _passing(node, calls)
        new = passing and _written(passing, lambda func, key: _default(func, key, functions, inits, default))
        if new is not None:
            return node, new
    return None


def _init(node: cst.ClassDef) -> cst.FunctionDef | None:
    return next((s for s in node.body.body if isinstance(s, cst.FunctionDef) and s.name.value == "__init__"), None)


def _called(module: cst.Module, name: str) -> list[cst.Call] | None:
    """Calls of this name; None if it is also used otherwise, or names something else too."""
    calls = [c for c in find(module, cst.Call) if type(c.func) is cst.Name and c.func.value == name]
    known = {id(c.func) for c in calls}
    known |= {id(a.attr) for a in find(module, cst.Attribute)} | {id(a.keyword) for a in find(module, cst.Arg)}
    known |= {id(f.name) for f in find(module, cst.FunctionDef) if f.name.value == name}
    for node in find(module, cst.ClassDef):
        known |= {id(b.value) for b in node.bases} | ({id(node.name)} if node.name.value == name else set())
    known |= {id(a.value) for c in find(module, cst.Call) if type(c.func) is cst.Name and c.func.value == "super"
              for a in c.args}
    return calls if all(id(n) in known for n in find(module, cst.Name) if n.value == name) else None


def _calls(module: cst.Module, name: str, classes: dict[str, cst.ClassDef], inits: dict[str, Any]
           ) -> list[cst.Call] | None:
    """Calls of a class's constructor: its own, those of classes that inherit it, and `super().__init__(...)`."""
    found = _called(module, name)
    for other, node in classes.items():
        if found is None or not any(isinstance(b.value, cst.Name) and b.value.value == name for b in node.bases):
            continue
        if other in inits:
            found = [*found, *(c for c in find(inits[other], cst.Call) if _is_super(c))]
        else:
            below = _calls(module, other, classes, inits)
            found = None if below is None else [*found, *below]
    return found


def _is_super(call: cst.Call) -> bool:
    func = call.func
    return isinstance(func, cst.Attribute) and func.attr.value == "__init__" and isinstance(
        func.value, cst.Call) and isinstance(func.value.func, cst.Name) and func.value.func.value == "super"


def _passing(node: cst.FunctionDef, calls: list[cst.Call] | None) -> _Passing | None:
    """The function with the calls that take its `**kwargs`; None if that is used otherwise, or calls are not known."""
    star = node.params.star_kwarg
    if star is None or not calls or any(a.star for c in calls for a in c.args):
        return None
    name = star.name.value
    takers = [c for c in find(node.body, cst.Call) if any(_takes(a, name) for a in c.args)]
    uses = sum(n.value == name for n in find(node.body, cst.Name))
    if not takers or uses != len(takers) or any(_is_super(c) for c in takers):
        return None
    return _Passing(node, name, takers, calls)


def _takes(arg: cst.Arg, name: str) -> bool:
    return arg.star == "**" and isinstance(arg.value, cst.Name) and arg.value.value == name


def _written(passing: _Passing, default: Default) -> cst.FunctionDef | None:
    node, params = passing.node, passing.node.params
    own = {p.name.value for p in (*params.posonly_params, *params.params, *params.kwonly_params)}
    given = [{a.keyword.value for a in c.args if a.keyword is not None} - own for c in passing.calls]
    names = list(dict.fromkeys(a.keyword.value for c in passing.calls for a in c.args if a.keyword is not None
                               and a.keyword.value not in own))
    usual = {n: {default(c.func, n) for c in passing.takers} for n in names if any(n not in g for g in given)}
    taken = {n.value for n in find(node.body, cst.Name)} - {a.keyword.value for c in find(node.body, cst.Call)
                                                            for a in c.args if a.keyword is not None}
    if any(len(v) != 1 or None in v for v in usual.values()) or taken & {*names}:
        return None
    added = [cst.Param(cst.Name(n)) for n in names if n not in usual] + [
        cst.Param(cst.Name(n), default=expression(next(iter(usual[n]))), equal=TIGHT)  # type: ignore[arg-type]
        for n in names if n in usual]
    out = _spread(node.body, passing, names)
    return changed(node, params=_with(params, added), body=out)


def _with(params: cst.Parameters, added: list[cst.Param]) -> cst.Parameters:
    behind = any(p.default is not None for p in params.params) and any(p.default is None for p in added)
    if not added:
        last = [changed(p, comma=cst.MaybeSentinel.DEFAULT) for p in params.params[-1:]]
        return changed(params, params=[*params.params[:-1], *last], star_kwarg=None)
    if params.kwonly_params or isinstance(params.star_arg, cst.Param) or behind:
        star = params.star_arg if params.kwonly_params or isinstance(params.star_arg, cst.Param) else cst.ParamStar()
        return changed(params, star_arg=star, kwonly_params=[*params.kwonly_params, *added], star_kwarg=None)
    return changed(params, params=[*params.params, *added], star_kwarg=None)


def _spread(node: Any, passing: _Passing, names: list[str]) -> Any:
    if isinstance(node, cst.Call) and any(node is c for c in passing.takers):
        args = [x for a in node.args for x in ([cst.Arg(cst.Name(n), cst.Name(n), equal=TIGHT) for n in names]
                                               if _takes(a, passing.name) else [a])]
        if args:
            args[-1] = changed(args[-1], comma=cst.MaybeSentinel.DEFAULT)
        node = changed(node, args=args)
    return rebuild(node, lambda child: _spread(child, passing, names))


def _default(func: cst.BaseExpression, key: str, functions: dict[str, Any], inits: dict[str, Any],
             framework: Default) -> str | None:
    own = functions.get(func.value, inits.get(func.value)) if isinstance(func, cst.Name) else None
    if own is None:
        return framework(func, key)
    params = (*own.params.params, *own.params.kwonly_params)
    found = next((p.default for p in params if p.name.value == key and p.default is not None), None)
    return cst.Module([]).code_for_node(found) if found is not None else None
