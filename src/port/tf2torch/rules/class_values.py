"""A layer's class that an attribute holds is read as written where it is called.

    self._norm = layers.BatchNormalization
    ...                                           ->    self._norm0 = layers.BatchNormalization(momentum=0.9)
    self._norm0 = self._norm(momentum=0.9)

Of two classes that a setting chooses from, if PyTorch has one module for both, the first serves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from port.names import dotted_name
from port.tree import clone, find, named, rebuild, walk

RowOf = Callable[[cst.BaseExpression], str]  # the row of a layer's class; '' for all else


def rewrite(module: cst.Module, row_of: RowOf, project: Sequence[cst.Module]) -> cst.Module:
    """The module with such attributes undone in its classes; the same object if there are none."""
    return rebuild(module, lambda s: _class(s, row_of, project) if type(s) is cst.ClassDef else s)  # type: ignore


def _class(node: Any, row_of: RowOf, project: Sequence[cst.Module]) -> Any:
    lines = [s for n in find(node, cst.IndentedBlock) for s in n.body]
    held: dict[str, list[tuple[Any, cst.BaseExpression]]] = {}
    for s in lines:
        for target, value in _stored(s):
            held.setdefault(target, []).append((s, value))
    for attribute, stores in held.items():
        if _fits(node, attribute, stores, row_of) and not _overridden(node, attribute, project):
            node = _written_out(node, attribute, stores)
    return node


def _stored(s: Any) -> list[tuple[str, cst.BaseExpression]]:
    """(attribute, value) of `self.attribute = value`."""
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return []
    target = small.targets[0].target
    return [(target.attr.value, small.value)] if isinstance(target, cst.Attribute) and _is_self(target.value) else []


def _is_self(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "self"


def _fits(node: cst.ClassDef, attribute: str, stores: Sequence[tuple[Any, cst.BaseExpression]], row_of: RowOf) -> bool:
    """Are the values classes of one row, and is all else that is done with the attribute a call?"""
    rows = {row_of(value) for _, value in stores}
    if len(rows) != 1 or "" in rows:
        return False
    uses = [n for n in find(node, cst.Attribute) if n.attr.value == attribute and _is_self(n.value)]
    called = {id(c.func) for c in find(node, cst.Call)}
    return len(uses) - sum(id(n) in called for n in uses) == len(stores) and not _shadowed(node, stores)


def _shadowed(node: cst.ClassDef, stores: Sequence[tuple[Any, cst.BaseExpression]]) -> bool:
    """Does a method call something of its own by the name that the class is reached through?"""
    heads = {dotted_name(value).split(".")[0] for _, value in stores}
    bound = {p.name.value for p in find(node, cst.Param)} | {n for t in find(node, cst.AssignTarget)
                                                             if isinstance(t.target, cst.Name | cst.Tuple)
                                                             for n in named(t.target)}
    return bool(heads & bound)


def _overridden(node: cst.ClassDef, attribute: str, project: Sequence[cst.Module]) -> bool:
    """Does a class below it hold something else there?"""
    below = [c for m in project for c in find(m, cst.ClassDef) if any(
        dotted_name(b.value).rpartition(".")[2] == node.name.value for b in c.bases)]
    return any(n.attr.value == attribute for c in below for n in find(c, cst.Attribute))


def _written_out(node: cst.ClassDef, attribute: str, stores: Sequence[tuple[Any, cst.BaseExpression]]) -> Any:
    value = max((v for _, v in stores), key=lambda v: "Sync" in dotted_name(v))  # what it asks for is told
    gone = {id(s) for s, _ in stores}

    def change(n: Any) -> Any:
        kind = type(n)
        if kind is cst.Call and type(n.func) is cst.Attribute and n.func.attr.value == attribute and _is_self(
                n.func.value):
            n = n.with_changes(func=clone(value))
        if kind is cst.IndentedBlock and any(id(s) in gone or _only(s, gone) for s in n.body):
            n = n.with_changes(body=[s for s in n.body if id(s) not in gone and not _only(s, gone)])
        return rebuild(n, change)

    return change(node)


def _only(s: Any, gone: set[int]) -> bool:
    """`if sync: self.norm = A`, `else: self.norm = B`, and nothing else."""
    if not isinstance(s, cst.If) or any(isinstance(n, cst.Call | cst.NamedExpr) for n in walk(s.test)):
        return False
    bodies: list[Any] = [s.body]
    if isinstance(s.orelse, cst.If):
        return all(id(x) in gone for x in _lines(s.body)) and _only(s.orelse, gone)
    if s.orelse is not None:
        bodies.append(s.orelse.body)
    return all(id(x) in gone for b in bodies for x in _lines(b))


def _lines(block: Any) -> Sequence[Any]:
    return block.body if isinstance(block, cst.IndentedBlock) else (block,)
