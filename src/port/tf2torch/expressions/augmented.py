"""`x += y`: TensorFlow makes a new tensor, PyTorch would change all that share it."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import paren
from port.facts import Fact, Kind
from port.tf2torch.emit import LOOSE, Emitter
from port.tf2torch.infer.values import Items
from port.tree import find, memo

LITERALS = (cst.List, cst.ListComp, cst.Tuple, cst.Dict, cst.Set, cst.SimpleString)


def augmented(em: Emitter, node: cst.AugAssign) -> cst.BaseSmallStatement:
    """`x = x + y` where one of them is a tensor, or may be one for all that the code says."""
    whole = em.it.augmented.get(node)
    left, right = em.fact(node if whole is None else whole.left), em.fact(node.value)
    open_ = (left.kind is Kind.UNKNOWN or _given(em, node.target, left)) and not isinstance(
        right.payload, Items) and not isinstance(node.value, LITERALS)
    if whole is None or not (open_ or Kind.TENSOR in (left.kind, right.kind, em.fact(whole).kind)):
        return em.generic(node)  # type: ignore[no-any-return]
    value = em.expr(whole)
    if isinstance(value, cst.BinaryOperation) and isinstance(node.value, LOOSE):
        value = value.with_changes(right=paren(value.right))
    return cst.Assign([cst.AssignTarget(em.bound(node.target))], value)


def _given(em: Emitter, target: cst.BaseExpression, fact: Fact) -> bool:
    """A parameter, or a part of one, that may be a tensor for all that the function says."""
    function = em.scope.function
    one = isinstance(target, cst.Name) or (isinstance(target, cst.Subscript) and len(target.slice) == 1)
    known = fact.kind is Kind.PLAIN and (fact.payload is not None or fact.values)
    return one and not known and function is not None and fact.kind in (Kind.PLAIN, Kind.FUNCTION) and (
        _root(target) in _aliases(function.node))


@memo
def _aliases(function: cst.FunctionDef | cst.Lambda) -> frozenset[str]:
    """Variables that may hold what a parameter holds, or a part of it."""
    found = {p.name.value for p in (*function.params.posonly_params, *function.params.params,
                                    *function.params.kwonly_params)}
    given: list[tuple[Any, Any]] = [(t.target, n.value) for n in find(function, cst.Assign) for t in n.targets]
    given += [(n.target, n.iter) for n in find(function, cst.For)]
    while more := {name.value for target, value in given if found & _held(value) for name in find(target, cst.Name)
                   if name.value not in found}:
        found |= more
    return frozenset(found)


def _held(value: cst.BaseExpression) -> set[str]:
    """Variables whose value, or a part of it, this may be."""
    if isinstance(value, cst.IfExp):
        return _held(value.body) | _held(value.orelse)
    if isinstance(value, cst.Tuple):
        return {name for e in value.elements for name in _held(e.value)}
    if isinstance(value, cst.Call):  # zip, enumerate, reversed: what they give is what they are given
        plain = isinstance(value.func, cst.Name) and value.func.value in ("enumerate", "reversed", "sorted", "zip")
        return {name for a in value.args for name in _held(a.value)} if plain else set()
    return {_root(value)}


def _root(node: cst.BaseExpression) -> str:
    """The variable that `x`, `x[0]` and `x.best` begin with; '' if there is none."""
    while isinstance(node, cst.Subscript | cst.Attribute):
        node = node.value
    return node.value if isinstance(node, cst.Name) else ""
