"""`forward(self, x, *args, **kwargs)`: Keras looks at the arguments of `call` one by one, so they get their names."""

from __future__ import annotations

from collections.abc import Mapping as Mapped
from typing import Any

import libcst as cst

from port.build import COMMA, TIGHT, expression
from port.facts import Fact, Kind, Layout
from port.torch2tf import members
from port.torch2tf.refused import Refused
from port.torch2tf.values import (
    Function,
    Instance,
    Items,
    Mapping,
    Places,
    SelfOf,
    is_none,
    options,
    put,
    same,
    tensors_in,
)
from port.tree import code, walk


def plan(w: Any, f: Function) -> dict[str, cst.BaseExpression] | None:
    """Names and defaults of what callers pass through the stars of a module's `forward`; None: they stay."""
    if f.owner is None or not f.owner.is_module or f.name != "forward" or not (f.star or f.kwstar) or not f.inside:
        return None
    calls = None if f.extra_hidden else _passed_on(f)
    found = {name: _default(w, name, calls, (f,)) for name in f.extra} if calls is not None else {}
    if calls is None or None in found.values():
        _no_mixture(f)
        return None
    return found  # type: ignore[return-value]


def _passed_on(f: Function) -> list[cst.Call] | None:
    """Calls that hand the stars on; None if something else is done with them."""
    assert isinstance(f.node, cst.FunctionDef)
    calls: list[cst.Call] = []
    uses = 0
    for n in walk(f.node.body):
        if isinstance(n, cst.Name) and n.value in (f.star, f.kwstar):
            uses += 1
        if isinstance(n, cst.Call):
            stars = [a for a in n.args if a.star and code(a.value) in (f.star, f.kwstar)]
            uses -= len(stars)
            calls += [n] if any(a.star == "**" for a in stars) else []
    return calls if uses == 0 else None


def _default(w: Any, name: str, calls: list[cst.Call], seen: tuple[Function, ...]) -> cst.BaseExpression | None:
    """The default that every module has which is given this argument, also through further stars."""
    found: dict[str, cst.BaseExpression] = {}
    for call in calls:
        for option in options(w.fact(call.func)):
            if not isinstance(option.payload, Instance | SelfOf):
                return None
            for method in members.methods(option.payload.cls, "forward"):
                if method in seen:  # it wraps modules of its own class
                    continue
                default = method.defaults.get(name)
                if default is None and name not in method.params and method.kwstar and not method.extra_hidden:
                    default = _default(w, name, _passed_on(method) or [], (*seen, method))
                if default is None or method.is_flipped(name):
                    return None
                found[code(default)] = default
    plain = len(found) == 1 and isinstance(next(iter(found.values())), cst.Name | cst.Integer | cst.Float)
    return expression(next(iter(found))) if plain else None


def _no_mixture(f: Function) -> None:
    """Keras refuses a dict that holds tensors and other values."""
    tensors = [n for n, fact in f.extra.items() if any(True for _ in tensors_in(fact))]
    others = [n for n, fact in f.extra.items() if n not in tensors and not is_none(fact)]
    if tensors and others:
        raise Refused("P206", f"`**{f.kwstar}` carries the tensor `{tensors[0]}` and `{others[0]}`, which is none: "
                      "Keras' layers do not take both in one dict; name the parameters", f.node)


def named(f: Function, node: cst.FunctionDef, found: dict[str, cst.BaseExpression]) -> cst.FunctionDef:
    """The written function with parameters in the place of its stars."""
    return node.with_changes(params=with_names(node.params, found), body=node.body.visit(_Named(f, list(found))))


