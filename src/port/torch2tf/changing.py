"""Which buffers a class changes in place, told from its text: `self.count.add_(1)` of `register_buffer("count", x)`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.torch2tf.values import Class, Function, SelfOf, options
from port.tree import find


@dataclass(frozen=True)
class Changes:
    """`names`: of buffers that methods other than __init__ change in place. `bound`: where these put others there.

    `given`: what is registered as these, by function.
    """

    names: frozenset[str]
    bound: frozenset[cst.CSTNode]
    given: dict[cst.CSTNode, list[tuple[str, cst.BaseExpression]]]


def methods(cls: Class) -> Iterator[Function]:
    """Those of the class, and of all that it inherits from or that inherit from it."""
    seen: set[Class] = set()
    todo = [cls]
    while todo:
        one = todo.pop()
        if one not in seen:
            seen.add(one)
            yield from (f for f in one.methods.values() if isinstance(f.node, cst.FunctionDef))
            todo += [*one.subclasses, *(b.payload for b in one.bases if isinstance(b.payload, Class))]


def of(it: Any, cls: Class) -> Changes:
    key = ("changes", cls)
    if key not in it.objects:
        it.objects[key] = _read(cls)
    return it.objects[key]  # type: ignore[no-any-return]


def _read(cls: Class) -> Changes:
    registered: dict[cst.CSTNode, list[tuple[str, cst.BaseExpression]]] = {}
    changed: set[str] = set()
    targets: list[cst.Attribute] = []
    for f in methods(cls):
        for call in find(f.node, cst.Call):
            if type(call.func) is not cst.Attribute:
                continue
            if call.func.attr.value == "register_buffer" and call.args:
                name = call.args[0].value
                if isinstance(name, cst.SimpleString) and len(call.args) > 1:
                    registered.setdefault(f.node, []).append((str(name.evaluated_value), call.args[1].value))
            elif f.name != "__init__" and isinstance(base := base_of(call), cst.Attribute) and base is not call:
                changed |= {base.attr.value} if _is_self(f, base) else set()
        if f.name != "__init__":
            targets += [t.target for a in find(f.node, cst.Assign) for t in a.targets
                        if isinstance(t.target, cst.Attribute) and _is_self(f, t.target)]
    names = frozenset(name for every in registered.values() for name, _ in every) & changed
    return Changes(names, frozenset(t for t in targets if t.attr.value in names), {
        f: [one for one in every if one[0] in names] for f, every in registered.items()})


def base_of(node: cst.BaseExpression) -> cst.BaseExpression:
    """x of `x.mul_(a).add_(b)` and of `x.data.zero_()`; of anything else, itself."""
    first = node
    while is_inplace(node):
        node = node.func.value  # type: ignore[attr-defined]
    data = node is not first and isinstance(node, cst.Attribute) and node.attr.value == "data"
    return node.value if data else node  # type: ignore[attr-defined]


def is_inplace(node: cst.CSTNode) -> bool:
    """A call of a method that is named as those are which change a tensor."""
    name = node.func.attr.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else ""
    return name.endswith("_") and not name.endswith("__") and name != "requires_grad_"


def _is_self(f: Function, node: cst.Attribute) -> bool:
    return isinstance(node.value, cst.Name) and bool(f.params) and node.value.value == f.params[0]


def kept(it: Any, owner: Any, target: cst.Attribute) -> bool:
    """Is this an attribute in whose place nothing else can be put (buffers.check_bound)?"""
    return isinstance(owner, SelfOf) and owner.cls.is_module and target in of(it, owner.cls).bound


def is_self(w: Any, node: cst.Attribute) -> bool:
    return any(isinstance(o.payload, SelfOf) for o in options(w.fact(node.value)))
