"""One symbolic analysis of a function, shared by all its calls: its parameters, and what it returns.

Sizes inside are written with the parameters' names; a call replaces them by what it passes (see `results`).
"""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from port.facts import LOST, UNKNOWN, Fact, Kind, Layout, Sym, tensor
from port.scopes import Env
from port.tf2torch.infer import joins, several
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import (
    Alternatives,
    Class,
    Function,
    Grown,
    Items,
    SelfValue,
    ShapeOf,
    common,
    has_tensor,
    is_helper,
    may_flip,
    tensors_in,
)
from port.tree import code, find, memo

LIMIT = 12  # analyses of one function before its facts are taken as they are


def analyze(it: Interp, function: Function) -> None:
    """Run the body with symbolic parameters until ranks and layouts no longer change."""
    function.busy = True
    depth, it.depth = it.depth, 0
    heads = _heads(function) if it.plain_axes(function) else frozenset()
    for _ in range(LIMIT):
        before = (len(it.flips), len(it.ranks), len(it.widths), len(function.tensors), set(function.flipped))
        env = Env(function.env)
        _parameters(it, function, env)
        function.returns = []
        function.reassigned.clear()
        it.current.append(function)
        body: Any = function.node.body
        with it.within(function.env):
            if isinstance(function.node, cst.Lambda):
                function.returns.append(it.ev(body, env))
            else:
                it.run(body.body, env)
        it.current.pop()
        function.flipped |= {n for owner, n in it.flips if owner is function and n in function.params} - heads
        if before == (len(it.flips), len(it.ranks), len(it.widths), len(function.tensors), function.flipped):
            break
    function.result = _join_returns(function)
    function.busy, it.depth = False, depth


def _heads(function: Function) -> frozenset[str]:
    """Parameters that it makes a functional model of, `keras.Model(inputs, x)`: a permute of such is no input of it."""
    calls = [c for c in find(function.node, cst.Call)
             if function.file.names.resolve(c.func) == "keras.Model" or code(c.func).endswith(").__init__")]
    return frozenset(n.value for c in calls for a in c.args for n in find(a.value, cst.Name)) & {*function.params}


def _parameters(it: Interp, function: Function, env: Env) -> None:
    function.mirrors.clear()
    several = len([n for n in function.params if n in function.tensors or (function, n) in it.ranks]) > 1
    for name in function.params:
        if function.owner is not None and name == "self":
            env.names[name] = function.self_fact or Fact(Kind.UNKNOWN, payload=SelfValue(function.owner))
            continue
        if name in it.known_params and function.owner is None:
            env.names[name] = it.known_params[name]
            continue
        known = function.tensors.get(name)
        rank = known.rank if known is not None else None
        rank = rank if rank is not None else it.ranks.get((function, name))
        if known is not None and known.kind is not Kind.TENSOR:
            env.names[name] = _container(function, name, known)
        elif known is not None or (function, name) in it.ranks:
            env.names[name] = tensor_param(it, function, name, rank, several, known)
        elif options := _callables(it, function, name):
            env.names[name] = Fact(Kind.FUNCTION, payload=Alternatives(options))
        elif form := function.shapes.get(name):
            env.names[name] = Fact(Kind.PLAIN if form == "list" else Kind.SHAPE, payload=ShapeOf(tensor(), "", form))
        else:
            function.reaching.setdefault(name, set())
            rank = documented_rank(function, name)
            env.names[name] = tensor((None,) * rank) if rank is not None else Fact(
                Kind.PLAIN, symbol="=" + name, dtype=_number_kind(function, name))
    if function.kwstar:
        env.names[function.kwstar] = Fact(Kind.PLAIN, symbol="=")
    if function.star:
        env.names[function.star] = Fact(Kind.PLAIN, symbol="=")


def _callables(it: Interp, function: Function, name: str) -> list[Fact]:
    """Functions and classes that reach a parameter, and what it is by default."""
    default = function.defaults.get(name)
    found = function.callables.get(name, [])
    if type(default) is not cst.Name and type(default) is not cst.Attribute:
        return found
    usual = it.ev(default, function.env)
    known = not isinstance(usual.payload, Function | Class) or any(usual.payload is f.payload for f in found)
    return found if known else [*found, usual]


_SHAPES = re.compile(r"((?:\w+, )*\w+): \((\w[^()]*,[^()]*)\)")


@memo
def _documented_shapes(node: cst.FunctionDef) -> list[tuple[str, str]]:
    return _SHAPES.findall(node.get_docstring() or "")


def documented_rank(function: Function, name: str) -> int | None:
    """The number of axes that the docstring of a plain function gives: `states: (batch, beam, features)`."""
    if not isinstance(function.node, cst.FunctionDef) or function.owner is not None or function.stateful:
        return None
    for names, axes in _documented_shapes(function.node):
        parts = [p.strip() for p in axes.split(",")]
        if name in names.split(", ") and all(re.fullmatch(r"[\w ]+", p) for p in parts):
            return len(parts)
    return None


