"""Layers of a list that one line applies in turn: `for layer in self.stack: x = layer(x)`.

The line is written once, for the first of them. So all of them must be applied by the same words.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Fact, Kind, Layout
from port.tf2torch.calls.layers import TUPLES, first_input, plan
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.loops import FOLLOWED
from port.tf2torch.infer.values import (
    Class,
    Function,
    Instance,
    Items,
    LayerCall,
    SequentialModel,
    find_method,
    tensors_in,
)
from port.tree import code, find, memo, target_names

FULL = TUPLES - {"conv_lstm"}  # their adapters read the arguments of the call
_PLAIN = "layer_(x_)"
_OTHERWISE = ("keras.layers.Lambda", "keras.layers.Masking", "keras.layers.Embedding")


def mates(em: Emitter, function: Function | None, func: cst.BaseExpression) -> list[Any]:
    """All layers that `func`, a loop's variable or an element by a number that is not known, may be: their payloads."""
    return _payloads(_mates(em, function, func))


def _payloads(found: list[Fact]) -> list[Any]:
    return list({id(f.payload): f.payload for f in found if f.kind in (Kind.LAYER, Kind.MODEL)}.values())


def check_functions(em: Emitter, node: cst.Call) -> None:
    """The same of functions: `for act in (tf.nn.relu, tf.nn.tanh): x = act(x)` would be the first of them each time."""
    held = {(f.symbol, id(f.payload)): f for f in _mates(em, em.scope.function, node.func) if f.kind is Kind.FUNCTION}
    own = [f.payload for f in held.values() if isinstance(f.payload, Function) and f.payload not in em.classes]
    if len(held) > 1 and (len(own) < len(held) or len({frozenset(f.flipped) for f in own}) > 1):
        raise Refused("P206", f"`{code(node.func)}` is one of several functions: call each by itself", node)


def _mates(em: Emitter, function: Function | None, func: cst.BaseExpression) -> list[Fact]:
    if isinstance(func, cst.Subscript):
        held = em.fact(func.value).payload
        index = func.slice[0].slice if len(func.slice) == 1 else None
        known = isinstance(index, cst.Index) and em.fact(index.value).literal(...) is not ...
        return held.elements if isinstance(held, Items) and not known else []
    if not isinstance(func, cst.Name) or function is None:
        return []
    loops = [loop for loop, names in _loops(function.node) if func.value in names]
    return [f for loop in loops for f in _at(loop.target, func.value, _elements(em, loop.iter))]


@memo
def _loops(root: cst.CSTNode) -> list[tuple[Any, set[str]]]:
    """The loops and comprehensions below, each with its variables."""
    found: list[Any] = [*find(root, cst.For), *find(root, cst.CompFor)]
    return [(loop, target_names(loop.target)) for loop in found]


def _elements(em: Emitter, node: cst.BaseExpression) -> list[Any]:
    """What a loop gets: facts, or for zip and enumerate a list of such for each part."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value in FOLLOWED and node.args:
        parts = [_elements(em, a.value) for a in node.args]
        if node.func.value == "enumerate":
            return [[], parts[0]]
        return parts if node.func.value == "zip" else parts[0]
    held = em.fact(node).payload
    return list(held.elements) if isinstance(held, Items) else []


def _at(target: cst.BaseExpression, name: str, elements: list[Any]) -> list[Fact]:
    """The elements that the variable `name` of a loop's target gets."""
    if isinstance(target, cst.Name):
        return [e for e in elements if isinstance(e, Fact)] if target.value == name else []
    if not isinstance(target, cst.Tuple | cst.List):
        return []
    found: list[Fact] = []
    for i, part in enumerate(target.elements):
        inner = elements[i] if i < len(elements) and isinstance(elements[i], list) else [
            e.payload.elements[i] for e in elements if isinstance(e, Fact) and isinstance(e.payload, Items)
            and i < len(e.payload.elements)]
        found += _at(part.value, name, inner)
    return found


def stand(em: Emitter, cls: Class) -> None:
    """Let layers that one line applies in different ways, or as functions, be modules that stand for all they do."""
    for function in cls.methods.values():
        for node in find(function.node, cst.Call):
            held = mates(em, function, node.func) if node in em.it.applications and node.args else []
            layers = [p for p in held if isinstance(p, LayerCall)]
            if len(held) < 2 or not all(_may_stand(em, node, p) for p in layers):
                continue
            alike = len({_form(em, node, p) for p in held}) == 1
            em.standing |= {p for p in layers if not alike or not plan(em, p, first_input(p)).module}


def _may_stand(em: Emitter, node: cst.Call, layer: LayerCall) -> bool:
    """Do the axes stay what the facts of this line say, and is there nothing to hand over but the tensor?"""
    x, y = em.fact(node.args[0].value), em.fact(node)
    passing = [*tensors_in(first_input(layer)), *layer.outputs[-1:]]
    same = len({t.layout for t in (x, y, *passing)}) == 1 and len({t.rank for t in (x, y, *passing)} - {None}) < 2
    return same and layer.symbol not in _OTHERWISE and layer.row is not None and layer.row.via not in TUPLES


def check(em: Emitter, node: cst.Call) -> None:
    """Refuse a line that would have to read otherwise for another layer of the list than for the first."""
    found = _mates(em, em.scope.function, node.func)
    held = _payloads(found)
    if held and any(f.kind in (Kind.UNKNOWN, Kind.PLAIN) and f.literal(...) is not None for f in found):
        raise Refused("P204", f"what one of those is that `{code(node.func)}` may be is not known", node)
    if len(held) < 2 or not node.args:
        return
    forms = {_form(em, node, payload) for payload in held}
    if len(forms) > 1:
        raise Refused("P206", f"`{code(node.func)}` is one of several layers, which PyTorch applies in different ways: "
                      "apply each by itself, or put them into a Sequential", node)


def _form(em: Emitter, node: cst.Call, payload: Any) -> tuple[str, Layout]:
    """The words of the application, and the layout that it takes."""
    arrives = em.fact(node.args[0].value).layout
    if isinstance(payload, Instance):
        method = find_method(payload.cls, "call")
        first = [p for p in method.params if p != "self"][:1] if method is not None else []
        flipped = method is not None and bool(method.flipped & set(first))
        return _PLAIN, Layout.FLIPPED if flipped else _layout(em, node)
    if isinstance(payload, SequentialModel):
        return _PLAIN, Layout.FLIPPED if payload.node in em.inner_sequentials else _layout(em, node)
    if not isinstance(payload, LayerCall):
        return _PLAIN, _layout(em, node)
    if payload in em.standing:
        return _PLAIN, arrives
    if payload.symbol == "keras.layers.Lambda":
        return str(id(payload)), arrives
    made = plan(em, payload, first_input(payload))
    value: Any = cst.Arg(cst.Name("x_")) if made.job.row.via in FULL else cst.Name("x_")
    try:
        text = code(made.run(cst.Name("layer_") if made.module else None, [value], node))
    except Refused:
        return str(id(payload)), arrives
    return text, arrives if made.job.want is None else made.job.want


def _layout(em: Emitter, node: cst.Call) -> Layout:
    """Of one that takes axes as in the source: the same as any, where there are too few axes to turn."""
    fact = em.fact(node.args[0].value)
    return fact.layout if fact.rank is not None and fact.rank < 3 else Layout.PLAIN
