"""Loops over layers that are known one by one: what leaves them, turn by turn.

The facts of the statements inside hold for any turn; a list of models that are applied one after the other
(`for down in downs: x = down(x)`) says besides how wide the result of the last one is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.scopes import Env
from port.tf2torch.infer.assignments import assign
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Function, Grown, Items, LayerCall
from port.tree import find

LONGEST = 64


@dataclass(frozen=True)
class Turns:
    """What variables hold after all turns, and what each layer gets."""

    names: dict[str, Fact]
    arrivals: list[tuple[LayerCall, Fact]]


def followed(it: Interp, node: cst.For, env: Env) -> Turns:
    """Turn by turn; nothing where the turns are not known, or where one makes layers."""
    turns = _turns(it, node.iter)
    if turns is None or len(turns) > LONGEST or not any(map(_layers, turns)) or not _straight(node.body):
        return Turns({}, [])
    inside = env.copy()
    copies: list[Items] = []
    for name, fact in list(inside.names.items()):
        if isinstance(fact.payload, Items):
            copies.append(replace(fact.payload, elements=list(fact.payload.elements)))
            inside.names[name] = fact.but(payload=copies[-1])
    certain = [held for held in copies if held.whole]
    saved = (it.before.saved(), it.after.saved())
    it.depth += 1
    for turn in turns:
        assign(it, node.target, turn, inside, node)
        it.run(node.body.body, inside)
    it.depth -= 1
    for items in certain:
        items.written = len(items.elements)
    it.before.restore(saved[0])
    it.after.restore(saved[1])
    if any(_makes(it, n) for n in find(node.body, cst.Call)):
        return Turns({}, [])
    held = [f.payload for t in turns for f in (t.payload.elements if isinstance(t.payload, Items) else [t])]
    return Turns(inside.names, [(p, p.inputs[-1]) for p in held if isinstance(p, LayerCall) and p.inputs])


def _straight(body: cst.BaseSuite) -> bool:
    """Does every turn run all lines of the body?"""
    return all(isinstance(s, cst.SimpleStatementLine) and not any(
        isinstance(small, cst.Break | cst.Continue | cst.Return) for small in s.body) for s in body.body)


def _turns(it: Interp, node: cst.BaseExpression) -> list[Fact] | None:
    """What each turn gets, where that is known."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.args:
        parts = [_turns(it, a.value) for a in node.args]
        name, first = node.func.value, parts[0]
        if name == "zip" and None not in parts:
            return [Fact(Kind.PLAIN, payload=Items(list(p), "tuple")) for p in zip(*parts, strict=False)]  # type: ignore
        if name == "enumerate" and len(parts) == 1 and first is not None:
            return [Fact(Kind.PLAIN, payload=Items([it.value(i), p], "tuple")) for i, p in enumerate(first)]
        if name == "reversed" and first is not None:
            return first[::-1]
    fact = it.facts.get(node, UNKNOWN)
    return None if isinstance(fact.payload, Items) and not fact.payload.whole else it.unpack(fact)


def _layers(turn: Fact) -> bool:
    if isinstance(turn.payload, Items):
        return any(map(_layers, turn.payload.elements))
    return turn.kind in (Kind.LAYER, Kind.MODEL)


def _makes(it: Interp, node: cst.Call) -> bool:
    """Does this call make weights, whose sizes `__init__` follows from turn to turn?"""
    layer = it.layers.get(node)
    if layer is not None:
        return layer.row is None or bool(layer.row.weights)
    payload = it.applications[node][0].payload if node in it.applications else it.facts.get(node, UNKNOWN).payload
    return not isinstance(payload, LayerCall) and isinstance(payload, Function) and payload.stateful


def told(known: Turns, env: Env, names: set[str]) -> None:
    """Put what is known turn by turn in place of what holds for any number of turns."""
    for layer, fact in known.arrivals:
        if layer.inputs[-1].layout is fact.layout:
            layer.inputs.append(fact)
    for name in names & known.names.keys() & env.names.keys():
        fact, exact = env.names[name], known.names[name]
        alike = (fact.rank, fact.layout) == (exact.rank, exact.layout)
        if fact.kind is Kind.TENSOR and exact.kind is Kind.TENSOR and alike:
            env.names[name] = fact.but(shape=exact.shape, last=exact.last)
        elif isinstance(fact.payload, Grown) and isinstance(exact.payload, Items) and exact.payload.elements and all(
                e.kind is Kind.TENSOR and (e.rank, e.layout) == (fact.payload.element.rank, fact.payload.element.layout)
                for e in exact.payload.elements):
            env.names[name] = exact
