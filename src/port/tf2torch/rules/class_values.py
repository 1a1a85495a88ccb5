"""A layer's class that an attribute or a variable holds is read as written where it is called.

    self._norm = layers.BatchNormalization
    ...                                           ->    self._norm0 = layers.BatchNormalization(momentum=0.9)
    self._norm0 = self._norm(momentum=0.9)

So is a partial one, with its arguments. Of two classes that a setting chooses from, if PyTorch has one module for
both, the first serves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import libcst as cst

from port.names import dotted_name
from port.tree import changed, clone, find, loads, named, rebuild, walk

RowOf = Callable[[cst.BaseExpression], str]  # the row of a layer's class; '' for all else
PARTIAL = ("functools.partial", "partial")


@dataclass(frozen=True)
class Store:
    """A line that stores a class, with the arguments of a partial one."""

    line: Any
    value: cst.BaseExpression
    args: tuple[cst.Arg, ...] = ()


def rewrite(module: cst.Module, row_of: RowOf, project: Sequence[cst.Module]) -> cst.Module:
    """The module with what holds such classes undone; the same object if there is none."""
    def inside(node: Any) -> Any:
        if type(node) is cst.ClassDef:
            node = _class(node, row_of, project)
        elif type(node) is cst.FunctionDef:
            node = _function(node, row_of)
        return rebuild(node, inside) if type(node) in (cst.Module, cst.ClassDef, cst.IndentedBlock) else node

    return inside(module)  # type: ignore[no-any-return]


# ---------------------------------------------------------------- attributes
def _class(node: Any, row_of: RowOf, project: Sequence[cst.Module]) -> Any:
    held: dict[str, list[Store | None]] = {}
    for block in find(node, cst.IndentedBlock):
        for s in block.body:
            target, value = _stored(s)
            of_class = block is node.body and isinstance(target, cst.Name)
            if value is not None and (of_class or _of_self(target)):
                name = target.value if of_class else target.attr.value  # type: ignore[union-attr]
                held.setdefault(name, []).append(_store(s, value, row_of))
    for name, stores in held.items():
        known = [s for s in stores if s is not None and all(loads(a.value) <= {"self"} for a in s.args)]
        same = {row_of(s.value) for s in known}
        uses = [n for n in find(node, cst.Attribute) if n.attr.value == name and _of_self(n)]
        inner = sum(_of_self(_stored(s.line)[0]) for s in known)
        if len(known) == len(stores) and len(same) == 1 and (len(known) == 1 or not any(s.args for s in known)) and (
                _only_called(node, uses, inner) and not _shadowed(node, known) and not _seen(node, name, project)):
            node = _written_out(node, partial(_is_attribute, name), known)
    return node


def _stored(s: Any) -> tuple[cst.BaseExpression | None, cst.BaseExpression | None]:
    """Target and value of `target = value`."""
    small = s.body[0] if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1 else None
    fits = isinstance(small, cst.Assign) and len(small.targets) == 1
    return (small.targets[0].target, small.value) if fits and isinstance(small, cst.Assign) else (None, None)


def _store(s: Any, value: cst.BaseExpression, row_of: RowOf) -> Store | None:
    if row_of(value):
        return Store(s, value)
    if not isinstance(value, cst.Call) or dotted_name(value.func) not in PARTIAL or not value.args:
        return None
    first, *rest = value.args
    plain = first.keyword is None and not first.star and all(a.keyword is not None for a in rest)
    return Store(s, first.value, tuple(rest)) if plain and row_of(first.value) else None


def _of_self(node: Any) -> bool:
    return isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self"


def _is_attribute(name: str, node: Any) -> bool:
    return _of_self(node) and node.attr.value == name


def _is_name(name: str, node: Any) -> bool:
    return type(node) is cst.Name and node.value == name


def _only_called(node: cst.CSTNode, uses: Sequence[cst.CSTNode], stores: int) -> bool:
    called = {id(c.func) for c in find(node, cst.Call)}
    return len(uses) - sum(id(n) in called for n in uses) == stores


def _shadowed(node: cst.CSTNode, stores: Sequence[Store]) -> bool:
    """Is something else called by the name that the class is reached through?"""
    heads = {dotted_name(s.value).split(".")[0] for s in stores}
    bound = {p.name.value for p in find(node, cst.Param)} | {n for t in find(node, cst.AssignTarget)
                                                             if isinstance(t.target, cst.Name | cst.Tuple)
                                                             for n in named(t.target)}
    return bool(heads & bound)


def _seen(node: cst.ClassDef, name: str, project: Sequence[cst.Module]) -> bool:
    """Do classes below it use the attribute, or does other code read it from outside?"""
    below = [c for m in project for c in find(m, cst.ClassDef) if any(
        dotted_name(b.value).rpartition(".")[2] == node.name.value for b in c.bases)]
    return any(n.attr.value == name for c in below for n in find(c, cst.Attribute)) or any(
        n.attr.value == name and dotted_name(n.value).rpartition(".")[2] == node.name.value
        for m in project for n in find(m, cst.Attribute))


# ---------------------------------------------------------------- variables
def _function(node: Any, row_of: RowOf) -> Any:
    targets = [n for t in find(node, cst.AssignTarget) for n in loads(t.target)]
    fixed = {p.name.value for p in find(node.params, cst.Param)}
    for s in node.body.body if isinstance(node.body, cst.IndentedBlock) else ():
        target, value = _stored(s)
        store = _store(s, value, row_of) if value is not None and isinstance(target, cst.Name) else None
        if store is None or not isinstance(target, cst.Name) or targets.count(target.value) != 1:
            continue
        name = target.value
        behind = {id(a.attr) for a in find(node, cst.Attribute)} | {id(a.keyword) for a in find(node, cst.Arg)}
        uses = [n for n in find(node, cst.Name) if n.value == name and id(n) not in behind]
        bound = {n for kind in (cst.For, cst.AugAssign, cst.NamedExpr, cst.CompFor, cst.Param) for x in find(
            node, kind) for n in named(x.name if kind is cst.Param else x.target)}  # type: ignore[attr-defined]
        given = frozenset(n for a in store.args for n in loads(a.value))
        if name not in bound and not given & {*targets, *(bound - fixed)} and _only_called(node, uses, 1) and (
                not _shadowed(node, [store])):
            node = _written_out(node, partial(_is_name, name), [store])
    return node


# ---------------------------------------------------------------- both
def _written_out(node: Any, held: Callable[[Any], bool], stores: Sequence[Store]) -> Any:
    store = max(stores, key=lambda s: "Sync" in dotted_name(s.value))  # what it asks for is told
    gone = {id(s.line) for s in stores}

    def change(n: Any) -> Any:
        kind = type(n)
        if kind is cst.Call and held(n.func):
            given = {a.keyword.value for a in n.args if a.keyword is not None}
            more = [clone(a) for a in store.args if a.keyword is not None and a.keyword.value not in given]
            args = [*(changed(a, comma=cst.MaybeSentinel.DEFAULT) for a in (*n.args, *more))] if more else n.args
            n = n.with_changes(func=clone(store.value), args=args)
        if kind is cst.IndentedBlock and any(id(s) in gone or _only(s, gone) for s in n.body):
            n = n.with_changes(body=[s for s in n.body if id(s) not in gone and not _only(s, gone)])
        return rebuild(n, change)

    return change(node)


def _only(s: Any, gone: set[int]) -> bool:
    """`if sync: self.norm = A`, `else: self.norm = B`, and nothing else."""
    if not isinstance(s, cst.If) or any(isinstance(n, cst.Call | cst.NamedExpr) for n in walk(s.test)):
        return False
    if isinstance(s.orelse, cst.If):
        return all(id(x) in gone for x in _lines(s.body)) and _only(s.orelse, gone)
    bodies: list[Any] = [s.body, *([s.orelse.body] if s.orelse is not None else [])]
    return all(id(x) in gone for b in bodies for x in _lines(b))


def _lines(block: Any) -> Sequence[Any]:
    return block.body if isinstance(block, cst.IndentedBlock) else (block,)
