"""Packages whose code is not read: what they make of tensors stays Keras'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.facts import Fact
from port.foreign import is_foreign, reason
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Class, is_module
from port.tree import code, find

DEEPEST = 6  # variables that are told by other ones


def check_call(em: Emitter, node: cst.Call) -> None:
    """Refuse to hand a tensor to it: `Attention(3)(x)`, and `self.part(x)` of what the constructor has made."""
    if name := source(em, node.func):
        raise Refused("P201", reason(name, "it is given a tensor"), node)


def check_base(em: Emitter, cls: Class | None, node: cst.ClassDef) -> None:
    """Refuse a class of layers that inherits from one."""
    held = cls is not None and ("call" in cls.methods or any(n in em.it.layers for n in find(node, cst.Call)))
    for base in node.bases if held or is_module(cls) else ():
        name = _imported(em, base.value) if base.keyword is None else ""
        if name and is_module(cls):  # beside Layer, it only adds to it
            em.report("P103", reason(name, f"`{node.name.value}`, which is a layer, has its methods",
                                     "it stays as it is"), base.value)
        elif name:
            raise Refused("P201", reason(name, f"`{node.name.value}`, which is a layer, inherits from it"), base.value)


def source(em: Emitter, node: cst.BaseExpression, within: Any = None, depth: int = 0) -> str:
    """What of such a package this is, or has been made by; '' of anything else. `within`: the function it stands in."""
    known = em.fact(node).payload
    if depth > DEEPEST or (known is not None and not isinstance(known, Fact)):
        return ""
    if (name := _imported(em, node)) or isinstance(node, cst.Call):
        return name or source(em, node.func, within, depth + 1)  # type: ignore[attr-defined]
    for value, function in _values(em, node, within):
        if name := source(em, value, function, depth + 1):
            return name
    return source(em, node.value, within, depth + 1) if isinstance(node, cst.Attribute | cst.Subscript) else ""


def _imported(em: Emitter, node: cst.BaseExpression) -> str:
    """The name of what an import gives, if no local variable has it."""
    name = em.it.names.resolve(node) if em.symbol(node) and not em.fact(node).payload else ""
    known = name in em.it.rows or code(node).partition(".")[0] in em.it.file.links
    return name if is_foreign(name) and not known else ""


def _values(em: Emitter, node: cst.BaseExpression, within: Any) -> Iterator[tuple[cst.BaseExpression, Any]]:
    """What is assigned to a variable of the function, or to an attribute of `self`; what a parameter has by default.

    Each with the function that says so.
    """
    cls, function, text = em.scope.cls, em.scope.function, code(node)
    if isinstance(node, cst.Name):
        held = [within] if within is not None else [function.node] if function is not None else []
    else:
        own = cls is not None and text.startswith("self.") and text.count(".") == 1
        held = [s for s in cls.node.body.body if isinstance(s, cst.FunctionDef)] if cls is not None and own else []
    for f in held:
        for line in find(f, cst.Assign):
            if any(code(t.target) == text for t in line.targets):
                yield from ((side, f) for side in sides(line.value))
        for p in (*f.params.params, *f.params.kwonly_params):
            if p.name.value == text and p.default is not None:
                yield p.default, f


def sides(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """What an expression may be: both values of a conditional one."""
    return [*sides(node.body), *sides(node.orelse)] if isinstance(node, cst.IfExp) else [node]
