"""`torch.zeros(n, **dd)`, where this file says what `dd` holds: a call with its arguments written out.

`torch.linspace(*domain, n)` likewise, and `arange(n)` where `arange = partial(torch.arange, device=device)`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.build import COMMA, TIGHT, build
from port.facts import Fact
from port.torch2tf import keywords
from port.torch2tf.binds import PLACES
from port.torch2tf.devices import occurrences
from port.torch2tf.values import Function, Items, Mapping, Partial, options
from port.tree import code, find, memo, walk

if TYPE_CHECKING:
    from port.scopes import Env
    from port.torch2tf.interp import Interp

WORDS = (*PLACES, "dtype")  # settings that stand for themselves wherever they are written
SIMPLE = (cst.Name, cst.Attribute, cst.Integer, cst.Float, cst.SimpleString, cst.UnaryOperation, cst.Tuple)


def written_out(it: Interp, node: cst.Call) -> cst.Call:
    """The call with `device=..., dtype=...` for a `**` argument; the call itself if that is not known."""
    named = keywords.written_out(it, node)
    if named is not None:
        return named
    at = next((i for i, a in enumerate(node.args) if a.star == "**"), None)
    display = None if at is None else _display(it, node.args[at].value)
    if at is None or display is None:
        return node if at is None else _without(it, node, at)
    given = node.args[at].value
    words = {}
    for name, element in display.items():
        there = name == "device"  # whatever it is: it is left out
        value = element if there else _here(it, element, given) if name in WORDS or _is_simple(element) else None
        if value is None:
            return _without(it, node, at)
        words[name] = value
    made = [cst.Arg(v, keyword=cst.Name(str(k)), equal=TIGHT, comma=COMMA) for k, v in words.items()]
    if made:
        made[-1] = made[-1].with_changes(comma=node.args[at].comma)
    new = it.objects.setdefault(("spread", node), node.with_changes(args=[*node.args[:at], *made, *node.args[at + 1:]]))
    return new


def opened(it: Interp, original: cst.Call, node: cst.Call, env: Env) -> cst.Call:
    """The call with `domain[0], domain[1]` for `*domain`, of what takes no more arguments than it names."""
    taken = [signature for row in it.rows.get(it.receivers[node].symbol, ()) for signature in row.torch]
    stars = [a for a in node.args if a.star == "*"]
    held = [it.fact(a.value).payload for a in stars]
    if not stars or not taken or any(p.star for signature in taken for p in signature.params) or not all(
            isinstance(a.value, cst.Name | cst.Attribute) and isinstance(items, Items) and not items.open
            and not items.forms and items.kind != "modules" for a, items in zip(stars, held, strict=True)):
        return node
    if ("opened", original) not in it.objects:
        args: list[cst.Arg] = []
        for arg in node.args:
            count = len(held[stars.index(arg)].elements) if arg.star == "*" else 0
            parts = [cst.Arg(build(f"{{x}}[{i}]", x=arg.value), comma=COMMA) for i in range(count)]
            args += parts if arg.star == "*" else [arg]
        if args:
            args[-1] = args[-1].with_changes(comma=node.args[-1].comma)
        it.objects["opened", original] = it.objects["spread", original] = node.with_changes(args=args)
    known: cst.Call = it.objects["opened", original]
    for arg in known.args:
        if arg not in node.args:
            it.ev(arg.value, env)
    return known


def _without(it: Interp, node: cst.Call, at: int) -> cst.Call:
    """`nn.Linear(n, m, **dd)` where `dd` holds devices and dtypes alone: Keras' layers take neither."""
    symbol = it.receivers[node].symbol
    if not symbol.startswith("torch.nn.") or not symbol.rpartition(".")[2][:1].isupper() or not _places_alone(
            it.fact(node.args[at].value).payload):
        return node
    kept = [*node.args[:at], *node.args[at + 1:]]
    if kept:
        kept[-1] = kept[-1].with_changes(comma=node.args[-1].comma)
    return it.objects.setdefault(("spread", node), node.with_changes(args=kept))  # type: ignore[no-any-return]


