"""Classes whose subclasses differ in what flows through them, such as blocks over two and over three axes.

What is known of a method is what all its callers pass. A base class of several blocks is read once for each of them, as
a copy that is never written: the class is ported if all its copies come out the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import libcst as cst

from port.torch2tf.refused import Refused
from port.tree import code

MARK = "__of_"


def read(module: cst.Module, held: Mapping[cst.CSTNode, cst.CSTNode]
         ) -> tuple[cst.Module, dict[cst.CSTNode, cst.CSTNode], dict[cst.CSTNode, cst.CSTNode]]:
    """The module with a copy of each of `held` for every class but the first that inherits from it.

    Also: those classes, with how they are written, and the copies, with what they are copies of.
    """
    bases = {c.name.value: c for c in module.body if c in held and isinstance(c, cst.ClassDef)}
    under: dict[str, list[cst.ClassDef]] = {}
    for c in module.body:
        if type(c) is cst.ClassDef and len(c.bases) == 1 and isinstance(c.bases[0].value, cst.Name):
            under.setdefault(c.bases[0].value.value, []).append(c)
    later = {c: name for name in bases for c in under.get(name, [])[1:]}
    copies: dict[cst.CSTNode, cst.CSTNode] = {}
    written: dict[cst.CSTNode, cst.CSTNode] = {}
    body: list[Any] = []
    for node in module.body:
        if isinstance(node, cst.ClassDef) and node in later:
            base = bases[later[node]]
            name = cst.Name(f"_{later[node]}{MARK}{node.name.value}")
            copy = base.deep_clone().with_changes(name=name)
            new = node.with_changes(bases=[node.bases[0].with_changes(value=name)])
            copies[copy], written[new] = base, node
            body += [copy, new]
        else:
            body.append(node)
    return (module.with_changes(body=body) if copies else module), written, copies


def is_copy(name: str) -> bool:
    return MARK in name


def shown(name: str) -> str:
    """The name of what a copy is a copy of."""
    return name.partition(MARK)[0].removeprefix("_") if is_copy(name) else name


def base(node: cst.BaseExpression) -> cst.BaseExpression:
    """A base class as it is written."""
    return cst.Name(shown(node.value)) if isinstance(node, cst.Name) and is_copy(node.value) else node


def settle(parts: Sequence[Any], copies: Mapping[cst.CSTNode, cst.CSTNode]) -> None:
    """Copies that come out as their class did are done with; else the class is refused, and they are."""
    own = {part.node: part for part in parts if part.node in copies.values()}
    for part in parts:
        if part.node not in copies:
            continue
        first = own[copies[part.node]]
        refusal = first.refusal or part.refusal
        if refusal is None and _text(first.made) != _text(part.made):
            refusal = Refused("P209", "classes inherit from it whose tensors have different numbers of axes, and need "
                              "different code in Keras: write it for each of them", first.node)
        if refusal is not None:
            first.refusal = Refused(refusal.code, refusal.message, first.node, refusal.symbol)
            part.refusal = first.refusal


def _text(made: Sequence[Any]) -> str:
    return "".join(code(m.with_changes(name=cst.Name("A"), leading_lines=[])) for m in made)
