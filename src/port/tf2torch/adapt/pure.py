"""Layer classes of the user that are one function: in a table of activations no module need keep them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Class
from port.tree import code, find

SELDOM = {"get_config", "from_config", "compute_mask"}  # methods that compute nothing


def made(em: Emitter, name: str) -> str | None:
    """`GELU()` as an entry of a table, if the class of that name needs no keeping; None for all else."""
    fact = em.it.globals.names.get(name)
    cls = fact.payload if fact is not None else None
    if not isinstance(cls, Class) or cls in em.refused or not is_pure(cls):
        return None
    return f"{name}()" if cls.file is not em.it.file else f"lambda x: {name}()(x)"  # defined further down


def is_pure(cls: Class) -> bool:
    """No weights, no state, no arguments, the shape of the input: `call` reads nothing but its first parameter."""
    methods = cls.methods
    call, shape = methods.get("call"), methods.get("compute_output_shape")
    if cls.root != "keras.layers.Layer" or call is None or shape is None or not _gives_first(shape.node):
        return False
    if methods.keys() - SELDOM - {"__init__", "build", "call", "compute_output_shape"} or len(cls.bases) != 1:
        return False
    init, build = methods.get("__init__"), methods.get("build")
    own, first, *others = [p.name.value for p in call.node.params.params] or [""]
    read = {n.value for n in find(call.node.body, cst.Name)}
    return cls.bases[0].symbol == "keras.layers.Layer" and first != "" and not read & {own, *others} and all(
        p.default is not None for p in (init.node.params.params[1:] if init is not None else ())) and not any(
        _makes(m.node) for m in (init, build) if m is not None)


def _gives_first(node: Any) -> bool:
    """`return input_shape`."""
    lines = [s for s in node.body.body if isinstance(s, cst.SimpleStatementLine)]
    last = lines[-1].body[0] if lines and len(lines) == len(node.body.body) == 1 else None
    params = [p.name.value for p in node.params.params]
    return isinstance(last, cst.Return) and isinstance(last.value, cst.Name) and params[1:2] == [last.value.value]


def _makes(node: cst.CSTNode) -> bool:
    """Does it call anything but the method of the base class?"""
    return any(not code(c.func).startswith("super(") and code(c.func) != "super" for c in find(node, cst.Call))
