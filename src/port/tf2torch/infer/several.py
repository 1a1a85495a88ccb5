"""An attribute that holds one of several layers, by a setting: all of them are applied where it is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from port.facts import Dim, Fact, Kind
from port.tf2torch.infer.choices import joined
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.rowcalls import FLIPS
from port.tf2torch.infer.values import EITHER, Function, LayerCall, line_of
from port.tree import find, memo

LAMBDA = "keras.layers.Lambda"
CALLED = (Kind.LAYER, Kind.FUNCTION, Kind.MODEL)


def held(layer: LayerCall) -> list[LayerCall]:
    """The layer, and all that the same attribute holds by another setting."""
    found = [layer]
    for one in found:
        found += [o for o in one.others if all(o is not known for known in found)]
    return found


def gives_input(layer: LayerCall) -> bool:
    """`Identity()`, `Lambda(lambda x: x)`: may stand beside layers that are modules, whatever their layout."""
    if layer.symbol == "keras.layers.Identity":
        return True
    function = layer.bound.get("function") if layer.symbol == LAMBDA else None
    if not isinstance(function, cst.Lambda) or len(function.params.params) != 1:
        return False
    return isinstance(function.body, cst.Name) and function.body.value == function.params.params[0].name.value


def either(old: Fact | None, new: Fact) -> Fact | None:
    """What an attribute is that one line makes a layer or function, and another one another; None: not of this kind."""
    if old is None or old.kind not in CALLED or new.kind not in CALLED or old.payload is new.payload is not None:
        return None
    layers = [_as_layer(f) for f in (old, new)]
    if None not in layers and LayerCall in (type(old.payload), type(new.payload)):
        one, other = layers
        if not any(_same(other, o) for o in one.others):
            one.others.append(other)
            other.others.append(one)
        return new if isinstance(new.payload, LayerCall) else old
    same = (old.symbol, old.payload) == (new.symbol, new.payload) or _made_by(old) is _made_by(new) is not None
    if same or old.kind is new.kind is Kind.MODEL:  # a model that is wrapped is no longer what it was
        return None
    return joined(old, new) or Fact(Kind.FUNCTION, symbol=EITHER + "it")


def chosen(a: Fact, b: Fact) -> Fact | None:
    """`Conv2D(4, 3) if wide else None`, or one of two layers; None if nothing here takes images channels first."""
    if None in (a.literal(...), b.literal(...)):
        layer = a if b.literal(...) is None else b
        return layer if layer.kind in (Kind.LAYER, Kind.MODEL) else None
    if Kind.LAYER not in (a.kind, b.kind):
        return None
    found = joined(a, b) or either(a, b)
    if found is None and any(_takes_first(f) for f in (a, b)):
        return Fact(Kind.FUNCTION, symbol=EITHER + "it")
    return found


def _takes_first(fact: Fact) -> bool:
    row = fact.payload.row if isinstance(fact.payload, LayerCall) else None
    return row is not None and row.layout == FLIPS


def may_be_none(it: Interp, node: cst.BaseExpression) -> bool:
    """Is this, which may be a layer, None by a setting? Of `self.norm` the lines of its class tell."""
    cls = it.current[-1].owner if it.current else None
    if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Name) or node.value.value != "self":
        return True
    return cls is not None and any(node.attr.value in _without(c.node) for c in line_of(cls))


@memo
def _without(node: cst.ClassDef) -> frozenset[str]:
    """Attributes that a line of the class gives anything but what a call makes: None perhaps."""
    lines = [line for line in find(node, cst.Assign) if not isinstance(line.value, cst.Call)]
    return frozenset(t.target.attr.value for line in lines for t in line.targets if isinstance(t.target, cst.Attribute))


def _as_layer(fact: Fact) -> Any:
    """The layer, or a lambda as the layer of it."""
    if isinstance(fact.payload, Function) and isinstance(fact.payload.node, cst.Lambda):
        function = fact.payload.node
        return LayerCall(cst.Call(cst.Name("Lambda"), [cst.Arg(function)]), LAMBDA, None, {"function": function})
    return fact.payload if isinstance(fact.payload, LayerCall) else None


def _same(a: LayerCall, b: LayerCall) -> bool:
    return a is b or (a.symbol == b.symbol == LAMBDA and a.bound.get("function") is b.bound.get("function"))


def _made_by(fact: Fact) -> cst.CSTNode | None:
    return getattr(fact.payload, "node", None)


def applied(it: Interp, callee: Fact, one: Callable[[Fact], Fact]) -> Fact:
    """What the layers give that may be held here."""
    layers = held(callee.payload)
    main = next((x for x in layers if not gives_input(x)), callee.payload)
    return any_of([callee.but(payload=x) for x in (main, *(x for x in layers if x is not main))], one)


def any_of(layers: Sequence[Fact], one: Callable[[Fact], Fact]) -> Fact:
    """What any of several layers gives: of their sizes, those that are alike."""
    others = [one(x) for x in layers[1:]]
    result = one(layers[0])
    for other in others:
        if other.kind is Kind.TENSOR and result.kind is Kind.TENSOR:
            width = result.width if result.width == other.width else None
            result = result.but(shape=_common(result, other), last=width)
    return result


def _common(a: Fact, b: Fact) -> tuple[Dim, ...] | None:
    if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
        return None
    return tuple(x if x == y else None for x, y in zip(a.shape, b.shape, strict=True))
