"""Constructors that note weights for what trains: Keras has no weights of layers before the first call.

`self.add_regularization_weight(self.dnn.named_parameters(), l2=...)` is left out, with a finding, if all that reads
what it notes are methods that the class can do without: these stay in PyTorch. So it is with weights that exist from
the start, which Keras would find a second time where they are noted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import libcst as cst

from port.torch2tf import leaving
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function, Layer, SelfOf, options
from port.tree import code, find, walk

NOTE = "waiting"  # statements that are left out -> methods that read what they would note
COLLECTIONS = ("parameters", "named_parameters")


def statement(w: Any, node: cst.Call) -> list[Any] | None:
    """Nothing, for a statement that only notes weights which do not exist yet; None for any other."""
    function = w.function
    if function is None or function.name != "__init__" or not any(_holds_weights(w, a.value) for a in node.args):
        return None
    method = w.fact(node.func).payload
    if not isinstance(method, Function) or method.owner is None or not leaving.may_stay(w, method):
        return None
    names = _noted(w, method)
    readers = [f for f in w.it.functions.values() if f is not method and any(True for _ in _reads(f, names))]
    if not names or not all(leaving.may_stay(w, f) for f in readers):
        return None
    w.it.notes.setdefault(NOTE, {})[node] = [f.node for f in readers]
    w.report("P205", f"`{code(node.func)}` notes weights for code that stays in PyTorch; Keras makes those of layers "
             "at the first call: left out", node)
    return []


def _holds_weights(w: Any, value: cst.BaseExpression) -> bool:
    """Does it speak of weights?"""
    for n in find(value, cst.Attribute):
        if n.attr.value in COLLECTIONS and options(w.fact(n))[0].symbol == f"module.{n.attr.value}":
            return True
        if n.attr.value in ("weight", "bias") and any(isinstance(o.payload, Layer) for o in options(w.fact(n.value))):
            return True
        if w.fact(n).symbol == "weight":
            return True
    return False


def _noted(w: Any, method: Function) -> frozenset[str]:
    """Attributes that a method writes or reads; none if it calls other code of the project."""
    if any(isinstance(o.payload, Function | Class) for c in find(method.node.body, cst.Call)
           for o in options(w.it.receivers.get(c) or w.fact(c.func))):
        return frozenset()
    return frozenset(n.attr.value for n in find(method.node.body, cst.Attribute)
                     if any(isinstance(o.payload, SelfOf) for o in options(w.fact(n.value))))


def _reads(function: Function, names: frozenset[str]) -> Iterator[cst.Attribute]:
    """Where a function takes one of these attributes; a constructor may make it."""
    made = {t.target for t in find(function.node.body, cst.AssignTarget)} if function.name == "__init__" else set()
    return (n for n in find(function.node.body, cst.Attribute) if n.attr.value in names and n not in made)


def readers(files: Sequence[Any]) -> dict[cst.CSTNode, Refused]:
    """Methods that stay in PyTorch, as what they read is not noted in Keras."""
    why = "it reads what the constructor notes of weights, which Keras makes at the first call"
    return {node: Refused("P205", why, node) for f in files for nodes in f.w.it.notes.get(NOTE, {}).values()
            for node in nodes}


def left_out(w: Any) -> set[cst.CSTNode]:
    """What stands in statements that are left out."""
    return {n for call in w.it.notes.get(NOTE, {}) for n in walk(call)}