def without_places(it: Interp, node: cst.Call, callee: Fact) -> cst.Call:
    """`norm(dim, **dd)` of a variable that may hold a layer of the framework: Keras' take no devices there."""
    held = [inner for o in options(callee) for inner in (
        options(o.payload.function) if isinstance(o.payload, Partial) else (o,))]
    if not any(o.payload is None and o.symbol.startswith("torch.nn.") for o in held):
        return node
    kept = [a for a in node.args if a.star != "**" or not _places_alone(it.fact(a.value).payload)]
    if len(kept) == len(node.args):
        return node
    if kept:
        kept[-1] = kept[-1].with_changes(comma=node.args[-1].comma)
    return node.with_changes(args=kept)


def _places_alone(payload: object) -> bool:
    return isinstance(payload, Mapping) and payload.kind == "dict" and payload.any is None and bool(
        payload.values) and payload.values.keys() <= {"device", "dtype"}


def _display(it: Interp, given: cst.BaseExpression) -> dict[str, cst.BaseExpression] | None:
    """What makes the dict, `{"device": x.device, "dtype": x.dtype}` or `dict(device=x.device)`: its keys and values."""
    payload = it.fact(given).payload
    if not isinstance(payload, Mapping) or payload.kind != "dict" or payload.any is not None:
        return None
    nodes = [n for n, held in it.objects.items() if held is payload and isinstance(n, cst.Dict | cst.Call)]
    shown = _shown(nodes[0]) if len(nodes) == 1 else None
    if shown is None or shown.keys() != payload.values.keys():  # something was put into it since
        return None
    return shown


def _shown(node: cst.CSTNode) -> dict[str, cst.BaseExpression] | None:
    """The keys and values of a display; None if not all keys are words."""
    found: dict[str, cst.BaseExpression] = {}
    if isinstance(node, cst.Call):
        if code(node.func) != "dict" or any(a.keyword is None for a in node.args):
            return None
        return {a.keyword.value: a.value for a in node.args if a.keyword is not None}
    for element in node.elements if isinstance(node, cst.Dict) else ():
        key = element.key if isinstance(element, cst.DictElement) else None
        if not isinstance(key, cst.SimpleString) or not str(key.evaluated_value).isidentifier():
            return None
        found[str(key.evaluated_value)] = element.value
    return found


def _is_simple(value: cst.BaseExpression) -> bool:
    """An expression that may be written more than once."""
    return all(isinstance(n, SIMPLE) or not isinstance(n, cst.BaseExpression) for n in walk(value))


def _here(it: Interp, value: cst.BaseExpression, given: cst.BaseExpression) -> cst.BaseExpression | None:
    """A value of the dict as an expression for the place of the call; None if it may be another one there."""
    function = it.current[-1] if it.current else None
    if isinstance(given, cst.Name):
        names = {n.value for n in walk(value) if isinstance(n, cst.Name)} | {given.value}
        if function is None or not any(n is value for n in walk(function.node)) or _named(function, given.value) != (
                1 + _spread(function, given.value)):
            return None
        bound = bindings(function.node)
        return value if all(bound[n] <= 1 for n in names) else None
    maker = it.receivers.get(given)
    if not isinstance(given, cst.Call) or maker is None or not isinstance(maker.payload, Function):
        return None
    return _of_maker(it, value, given, maker.payload)


def _named(function: Function, name: str) -> int:
    """How often a variable is named."""
    return occurrences(function.node.body, name)


def _spread(function: Function, name: str) -> int:
    """How often it stands behind `**`."""
    return sum(a.star == "**" and code(a.value) == name for n in find(function.node, cst.Call)
               for a in n.args)


