"""What is not known of a module or a tensor where channels are last in Keras: then no order of axes can be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.foreign import KNOWN
from port.torch2tf import alike, foreign, members, modshapes
from port.torch2tf.refused import Refused
from port.torch2tf.values import (
    Chain,
    Class,
    Function,
    Instance,
    Items,
    Layer,
    Mapping,
    SelfOf,
    is_none,
    options,
    tensors_in,
)
from port.tree import code


def check_callee(w: Any, node: cst.Call, callee: Fact) -> None:
    """Refuse to hand a channels-last tensor to what may be anything: a module that is passed in, an import."""
    of_library = callee.kind is Kind.FUNCTION and callee.payload is None
    known = callee.symbol.partition(".")[0] in KNOWN if of_library else (
        callee.kind is not Kind.UNKNOWN and not _left_to_others(w, callee))
    if not known and any(t.layout is Layout.FLIPPED for a in node.args for t in tensors_in(w.fact(a.value))):
        raise Refused("P204", f"what `{code(node.func)}` is is not known, and it is given a tensor that is channels "
                      "last in Keras: make it in this file, or keep such layers out of it", node)
    if callee.payload is None and _from_module(w, node.func):
        raise Refused("P204", f"what `{code(node.func)}` is is not known, and it may take channels last in Keras: name "
                      "the module", node)
    if not known and w.it.native and any(t.rank not in (0, 1, 2) for a in node.args for t in tensors_in(
            w.fact(a.value))):
        w.report("P103", f"what `{code(node.func)}` is is not known: it gets tensors in PyTorch's order of axes, and "
                 "must give such, also under --layout native", node)


def _from_module(w: Any, node: cst.BaseExpression) -> bool:
    """What a call finds in a module: `list(self.modules())[1]`, `getattr(self, name)`."""
    if isinstance(node, cst.Subscript | cst.Attribute):
        return _from_module(w, node.value)
    if not isinstance(node, cst.Call):
        return False
    given = [a.value for a in node.args] + ([node.func.value] if isinstance(node.func, cst.Attribute) else [])
    return any(_from_module(w, e) for e in (node.func, *given)) or any(
        isinstance(o.payload, SelfOf | Instance) and o.payload.cls.is_module for e in given for o in options(w.fact(e)))


def _left_to_others(w: Any, callee: Fact) -> bool:
    """Is it None here, in a class that nothing known makes? Whoever does may give it something to call."""
    made = w.cls is not None and (w.cls.makers or any(sub.makers for sub in w.cls.subclasses))
    return is_none(callee) and w.cls is not None and not made


def check_parameter(w: Any, node: cst.Call, passed: Sequence[Class | Function]) -> None:
    """Tell that what is passed in is taken for what is passed here, where that gets channels last."""
    first = passed[0]
    method = first if isinstance(first, Function) else members.find_method(first, "forward")
    here = w.function is not None and isinstance(node.func, cst.Name) and node.func.value in w.function.params
    if here and method is not None and any(map(method.is_flipped, method.arguments)):
        others = _functions(w, passed) if isinstance(first, Function) else _classes(w, node, passed)
        if others:
            w.report("P103", f"`{code(node.func)}` is taken for `{first.name}`, which gets tensors channels last; "
                     f"`{others[0].name}`, which nothing here {'calls' if method is first else 'makes'}, is not ported "
                     "for that", node)


def _functions(w: Any, passed: Sequence[Any]) -> list[Any]:
    """Functions that nothing calls and that take as much."""
    return [f for f in w.it.functions.values() if f.owner is None and isinstance(f.node, cst.FunctionDef)
            and f not in passed and f is not w.function and not f.callers and not f.received
            and len(f.params) == len(passed[0].params) and not alike.taken(w.it, f)]


def _classes(w: Any, node: cst.Call, passed: Sequence[Any]) -> list[Any]:
    """Modules that nothing makes and that take such arguments, but for those around this one."""
    made = {o.cls for o in w.it.objects.values() if isinstance(o, Instance)}
    around, todo = set[Class](), [] if w.function.owner is None else [w.function.owner]
    while todo:
        if (cls := todo.pop()) not in around:
            around.add(cls)
            todo += cls.makers
    return [c for c in w.it.classes.values() if c.is_module and not c.subclasses and c not in made | around
            and c not in passed and _takes(c, node)]


def _takes(cls: Class, node: cst.Call) -> bool:
    """Has its constructor such parameters?"""
    init = members.find_method(cls, "__init__")
    names = init.arguments if init is not None else []
    return all(a.keyword is None or a.keyword.value in names for a in node.args) and len(node.args) <= len(names)


def check_child(w: Any, chain: Chain, at: int, node: cst.CSTNode) -> None:
    """The same for a child of a Sequential."""
    foreign.check_child(chain, at, node)
    child = chain.children[at] if at < len(chain.children) else None
    if child is not None and child.kind is Kind.UNKNOWN and any(
            f.layout is Layout.FLIPPED for f in chain.arrivals.get(at, {}).values()):
        raise Refused("P204", "what one module of this Sequential is is not known, and it is given a tensor that is "
                      "channels last in Keras: make it in this file", node)


def check_input(w: Any, node: cst.Call, callee: Fact) -> None:
    """Refuse to hand something unknown to a module that takes channels last: it may have them first."""
    if not node.args or w.fact(node.args[0].value).kind is not Kind.UNKNOWN:
        return
    foreign.check_result(w.fact(node.args[0].value), node.args[0].value)
    if any(_takes_flipped(o.payload) for o in options(callee)):
        raise Refused("P204", f"what `{code(node.args[0].value)}` is is not known, and `{code(node.func)}` takes "
                      "channels last in Keras: neither is the order of its axes", node)


def check_container(w: Any, node: cst.Call, arg: cst.Arg, function: Any, name: str) -> None:
    """Refuse a list or dict whose tensors are channels last where the function takes them otherwise, or the reverse.

    Nothing can be put around them, as around a tensor.
    """
    given, taken = w.fact(arg.value), function.held.get(name)
    if isinstance(given.payload, Items | Mapping) and not (
            _in_first_order(given) if taken is None else _same_order(given, taken)):
        raise Refused("P209", f"some tensors in `{code(arg.value)}` are channels last in Keras, and others that "
                      f"`{function.name}` gets there are not, or what they are is not known", node)


def another_order(given: Fact, taken: Fact, function: Any) -> bool:
    """Has what the function is given, as it is, another order of axes than what it takes?"""
    if given.kind is Kind.TENSOR and taken.kind is Kind.TENSOR:
        last = given.layout is not Layout.PLAIN and given.rank not in (0, 1, 2)
        return last is not (function.chooses and taken.layout is Layout.FLIPPED) and given.rank not in (0, 1, 2)
    if isinstance(given.payload, Items | Mapping):
        return not _same_order(given, taken) and not (_in_first_order(given) and _in_first_order(taken))
    return False


def check_append(w: Any, node: cst.Call, owner: Fact) -> None:
    """Refuse to put a channels-last tensor into a list of which that is not known."""
    items = owner.payload
    given = w.fact(node.args[0].value) if len(node.args) == 1 else owner
    if isinstance(items, Items) and node in items.sites and not _in_first_order(given) and not _same_order(
            given, items.elements[items.sites[node]]):
        raise Refused("P209", f"`{code(node.args[0].value)}` is channels last in Keras, others in this list are not, "
                      "or what they are is not known", node)


def _same_order(given: Fact, taken: Fact) -> bool:
    a, b = given.payload, taken.payload
    if isinstance(a, Items) and isinstance(b, Items) and len(a.elements) == len(b.elements):
        return all(map(_same_order, a.elements, b.elements))
    if isinstance(a, Mapping) and isinstance(b, Mapping) and a.values.keys() == b.values.keys() and (
            a.any is None) is (b.any is None):
        rest = a.any is None or b.any is None or _same_order(a.any, b.any)
        return rest and all(_same_order(a.values[k], b.values[k]) for k in a.values)
    if isinstance(a, Items | Mapping) or isinstance(b, Items | Mapping):
        held = [t.layout is Layout.FLIPPED for f in (given, taken) for t in _within(f)]
        return all(held) or not any(held)
    return (given.kind is taken.kind is Kind.TENSOR and given.layout is taken.layout) or (
        _in_first_order(given) and _in_first_order(taken))


def _in_first_order(fact: Fact) -> bool:
    return all(t.layout is not Layout.FLIPPED for t in tensors_in(fact))


def _within(fact: Fact) -> list[Fact]:
    """Tensors, and what may be some."""
    payload = fact.payload
    held = payload.elements if isinstance(payload, Items) else payload.every if isinstance(payload, Mapping) else None
    if held is None:
        return [fact] if fact.kind in (Kind.TENSOR, Kind.UNKNOWN) else []
    return [t for e in held for t in _within(e)]


def _takes_flipped(payload: Any) -> bool:
    if isinstance(payload, Layer):
        return modshapes.wish(payload.symbol) is True
    return isinstance(payload, Chain) and bool(payload.inputs) and payload.inputs[0].layout is Layout.FLIPPED
