"""Functions that act element by element: the order of the axes is nothing to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.table import Row
from port.tf2torch.infer.arrivals import is_open, reached
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Function
from port.tree import walk

_LOOKS = (cst.Subscript, cst.Attribute, cst.For, cst.While, cst.FunctionDef, cst.ListComp, cst.List, cst.MatrixMultiply)


def is_activation(it: Interp, fact: Fact) -> bool:
    """A function of the framework that acts element by element; or `lambda x: x`."""
    inner = fact.payload.node if isinstance(fact.payload, Function) else None
    if isinstance(inner, cst.Lambda):
        return isinstance(inner.body, cst.Name) and [inner.body.value] == fact.payload.params
    rows = it.rows.get(fact.symbol) or () if fact.kind is Kind.FUNCTION and fact.payload is None else ()
    return _by_element(rows, ("same",))


def acts_by_element(it: Interp, function: Function, seen: tuple[Function, ...] = ()) -> bool:
    """A function of the user's, all of whose calls and names do so."""
    if function in seen or len(function.params) < 1:
        return False
    callees = set()
    for n in walk(function.node.body):
        if isinstance(n, cst.Call):
            callees |= {id(c) for c in walk(n.func)}
            inner = it.facts.get(n.func, UNKNOWN).payload
            known = acts_by_element(it, inner, (*seen, function)) if isinstance(inner, Function) else _by_element(
                it.rows.get(function.file.names.resolve(n.func)) or (), ("same", "broadcast", "cast"))
            if not known:
                return False
    return all(_is_open(it, n, function) for n in walk(function.node.body) if id(n) not in callees)


def _is_open(it: Interp, n: Any, function: Function) -> bool:
    """Neither axes nor sizes are looked at, and no tensor of its own axes comes in."""
    if isinstance(n, cst.Attribute) and function.file.names.resolve(n):
        return True
    if isinstance(n, _LOOKS):
        return False
    if not isinstance(n, cst.Name) or n.value in function.params or n.value in function.assigned:
        return True
    fact = it.facts.get(n, UNKNOWN)
    number = isinstance(fact.literal(...), int | float)
    return fact.rank == 0 if fact.kind is Kind.TENSOR else number or bool(function.file.names.resolve(n))


def follows(it: Interp, function: Function, name: str) -> bool:
    """Do tensors of several ranks arrive here, and is what it gives in the order of axes that each of them has?"""
    return of_several_ranks(function, name) and len(function.tensors) == 1 and function.owner is None and all(
        p == name or _is_number(function, p) for p in function.params) and acts_by_element(it, function)


def of_several_ranks(function: Function, name: str) -> bool:
    known = function.tensors.get(name)
    return known is not None and known.kind is Kind.TENSOR and known.dtype == "!"


def _is_number(function: Function, name: str) -> bool:
    return not is_open(function, name) and all(isinstance(v, int | float) for v in reached(function, name))


def _by_element(rows: Sequence[Row], returns: tuple[str, ...]) -> bool:
    return bool(rows) and all(r.returns in returns and not r.layout and not r.none and not {"axis", "axes"} & {
        *r.args} and "dim" not in str(r.expr) for r in rows)