def _of_maker(it: Interp, value: cst.BaseExpression, given: cst.Call, maker: Function) -> cst.BaseExpression | None:
    """What `def to(t): return {"device": t.device, "dtype": t.dtype}` gives, the argument in its parameter's place."""
    plain = all(a.keyword is None and not a.star and isinstance(a.value, cst.Name) for a in given.args)
    if not plain or len(given.args) != len(maker.params) or maker.owner is not None or any(
            count > 1 for count in bindings(maker.node).values()):
        return None
    if not any(isinstance(n, cst.Return) and isinstance(n.value, cst.Dict) and any(
            e.value is value for e in n.value.elements) for n in walk(maker.node)):
        return None
    words = {p: a.value for p, a in zip(maker.params, given.args, strict=True)}
    if not {n.value for n in walk(value) if isinstance(n, cst.Name)} <= {*words, "dtype", "device"}:
        return None
    if all(code(a) == p for p, a in words.items()):
        return value
    new = it.objects.setdefault(("spread", value, given), _renamed(value, words))
    for old, made in zip(walk(value), walk(new), strict=True):
        it.note(made, it.fact(old))
    return new


def _renamed(node: cst.BaseExpression, words: dict[str, Any]) -> Any:
    new = node.deep_clone()
    if isinstance(new, cst.Attribute):
        return new.with_changes(value=_renamed(new.value, words))
    return words.get(new.value, new).deep_clone() if isinstance(new, cst.Name) else new


@memo
def bindings(node: cst.CSTNode) -> Counter[str]:
    """How often a function binds each name: as a parameter, or by any statement."""
    found: Counter[str] = Counter()
    for n in walk(node):
        kind = type(n)
        if kind is cst.Param:
            found[n.name.value] += 1  # type: ignore[attr-defined]
        elif kind in _BINDS:
            found.update(t.value for t in find(n.target, cst.Name))  # type: ignore[attr-defined]
        elif kind is cst.AsName:
            found.update(t.value for t in find(n.name, cst.Name))  # type: ignore[attr-defined]
    return found


_BINDS = (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.For, cst.CompFor, cst.NamedExpr)


def unread(it: Interp, function: Function | None, node: cst.Assign) -> bool:
    """Is this `dd = {"device": device, "dtype": dtype}`, of a variable that only stands behind `**`, written out?"""
    target = node.targets[0].target
    if function is None or len(node.targets) != 1 or not isinstance(target, cst.Name) or _shown(
            node.value) is None or bindings(function.node)[target.value] != 1:
        return False
    calls = [n for n in find(function.node, cst.Call) if ("spread", n) in it.objects]
    written = sum(a.star == "**" and code(a.value) == target.value for n in calls for a in n.args)
    return 0 < written == _named(function, target.value) - 1


# ---------------------------------------------------------------- partials of functions of the framework
def of_partial(it: Interp, function: Function | None, node: cst.Call) -> cst.Call | None:
    """`torch.arange(n, device=device)` for `arange(n)`, of a variable that is only called."""
    partial = it.fact(node.func).payload
    if function is None or not isinstance(node.func, cst.Name) or not isinstance(partial, Partial) or not _is_short(
            it, function, node.func.value, partial):
        return None
    known = it.objects.get(("partial", node, partial.node))
    if known is None:
        return None
    new = it.objects.setdefault(("written", node), known.with_changes(func=partial.node.args[0].value))
    it.receivers[new] = partial.function
    it.note(new, it.fact(node))
    return new  # type: ignore[no-any-return]


def short(it: Interp, function: Function | None, node: cst.Assign) -> bool:
    """Is this `arange = partial(torch.arange, device=device)`, of such a variable?"""
    target, held = node.targets[0].target, it.fact(node.value).payload
    return function is not None and len(node.targets) == 1 and isinstance(target, cst.Name) and isinstance(
        held, Partial) and held.node is node.value and _is_short(it, function, target.value, held)


def _is_short(it: Interp, function: Function, name: str, partial: Partial) -> bool:
    first = partial.function
    if first.payload is not None or not first.symbol.startswith("torch.") or first.symbol.rpartition(
            ".")[2][:1].isupper() or not any(n is partial.node for n in find(function.node, cst.Call)):
        return False
    bound = bindings(function.node)
    given = {n.value for a in partial.node.args[1:] for n in find(a.value, cst.Name)}
    calls = [n for n in find(function.node, cst.Call) if code(n.func) == name]
    return all(_is_simple(a.value) and not a.star for a in partial.node.args[1:]) and all(
        bound[n] <= 1 for n in (name, *given)) and all(("partial", n, partial.node) in it.objects for n in calls) and (
        0 < len(calls) == _named(function, name) - 1)
