"""Classes that hold what they inherit from (holding.py): what goes through them, and attributes that are parts."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Kind
from port.names import dotted_name
from port.torch2tf import members
from port.torch2tf.holding import CONTAINERS, OF_LAYERS, gone_through, is_self
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Instance, SelfOf, options
from port.tree import code, find, walk


def check_parts(w: Any, cls: Class) -> None:
    """Refuse a container that is given modules as attributes, which it would apply, and go through, like its others."""
    if not any(_applied(node) for node in _containers(w, cls)):
        return
    for node in find(cls.node, cst.AssignTarget):
        target = node.target
        if isinstance(target, cst.Attribute) and is_self(target.value) and target.attr.value != "blocks" and any(
                o.kind in (Kind.LAYER, Kind.MODEL) for o in options(w.fact(target))):
            raise Refused("P206", f"`{code(target)}` is a part of the container that its class inherits from: write "
                          "its parts as arguments of the constructor", target)


def _containers(w: Any, cls: Class) -> list[cst.ClassDef]:
    """The class and those above it, if one of them is read as one that holds a container."""
    found = [n for b in cls.bases if isinstance(b.payload, Class) for n in _containers(w, b.payload)]
    own = w.written_as.get(cls.node)
    base = own.bases[0].value if isinstance(own, cst.ClassDef) and own.bases else None
    kept = found or (base is not None and dotted_name(base).rpartition(".")[2] in CONTAINERS)
    return [cls.node, *found] if kept else []


def _applied(node: cst.ClassDef) -> bool:
    """Does the class use what it holds, but to add to it?"""
    held = [n for n in find(node, cst.Attribute) if n.attr.value == "blocks" and is_self(n.value)]
    added = [c.func.value for c in find(node, cst.Call) if isinstance(c.func, cst.Attribute)
             and c.func.attr.value in ("append", "extend", "insert", "add_module")]
    set_: list[Any] = [t.target for t in find(node, cst.AssignTarget)]
    set_ += [t.value for t in set_ if isinstance(t, cst.Subscript)]
    return any(not any(n is a for a in (*added, *set_)) for n in held)


def check(w: Any, body: cst.CSTNode) -> None:
    """Refuse code that goes through a module, or takes its parts by number, where the class now holds them.

    What is added to a class that was a layer, and no container, nothing goes through.
    """
    for node in walk(body) if w.written_as else ():
        if type(node) is cst.Attribute and node.attr.value in OF_LAYERS:
            _check_read(w, node)
        added = isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and (
            node.func.attr.value == "add_module")
        for value in gone_through(node):
            payloads = [o.payload for o in options(w.fact(value))]
            if any(isinstance(p, Instance | SelfOf) and (_containers if added else _holds)(w, p.cls) for p in payloads):
                raise Refused("P206", f"`{code(value)}` is taken apart here, and its class holds its parts in Keras: "
                              "let the class do it", node)


def _check_read(w: Any, node: cst.Attribute) -> None:
    """Refuse `block.weight` of a class that now holds the layer whose weight this is."""
    name = node.attr.value
    for cls in (o.payload.cls for o in options(w.fact(node.value)) if isinstance(o.payload, Instance)):
        if _holds(w, cls) and name not in cls.attrs and members.find_method(cls, name) is None:
            raise Refused("P204", f"`{code(node)}`: in Keras `{cls.name}` holds the layer that has it, and inherits "
                          "from none: let the class give it", node)


def _holds(w: Any, cls: Class) -> bool:
    return cls.node in w.written_as or any(isinstance(b.payload, Class) and _holds(w, b.payload) for b in cls.bases)
