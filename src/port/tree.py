"""Fast walks over libcst trees, and their text; libcst's own ways cost several times more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter, is_not
from typing import Any, Literal, TypeVar, get_origin

import libcst as cst

from port.printing import on_one_line, printed

# Fields that hold only white space, commas and parentheses marks: never code.
_SKIP = ("whitespace", "comma", "lpar", "rpar", "semicolon", "lbracket", "rbracket", "lbrace", "rbrace",
         "leading_lines", "lines_after", "header", "footer", "trailing_whitespace", "equal", "colon", "dot",
         "annotation_", "indent")
# Every concrete node type: looked up by type, since `isinstance` is slow for libcst's abstract classes.
NODES = frozenset(kind for kind in vars(cst).values() if isinstance(kind, type) and issubclass(kind, cst.CSTNode))
Answer = TypeVar("Answer", bound=Callable[..., Any])
Node = TypeVar("Node", bound=cst.CSTNode)


def kinds(*bases: type) -> frozenset[type]:
    """The concrete node types that are any of these: `type(node) in kinds(...)`, decided once."""
    return frozenset(kind for kind in NODES if issubclass(kind, bases))


EXPRESSIONS = kinds(cst.BaseExpression)
# Expressions, and what holds one inside another.
IN_EXPRESSIONS = kinds(cst.BaseExpression, cst.Arg, cst.BaseElement, cst.BaseDictElement, cst.FormattedStringExpression,
                       cst.Index, cst.Slice, cst.SubscriptElement)
DEFINITIONS: frozenset[type] = frozenset([cst.FunctionDef, cst.ClassDef, cst.Lambda])
REMEMBERED = DEFINITIONS | {cst.SimpleStatementLine, cst.IndentedBlock, cst.If, cst.For}  # parts of walks to share
_SEARCHED = DEFINITIONS | {cst.Module, cst.IndentedBlock}  # large, and asked again and again for nodes of other types
_MEMOS: list[Any] = []  # filled when modules are loaded


def memo(function: Answer) -> Answer:
    """Remembers what a function says of nodes, which never change, until the file is done and `forget` is called."""
    kept = cache(function)
    _MEMOS.append(kept)
    return kept  # type: ignore[return-value]


def forget() -> None:
    for kept in _MEMOS:
        kept.cache_clear()


# Fields of each node type that hold nodes, in source order.
CODE_FIELDS = {kind: tuple(f.name for f in fields(kind) if not f.name.startswith(_SKIP) and f.type not in (str, bool)
                           and get_origin(f.type) is not Literal) for kind in NODES}

FIELDS = {kind: tuple(f.name for f in fields(kind)) for kind in NODES}  # white space and punctuation too


def _reader(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads these fields of a node, all at once."""
    if not names:
        return lambda node: ()
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda node: (read(node),)


def _read(names: Sequence[str]) -> tuple[Callable[[Any], Any], bool]:
    """What reads these fields; whether that gives several values."""
    return attrgetter(*names) if names else _reader(names), len(names) != 1


_CODE = {kind: _read(names) for kind, names in CODE_FIELDS.items()}
_BACKWARDS = {kind: _read(names[::-1]) for kind, names in CODE_FIELDS.items()}


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    read, several = _CODE[type(node)]
    for value in read(node) if several else (read(node),):
        kind = type(value)
        if kind in NODES:
            found.append(value)
        elif kind is list or kind is tuple:
            found += value
    return found


def walk(node: cst.CSTNode, enter_functions: bool = True) -> tuple[cst.CSTNode, ...]:
    """The node and all below it, in source order; without nested function and class bodies if asked."""
    return _walked(node, enter_functions)


@memo
def _walked(node: cst.CSTNode, enter_functions: bool) -> tuple[cst.CSTNode, ...]:
    if not enter_functions and DEFINITIONS.isdisjoint(map(type, walk(node)[1:])):
        return walk(node)
    found: list[cst.CSTNode] = []
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        kind = type(top)
        if kind in REMEMBERED and top is not node:
            found += _walked(top, enter_functions) if enter_functions or kind not in DEFINITIONS else (top,)
            continue
        found.append(top)
        if CODE_FIELDS[kind]:  # what comes first goes on top
            read, several = _BACKWARDS[kind]
            for value in read(top) if several else (read(top),):
                if type(value) in NODES:
                    stack.append(value)
                elif type(value) is list or type(value) is tuple:
                    stack += value[::-1]
    return tuple(found)


def find(node: cst.CSTNode, kind: type[Node], enter_functions: bool = True) -> list[Node]:
    """Those nodes of a walk that are of one (concrete) type; `isinstance` is slow for libcst's abstract classes."""
    if type(node) in _SEARCHED:
        return list(_by_type(node, enter_functions).get(kind, ()))  # type: ignore[arg-type]
    return [n for n in walk(node, enter_functions) if type(n) is kind]


@memo
def _by_type(node: cst.CSTNode, enter_functions: bool) -> dict[type, list[cst.CSTNode]]:
    found = defaultdict[type, list[cst.CSTNode]](list)
    for n in walk(node, enter_functions):
        found[type(n)].append(n)
    return found


def rebuild(node: cst.CSTNode, change: Callable[[cst.CSTNode], cst.CSTNode], names: Sequence[str] | None = None
            ) -> cst.CSTNode:
    """The node with `change` applied to its children; the same object if nothing changed. `names`: other fields."""
    new: dict[str, object] = {}
    for name in CODE_FIELDS[type(node)] if names is None else names:
        value = getattr(node, name)
        kind = type(value)
        if kind in NODES:
            other = change(value)
            if other is not value:
                new[name] = other
        elif kind is list or kind is tuple:
            items = [change(item) for item in value]
            if any(map(is_not, items, value)):
                new[name] = items
    return _copied(node, new) if new else node


