"""Buffers that a module changes in place, `self.count.add_(1)`: in Keras variables that are not trained.

A variable keeps what is assigned, inside tf.function as well. It shares its memory with nothing, so that all that would
show the change in PyTorch is refused: views of the buffer that are read later, and other tensors put in its place.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind, Layout
from port.torch2tf import writes
from port.torch2tf.changing import is_self, of
from port.torch2tf.refused import Refused
from port.torch2tf.sharing import Groups, up_to
from port.torch2tf.values import is_none, may_be_none
from port.tree import code


def is_variable(w: Any, node: cst.Attribute) -> bool:
    """Such a buffer of the module, or one of its parameters."""
    return w.cls is not None and is_self(w, node) and (
        node.attr.value in of(w.it, w.cls).names or w.fact(node).symbol == "weight")


def assigned(w: Any, base: cst.Attribute, node: cst.Call, value: Any) -> list[Any]:
    """The statement that changes the buffer."""
    shared = _groups(w, node).closure([f"@{code(base)}"])
    seen = next((n for n in sorted(shared) if not n.startswith("@") and writes.is_read_after(w, node, n)), "")
    if seen:
        raise Refused("P203", f"`{code(base)}` is changed in place, and `{seen}`, which is read below, may share its "
                      "memory; clone it first", node)
    return [cst.Expr(build("{b}.assign({v})", b=base, v=value))]


def _groups(w: Any, node: cst.CSTNode) -> Groups:
    return up_to(w.it, w.function, node)


def registered(w: Any, node: cst.Call, name: str, value: cst.BaseExpression) -> Any:
    """`self.register_buffer(name, value)` of a buffer that is changed in place; None of another one."""
    if w.cls is None or name not in of(w.it, w.cls).names:
        return None
    fact = w.fact(value)
    if is_none(fact):
        return None
    if fact.kind is not Kind.TENSOR or may_be_none(fact):
        raise Refused("P204", f"what the buffer `{name}` holds, which is changed in place, is not known", node)
    if fact.layout is Layout.FLIPPED:
        raise Refused("P209", f"the buffer `{name}` is channels last in Keras, and changed in place", node)
    new = w.expr(value)
    dtype = ""
    if fact.dtype != "float":
        if fact.dtype is None and not isinstance(value, cst.Name):
            raise Refused("P202", f"of which dtype the buffer `{name}` is is not known", node)
        dtype = f', dtype="{fact.dtype}"' if fact.dtype is not None else f", dtype={code(value)}.dtype"
    w.need("keras")
    w.by(node, "rule buffers")
    place = cst.AssignTarget(cst.Attribute(w.expr(node.func.value), cst.Name(name)))  # type: ignore[attr-defined]
    return cst.Assign([place], build(f'keras.Variable({{v}}{dtype}, trainable=False, name="{name}")', v=new))


def check_assigned(w: Any, node: cst.Assign, target: cst.Attribute) -> None:
    """Refuse to put another tensor in the place of such a variable, and to hold a view of one."""
    if w.cls is None or w.function is None:
        return
    changes = of(w.it, w.cls)
    if target in changes.bound:
        raise Refused("P203", f"the buffer `{target.attr.value}` is changed in place elsewhere, so that it is a "
                      f"variable in Keras: write `self.{target.attr.value}.copy_(...)`", node)
    for name in _shared(w, node, node.value) & changes.names - {target.attr.value}:
        raise Refused("P203", f"`{code(target)}` may share its memory with the buffer `{name}`, which is changed in "
                      "place: clone it first", node)


def check_returned(w: Any, node: cst.Return) -> None:
    """Refuse to give a view of such a variable; the variable itself shows its changes, as the buffer does."""
    changes = of(w.it, w.cls) if w.cls is not None and w.function is not None else None
    if changes is None or not changes.names or node.value is None or isinstance(node.value, cst.Attribute):
        return
    for name in _shared(w, node, node.value) & changes.names:
        raise Refused("P203", f"a view of the buffer `{name}` may be given, which is changed in place: clone it first",
                      node)


def _shared(w: Any, node: cst.CSTNode, value: cst.BaseExpression) -> set[str]:
    """Buffers of the module that the value may share its memory with."""
    if not of(w.it, w.cls).names:
        return set()
    groups = _groups(w, node)
    roots = groups.roots(value)
    found = {n.rpartition(".")[2] for n in groups.closure(roots) if n.startswith("@") and "." in n}
    return found | {name for name, given in of(w.it, w.cls).given.get(w.function.node, ()) if (
        groups.closure(groups.roots(given)) & roots)}
