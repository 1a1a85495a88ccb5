"""The functions and classes of the finished output, and which of them a name stands for."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

import libcst as cst

from port.tree import COMPREHENSIONS, children, find, memo, variables, walk

BLOCKS = (cst.FunctionDef, cst.ClassDef)
CHECKS = ("isinstance", "super", "issubclass")


@memo
def loads(node: cst.CSTNode) -> tuple[cst.Name, ...]:
    """Names that are read or called: no attributes, keywords, annotations, no classes in a test."""
    return (*read(node), *(n for d in _inside(node) for n in loads(d)))


@memo
def read(node: Any) -> tuple[cst.Name, ...]:
    """The same without the bodies of functions and classes that are defined below: these have names of their own."""
    found: list[cst.Name] = []
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        kind = type(top)
        if kind in BLOCKS:
            if top is node:
                stack.append(top.body)
            elif kind is cst.FunctionDef:
                stack.append(top.params)
        elif kind is cst.Lambda:
            own = variables(top)
            found += [n for n in read(top.body) if n.value not in own]
            stack.append(top.params)
        elif kind in COMPREHENSIONS and top is not node:
            own = variables(top)
            found += [n for n in read(top) if n.value not in own]
        elif kind is cst.Name:
            found.append(top)
        elif kind is cst.Attribute or kind is cst.Arg:
            stack.append(top.value)
        elif kind is cst.Param:
            stack += [top.default] if top.default is not None else []
        elif not (kind is cst.Annotation or (kind is cst.AssignTarget and isinstance(top.target, cst.Name))
                  or (kind is cst.Call and type(top.func) is cst.Name and top.func.value in CHECKS)):
            stack += children(top)
    return tuple(found)


def calls(node: cst.CSTNode) -> list[cst.Call]:
    """All calls in it, but for those in functions and classes that are defined below."""
    return [c for n in walk(node, enter_functions=False) for c in (find(n, cst.Call) if type(n) is cst.Lambda else [n])
            if type(c) is cst.Call]


def _inside(node: cst.CSTNode) -> list[Any]:
    """The functions and classes that are defined in it, not those inside them."""
    return [n for n in walk(node, enter_functions=False)[1:] if type(n) in BLOCKS]


class Scopes:
    """Definitions by their keys: the name, and for one inside another `outer.name`; `''` is the file."""

    def __init__(self, body: Iterable[Any]):
        self.nodes: dict[str, Any] = {}
        self.named: dict[str, dict[str, list[str]]] = {"": {}}  # scope -> name -> keys
        self.outer: dict[str, str] = {}
        self.tables: Container[str] = ()  # variables of the file that stand for definitions
        for s in body:
            self._place([s] if type(s) in BLOCKS else _inside(s), "")

    def _place(self, found: Iterable[Any], scope: str) -> None:
        for node in found:
            name = node.name.value
            key = f"{scope}.{name}" if scope else name
            while key in self.nodes:  # on the other side of a condition
                key += "'"
            self.nodes[key], self.outer[key], self.named[key] = node, scope, {}
            self.named[scope].setdefault(name, []).append(key)
            self._place(_inside(node), key)

    def stands_for(self, name: str, scope: str) -> list[str]:
        """The keys of what a name is that is read in a scope; none of a variable, or of what is imported."""
        while scope:
            node = self.nodes[scope]
            if isinstance(node, cst.FunctionDef):  # a class hides nothing from its methods
                if name in self.named[scope]:
                    return self.named[scope][name]
                if name in variables(node):
                    return []
            scope = self.outer[scope]
        return self.named[""].get(name) or [name] * (name in self.tables)

    def refers(self, names: Iterable[cst.Name], scope: str) -> set[str]:
        """The keys of all that these names stand for."""
        return {key for n in names for key in self.stands_for(n.value, scope)}

    def references(self) -> Mapping[str, set[str]]:
        """Each definition with those that it, or what is defined inside it, reads."""
        found: dict[str, set[str]] = {}
        for key in [*self.nodes][::-1]:  # what is inside comes behind what is around it
            node = self.nodes[key]
            scope = key if isinstance(node, cst.FunctionDef) else self.outer[key]
            below = [found[k] for keys in self.named[key].values() for k in keys]
            found[key] = self.refers(read(node), scope).union(*below) - {key}
        return found