def _number_kind(function: Function, name: str) -> str | None:
    """What a parameter's default or type hint says of it: see `conditions`."""
    if not isinstance(function.node, cst.FunctionDef):
        return None
    default = function.defaults.get(name)
    owner = function.owner is not None and function.name == "__init__" and bool(function.owner.root)
    while type(default) is cst.UnaryOperation:
        default = default.expression
    if type(default) in (cst.Integer, cst.Float):
        return ("int" if isinstance(default, cst.Integer) else "float") + ("" if owner else "?")
    for p in (*function.node.params.params, *function.node.params.kwonly_params):
        if p.name.value == name and p.annotation is not None:
            hint = p.annotation.annotation
            if isinstance(hint, cst.Name) and hint.value in ("int", "float"):
                return hint.value + "?"
    optional = type(default) is cst.Name and default.value == "None"
    return "setting" if owner and (default is None or optional) else None


def _container(function: Function, name: str, known: Fact) -> Fact:
    if not isinstance(known.payload, Items):
        return known
    elements = []
    channels = f"{name}_channels"
    while channels in function.taken:
        channels += "_"
    for i, e in enumerate(known.payload.elements):
        if e.kind is not Kind.TENSOR:
            elements.append(e)
            continue
        mirror = f"{channels}[{i}]"
        shape = None if e.shape is None else (*[None] * (len(e.shape) - 1), Sym(mirror))
        elements.append(e.but(shape=shape, payload=None))
    function.mirrors[channels] = (name, -2)
    return Fact(Kind.PLAIN, payload=Items(elements, known.payload.kind))


def tensor_param(it: Interp, function: Function, name: str, rank: int | None, several: bool,
                  known: Fact | None) -> Fact:
    layout = Layout.FLIPPED if name in function.flipped and (rank is None or rank >= 3) else Layout.PLAIN
    kind = "features" if rank == 2 or (rank in (None, 3) and layout is Layout.PLAIN) else "channels"
    prefix = f"{function.name}_" if is_helper(function) else ""  # its sizes are not those of `call`
    channels = f"{prefix}{name}_{kind}" if several or prefix else f"in_{kind}"
    taken = function.taken
    while channels in taken:
        channels = f"{name}_{kind}" if channels.startswith("in_") else channels + "_"
    fact = it.fresh_tensor(name, rank, channels, function, layout, prefix)
    if (width := it.widths.get((function, name))) is not None:
        fact = fact.but(last=width, shape=None if fact.shape is None else (*fact.shape[:-1], width))
    elif fact.shape is None:
        fact = fact.but(last=Sym(channels))
        function.mirrors[channels] = (name, -1)
    if fact.shape is not None and len(fact.shape) >= 2:
        dims = tuple(Sym(f"{d.text}_") if isinstance(d, Sym) and d.text in taken and d is not width else d
                     for d in fact.shape)
        fact = fact.but(shape=dims)
        for axis, dim in enumerate(dims):
            if isinstance(dim, Sym) and dim is not width:
                function.mirrors[dim.text] = (name, axis if axis < len(dims) - 1 else -1)  # known without a rank, too
    fact = fact.but(dtype=known.dtype if known is not None and known.dtype != "!" else None,
                    mask=known.mask if known is not None else None)
    return fact.but(symbol="?") if known is not None and known.symbol == "?" else fact


def _join_returns(function: Function) -> Fact:
    if not function.returns:
        return UNKNOWN
    result = function.returns[0]
    for other in function.returns[1:]:
        result = _join_two(result, other)
    return result


def _join_two(a: Fact, b: Fact) -> Fact:
    if a.kind is Kind.TENSOR and b.kind is Kind.TENSOR:
        if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
            return a.but(shape=None, payload=None, last=a.last if a.width == b.width else None)
        dims = tuple(x if x == y else LOST for x, y in zip(a.shape, b.shape, strict=True))
        layout = Layout.FLIPPED if Layout.FLIPPED in (a.layout, b.layout) else Layout.PLAIN
        return a.but(shape=dims, payload=None, layout=layout)
    if isinstance(a.payload, Items) and isinstance(b.payload, Items) and len(a.payload.elements) == len(
            b.payload.elements):
        parts = [_join_two(x, y) for x, y in zip(a.payload.elements, b.payload.elements, strict=True)]
        return Fact(Kind.PLAIN, payload=Items(parts, a.payload.kind))
    tensors = [*tensors_in(a), *tensors_in(b)]
    if has_tensor(a) and has_tensor(b) and any(map(may_flip, tensors)):
        if Kind.TENSOR in (a.kind, b.kind):
            return tensor(None, None, Layout.MIXED)
        return Fact(Kind.PLAIN, payload=Grown(common(tensors), "?"))
    if a.payload is not b.payload and (one := joins.alternatives(a, b) or several.either(a, b)) is not None:
        return one
    one, other = (a, b) if a.kind is not Kind.UNKNOWN else (b, a)
    if other.kind in (Kind.LAYER, Kind.MODEL) and one.literal(...) is None:
        one, other = other, one
    return one.but(symbol="?") if one.kind in (Kind.LAYER, Kind.MODEL) and other.literal(...) is None else one
