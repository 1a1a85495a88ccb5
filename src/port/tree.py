"""Fast walks over libcst trees; libcst's own `children` and visitors cost several times more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import cache

import libcst as cst

# Fields that hold only white space, commas and parentheses marks: never code.
_SKIP = ("whitespace", "comma", "lpar", "rpar", "semicolon", "lbracket", "rbracket", "lbrace", "rbrace",
         "leading_lines", "lines_after", "header", "footer", "trailing_whitespace", "equal", "colon", "dot",
         "annotation_", "indent")


@cache
def code_fields(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if not f.name.startswith(_SKIP))


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for name in code_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, tuple | list):
            for item in value:
                if isinstance(item, cst.CSTNode):
                    yield item


def walk(node: cst.CSTNode, enter_functions: bool = True) -> Iterator[cst.CSTNode]:
    """The node and all below it, in source order; without nested function and class bodies if asked."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        if not enter_functions and top is not node and isinstance(top, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            continue
        stack.extend(reversed(list(children(top))))


def rebuild(node: cst.CSTNode, change: Callable[[cst.CSTNode], cst.CSTNode]) -> cst.CSTNode:
    """The node with `change` applied to its children; the same object if nothing changed."""
    new: dict[str, object] = {}
    for name in code_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            other = change(value)
            if other is not value:
                new[name] = other
        elif isinstance(value, tuple | list) and value and isinstance(value[0], cst.CSTNode):
            items = [change(item) for item in value]
            if any(a is not b for a, b in zip(items, value, strict=True)):
                new[name] = items
    return node.with_changes(**new) if new else node


def loads(node: cst.CSTNode) -> set[str]:
    """Names that stand for values below: not attributes, keywords or parameters."""
    found: set[str] = set()
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, cst.Name):
            found.add(top.value)
        elif isinstance(top, cst.Attribute | cst.Arg):
            stack.append(top.value)
        elif isinstance(top, cst.Param):
            stack += [c for c in (top.default, top.annotation) if c is not None]
        else:
            stack.extend(children(top))
    return found


def named(node: cst.CSTNode) -> set[str]:
    """All names read or written below."""
    return {n.value for n in walk(node) if isinstance(n, cst.Name)}
