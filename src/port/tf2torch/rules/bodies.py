"""Small questions about bodies of statements: what they read, bind, and begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.tf2torch.emit import Refused
from port.tree import find, loads, memo, target_names, walk


def used_names(statements: list[Any]) -> set[str]:
    return {n for s in statements for n in loads(s)}


def self_reads(statements: list[Any]) -> set[str]:
    return {n.attr.value for s in statements for n in find(s, cst.Attribute)
            if isinstance(n.value, cst.Name) and n.value.value == "self"}


def split_docstring(body: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    nodes = list(body)
    if nodes and isinstance(nodes[0], cst.SimpleStatementLine) and isinstance(nodes[0].body[0], cst.Expr) and (
            isinstance(nodes[0].body[0].value, cst.SimpleString | cst.ConcatenatedString)):
        return nodes[:1], nodes[1:]
    return [], nodes


@memo
def assigned_names(s: Any) -> frozenset[str]:
    found: set[str] = set()
    for n in walk(s):
        if type(n) is cst.Assign:
            for t in n.targets:
                found |= target_names(t.target)
        elif type(n) is cst.AugAssign or type(n) is cst.For:
            found |= target_names(n.target)
        elif type(n) is cst.FunctionDef:
            found.add(n.name.value)
    return frozenset(found)


def binds(body: cst.CSTNode, name: str) -> bool:
    """Whether the code may give the name another value."""
    for node in walk(body):
        target = node.target if isinstance(
            node, cst.AssignTarget | cst.AnnAssign | cst.AugAssign | cst.For | cst.CompFor | cst.NamedExpr) else (
            node if isinstance(node, cst.Del | cst.AsName | cst.Param | cst.Global | cst.Nonlocal) else None)
        if target is not None and any(n.value == name for n in find(target, cst.Name)):
            return True
    return False


def unbound(em: Any, init: list[Any], given: set[str]) -> None:
    """Refuse a constructor that reads a size by a name of another function, which is not one of its own."""
    own = given.union(*map(assigned_names, init), *(target_names(c.target) for s in init for c in find(s, cst.CompFor)),
                      *({p.name.value} for s in init for p in find(s, cst.Param)))
    others = {n for f in em.it.functions.values() for n in (*f.params, *f.mirrors, *f.assigned)}
    read = frozenset[str]().union(*map(loads, init)) & others - own - set(em.it.globals.names) - {"self"} - em.needs
    if read:
        raise Refused("P208", f"the size `{min(read)}` is not known here: it belongs to a function or method that is "
                      "called with several", None)