def replaced(node: cst.CSTNode, old: cst.CSTNode, new: cst.CSTNode) -> Any:
    """The node with one of the nodes below it, or itself, replaced."""
    return new if node is old else rebuild(node, lambda child: replaced(child, old, new))


def changed(node: Node, **new: Any) -> Node:
    """The node with other fields, as `with_changes` gives it, but faster; the same object if they are what it has."""
    for name, value in new.items():
        old = getattr(node, name)
        if old is not value and not (type(value) is list and len(old) == len(value) and not any(
                map(is_not, old, value))):
            return _copied(node, new)
    return node


@dataclass(frozen=True)
class _Slots:
    """All fields of a type of node: what reads them, and what writes each, past the checks of a frozen class."""

    read: Callable[[Any], tuple[Any, ...]]
    write: dict[str, Callable[[Any, Any], None]]
    code: tuple[tuple[Callable[[Any, Any], None], bool], ...]  # the same, and whether the field holds code


def _slots(kind: type) -> _Slots:
    write = {f.name: getattr(kind, f.name).__set__ for f in fields(kind)}
    return _Slots(_reader(tuple(write)), write, tuple((put, name in CODE_FIELDS[kind]) for name, put in write.items()))


_SLOTS = {kind: _slots(kind) for kind in NODES if not kind.__abstractmethods__}


def _copied(node: Node, new: Mapping[str, Any]) -> Node:
    slots = _SLOTS[type(node)]
    made = object.__new__(type(node))
    for (put, _), value in zip(slots.code, slots.read(node), strict=True):
        put(made, value)
    for name, value in new.items():
        slots.write[name](made, value)
    made._validate()
    return made


def clone(node: Node) -> Node:
    """A copy, all of whose nodes are new; white space, commas and parentheses are shared."""
    slots = _SLOTS[type(node)]
    made = object.__new__(type(node))  # nothing to check again: it was a node
    for (put, holds_code), value in zip(slots.code, slots.read(node), strict=True):
        if holds_code:
            kind = type(value)
            if kind in NODES:
                value = clone(value)
            elif kind is list or kind is tuple:
                value = [clone(item) for item in value]
        put(made, value)
    return made


@memo
def loads(node: cst.CSTNode) -> frozenset[str]:
    """Names that stand for values below: not attributes, keywords or parameters."""
    found: set[str] = set()
    stack: list[Any] = [node]
    while stack:
        top = stack.pop()
        kind = type(top)
        if kind is cst.Name:
            found.add(top.value)
        elif kind is cst.Attribute or kind is cst.Arg:
            stack.append(top.value)
        elif kind is cst.Param:
            stack += [c for c in (top.default, top.annotation) if c is not None]
        else:
            stack += children(top)
    return frozenset(found)


@memo
def named(node: cst.CSTNode) -> frozenset[str]:
    """All names read or written below."""
    return frozenset([n.value for n in walk(node) if type(n) is cst.Name])


# ---------------------------------------------------------------- text
_WORDS = (cst.Name, cst.Integer, cst.Float, cst.SimpleString)


@memo
def code(node: cst.CSTNode) -> str:
    """The text of a node, on one line for each statement: what says the same has the same text."""
    if type(node) in _WORDS and not node.lpar:  # type: ignore[attr-defined]
        return node.value  # type: ignore[attr-defined,no-any-return]
    if type(node) is cst.Attribute and not node.lpar and _tight(node.dot):
        return f"{code(node.value)}.{code(node.attr)}"
    return on_one_line(node)


def asked_classes(test: cst.BaseExpression, name: str) -> list[cst.BaseExpression]:
    """A and B of `isinstance(name, (A, B))`; none of any other test."""
    if not isinstance(test, cst.Call) or code(test.func) != "isinstance" or len(test.args) != 2 or code(
            test.args[0].value) != name:
        return []
    held = test.args[1].value
    return [e.value for e in held.elements] if isinstance(held, cst.Tuple) else [held]


def target_names(target: cst.CSTNode) -> set[str]:
    """Variables that a target binds: not those that a subscript or an attribute in it reads."""
    if type(target) is cst.Name:
        return {target.value}
    if type(target) is cst.Tuple or type(target) is cst.List:
        return {n for e in target.elements for n in target_names(e.value)}
    return set()


COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


@memo
def variables(scope: Any) -> frozenset[str]:
    """Parameters and variables of a function or comprehension, but not the functions and classes that it defines."""
    if type(scope) in COMPREHENSIONS:
        heads = [scope.for_in]
        while heads[-1].inner_for_in is not None:
            heads.append(heads[-1].inner_for_in)
        return frozenset(name for head in heads for name in target_names(head.target))
    found = {n.name.value for n in walk(scope.params) if type(n) is cst.Param}
    for n in walk(scope.body, enter_functions=False):
        if type(n) in (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For, cst.NamedExpr):
            found |= target_names(n.target)  # type: ignore[attr-defined]
        elif type(n) is cst.AsName:
            found |= target_names(n.name)
    shared = {i.name.value for n in find(scope.body, cst.Global) for i in n.names}
    return frozenset(found - shared)


def _tight(dot: cst.Dot) -> bool:
    return dot.whitespace_before.empty and dot.whitespace_after.empty


def module_code(module: cst.Module) -> str:
    """The text of a whole file, with its own indentation and newlines."""
    return printed(module, module.default_indent, module.default_newline)
