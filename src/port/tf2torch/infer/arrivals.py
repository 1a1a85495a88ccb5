"""What calls bring to the parameters of a function."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.binding import literal_text
from port.facts import Fact, Kind, Layout
from port.tf2torch.infer import object_masks
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.origins import as_source, want_flipped
from port.tf2torch.infer.values import OPEN, Alternatives, Class, Function, ShapeOf, has_tensor
from port.tree import code


# ---------------------------------------------------------------- calls of functions
def bind_args(function: Function, node: cst.Call | None, args: list[Fact]) -> dict[str, tuple[Fact, Any]] | None:
    """Parameter to (fact, expression); None if stars hide what goes where (then keywords only)."""
    names = function.params[1:] if function.owner is not None and function.params[:1] == ["self"] else function.params
    found: dict[str, tuple[Fact, Any]] = {}
    if node is None or len(node.args) != len(args):  # the call of a wrapper, which passes on the first ones
        return {n: (f, None) for n, f in zip(names, args, strict=False)}
    at = 0
    for arg, fact in zip(node.args, args, strict=True):
        if arg.star:
            continue
        if arg.keyword is not None:
            found[arg.keyword.value] = (fact, arg.value)
        elif at < len(names):
            found[names[at]] = (fact, arg.value)
            at += 1
    return found


def receive(it: Interp, function: Function, bound: dict[str, tuple[Fact, Any]], starred: bool) -> bool:
    """Join what arrives; True if the analysis must run again."""
    changed = False
    usual = {} if starred else {name: it.ev(default, function.env) for name, default in function.defaults.items()
                                if name not in bound}
    _remember_binding(function, bound, usual)
    for name, (fact, _) in bound.items():
        if it.plain_axes(function):
            fact = as_source(fact)
        if fact.kind is Kind.TENSOR or (has_tensor(fact) and fact.kind is Kind.PLAIN):
            changed |= _receive_tensor(function, name, fact)
        elif isinstance(fact.payload, Function | Class | Alternatives):
            options = fact.payload.functions if isinstance(fact.payload, Alternatives) else [fact]
            known = function.callables.setdefault(name, [])
            for option in options:
                if all(option.payload is not k.payload for k in known):
                    known.append(option)
                    changed = True
        elif fact.kind in (Kind.LAYER, Kind.MODEL):
            function.layers.add(name)
        elif fact.literal(...) is None:
            changed |= _optional(function, name)
        changed |= _receive_shape(function, name, fact)
        values = function.reaching.setdefault(name, set())
        values |= _reaching(it, fact)
        changed |= bool(it.open) and _loosened(it, function, name, fact)
    for name in function.params:
        if name not in bound:
            values = function.reaching.setdefault(name, set())
            if starred:
                values.add(OPEN)
            elif name in usual:
                reaching = _reaching(it, usual[name])
                values |= reaching
                changed |= None in reaching and _optional(function, name)
    return changed


def _receive_shape(function: Function, name: str, fact: Fact) -> bool:
    """Is it a shape that arrives, as at all calls? True if that is new."""
    form = fact.payload.form if isinstance(fact.payload, ShapeOf) else ""
    known = function.shapes.get(name)
    function.shapes[name] = form if known in (None, form) else ""
    return bool(form or known) and known != function.shapes[name]


def _loosened(it: Interp, function: Function, name: str, fact: Fact) -> bool:
    """What is not known may have other axes than what other calls bring; True if that is new."""
    if fact.kind in (Kind.UNKNOWN, Kind.PLAIN) and fact.payload is None and fact.values is None:
        it.loose.add((function, name))
    known = function.tensors.get(name) if (function, name) in it.loose else None
    if known is None:
        return False
    if known.kind is not Kind.TENSOR:
        del function.tensors[name]
        return False
    if known.shape is None:
        return False
    function.tensors[name] = known.but(shape=None, dtype="!")
    return True


def _optional(function: Function, name: str) -> bool:
    """None arrives where a tensor may; True if that is new."""
    known = function.tensors.get(name)
    if known is None or known.symbol == "?":
        return False
    function.tensors[name] = known.but(symbol="?")
    return True


def _remember_binding(function: Function, bound: dict[str, tuple[Fact, Any]], usual: dict[str, Fact]) -> None:
    binding: dict[str, Any] = {}
    for name in function.params:
        if name in bound:
            binding[name] = bound[name][0].literal(...)
        else:
            binding[name] = usual[name].literal(...) if name in usual else ...
    if binding not in function.bindings:
        function.bindings.append(binding)


def _reaching(it: Interp, fact: Fact) -> set[Any]:
    if fact.values is not None:
        return set(fact.values)
    name = fact.symbol[1:] if fact.symbol.startswith("=") else ""
    for function in reversed(it.current):
        if name in function.params:
            return {Ref(function, name)}
    return {OPEN}


@dataclass(frozen=True)
class Ref:
    """A parameter passed on: whatever reaches it."""

    function: Any
    name: str


def reached(function: Function, name: str, seen: frozenset[Any] = frozenset()) -> set[Any]:
    """Literals that reach a parameter through the calls of this file; its default if there are none."""
    found: set[Any] = set()
    if (function, name) in seen:
        return found
    for value in function.reaching.get(name, set()):
        if isinstance(value, Ref):
            found |= reached(value.function, value.name, seen | {(function, name)})
        elif value is not OPEN:
            found.add(value)
    default = function.defaults.get(name)
    if default is not None:
        with suppress(LookupError):
            found.add(literal_text(code(default)))
    return found


def giver(it: Interp, function: Function, name: str) -> Function:
    """The function that has this name: this one, or the one around it whose parameter it is."""
    if name in function.params or name in function.assigned:
        return function
    around = (f for f in it.functions.values() if f.inner is function)
    return next((f for f in around if name in f.params and name not in f.assigned), function)


def is_open(function: Function, name: str, seen: frozenset[Any] = frozenset()) -> bool:
    """Does a call of the project give it what no fact follows?"""
    if (function, name) in seen:
        return False
    return any(v is OPEN or (isinstance(v, Ref) and is_open(v.function, v.name, seen | {(function, name)}))
               for v in function.reaching.get(name, ()))


def _receive_tensor(function: Function, name: str, fact: Fact) -> bool:
    old = function.tensors.get(name)
    fact = object_masks.inside(function, name, fact)
    new = fact.but(payload=None) if fact.kind is Kind.TENSOR else fact
    if old is None:
        if fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED:
            function.flipped.add(name)
        maybe = fact.symbol == "?" or None in function.reaching.get(name, set())
        function.tensors[name] = new.but(symbol="?" if maybe else "")
        return True
    changed = fact.symbol == "?" and _optional(function, name)
    old = function.tensors[name]
    if fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED and name not in function.flipped and old.dtype != "!":
        function.flipped.add(name)
        changed = True
    if fact.kind is not Kind.TENSOR and old.kind is Kind.TENSOR and old.shape is None and old.dtype is None and (
            name not in function.flipped):  # that was all that its use told
        function.tensors[name] = new.but(symbol=old.symbol)
        return True
    if fact.kind is Kind.TENSOR and old.kind is Kind.TENSOR:
        if old.shape is None and fact.shape is not None and old.dtype != "!":
            function.tensors[name] = new.but(symbol=old.symbol)
            changed = True
        elif old.shape is not None and fact.shape is not None and old.rank != fact.rank:
            function.tensors[name] = old.but(shape=None, dtype="!")
            function.flipped.discard(name)  # no one order of axes fits all: callers bring the source's
            changed = True
        elif old.shape != fact.shape and old.shape is not None and fact.shape is not None:
            joined = tuple(a if a == b else None for a, b in zip(old.shape, fact.shape, strict=True))
            function.tensors[name] = old.but(shape=joined)
        if fact.mask is not None and function.tensors[name].mask is None:
            function.tensors[name] = function.tensors[name].but(mask=fact.mask)
            changed = True
    return changed


def want_flips(it: Interp, function: Function, bound: dict[str, tuple[Fact, Any]]) -> None:
    for name, (fact, _) in {} if it.plain_axes(function) else bound.items():
        if name in function.flipped and fact.kind is Kind.TENSOR and (fact.rank is None or fact.rank >= 3):
            want_flipped(it, (fact,))