def with_names(params: cst.Parameters, found: Mapped[str, cst.BaseExpression | None]) -> cst.Parameters:
    """Parameters in the place of the stars, with their defaults; those without one come first."""
    given, rest = list(params.params), list(params.kwonly_params)
    made = [cst.Param(cst.Name(n), default=d, equal=TIGHT if d is not None else cst.MaybeSentinel.DEFAULT)
            for n, d in sorted(found.items(), key=lambda item: item[1] is not None)]
    if any(p.default is not None for p in given) and any(p.default is None for p in made):
        rest += made
    else:
        given += made
    every = [p.with_changes(comma=COMMA) for p in (*given, *rest)]
    every[-1] = every[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    given, rest = every[:len(given)], every[len(given):]
    star = cst.ParamStar() if rest else cst.MaybeSentinel.DEFAULT
    return params.with_changes(params=given, kwonly_params=rest, star_kwarg=None, star_arg=star)


class _Named(cst.CSTTransformer):
    def __init__(self, f: Function, names: list[str]):
        super().__init__()
        self.f, self.names = f, names

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        args: list[cst.Arg] = []
        for arg in updated_node.args:
            if not arg.star or code(arg.value) not in (self.f.star, self.f.kwstar):
                args.append(arg)
            elif arg.star == "**":
                args += [cst.Arg(cst.Name(n), keyword=cst.Name(n), equal=TIGHT, comma=COMMA) for n in self.names]
        if len(args) == len(updated_node.args) and all(a is b for a, b in zip(args, updated_node.args, strict=True)):
            return updated_node
        last = updated_node.args[-1]
        if args:
            args[:-1] = [a if isinstance(a.comma, cst.Comma) else a.with_changes(comma=COMMA) for a in args[:-1]]
            args[-1] = args[-1].with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
        return updated_node.with_changes(args=args)


# ---------------------------------------------------------------- what callers pass
def receive(function: Function, node: cst.Call | None, args: list[Fact], site: Any, caller: Function | None) -> bool:
    """Note what a call passes beyond the parameters that have names; True if that is news."""
    news, at = False, 0
    names = function.arguments
    for arg, fact in zip(node.args if node is not None else (), args, strict=False):
        if arg.star == "**" and _hands_on(caller, arg.value):
            assert caller is not None
            news |= caller.words_hidden and _hide_words(function)
            for name, value in caller.extra.items():
                news |= name not in names and _extra(function, name, value, site)
        elif arg.star == "**":
            news |= _from_mapping(function, fact, site)
        elif arg.star == "*" and isinstance(fact.payload, Items) and not fact.payload.open:
            at += len(fact.payload.elements)
            news |= at > len(names) and _hide(function)
        elif arg.star == "*" or (arg.keyword is None and at >= len(names)):
            news |= bool(function.star) and _hide(function)
        elif arg.keyword is None:
            at += 1
        elif arg.keyword.value not in names:
            news |= _extra(function, arg.keyword.value, fact, site)
    return news


def _hands_on(caller: Function | None, value: cst.BaseExpression) -> bool:
    """Are these the `**kwargs` of a module's constructor, which passes on what its own callers pass?"""
    return caller is not None and caller.owner is not None and caller.owner.is_module and (
        caller.name == "__init__" and code(value) == caller.kwstar)


def _hide(function: Function) -> bool:
    news, function.extra_hidden = not function.extra_hidden, True
    return news


def _hide_words(function: Function) -> bool:
    news, function.words_hidden = not function.words_hidden, True
    return _hide(function) or news


def _extra(function: Function, name: str, fact: Fact, site: Any) -> bool:
    if fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED:
        return _hide_words(function)
    old = function.extra.get(name)
    given = fact.but(payload=None) if fact.kind is Kind.TENSOR else fact
    new = function.extra[name] = put(function.places.setdefault(name, Places()), site, given)
    return not same(old, new)


def _from_mapping(function: Function, fact: Fact, site: Any) -> bool:
    if not isinstance(fact.payload, Mapping):
        return _hide_words(function)
    news = fact.payload.any is not None and _hide_words(function)
    for name, value in fact.payload.values.items():
        news |= name not in function.arguments and _extra(function, name, value, site)
    return news
