"""Attributes of the user's modules whose names Keras' layers keep for themselves: `self.name` is `self.name_`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import Fact
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Instance, SelfOf, options
from port.tree import find

RESERVED = {"dtype", "weights", "variables", "losses", "metrics", "input", "output", "path", "trainable_weights",
            "trainable_variables", "non_trainable_weights", "compute_dtype", "variable_dtype", "input_dtype"}
ONLY_SET = {"name"}  # that may be set, but not to everything


def kept(owner: Fact, name: str) -> str:
    """The attribute's name in Keras."""
    if name not in RESERVED | ONLY_SET:
        return name
    own = {isinstance(o.payload, SelfOf | Instance) and o.payload.cls.is_module and name in o.payload.cls.attrs
           for o in options(owner)}
    if len(own) > 1:
        raise Refused("P206", f"`.{name}` is an attribute that Keras' layers keep for themselves; rename it")
    return f"{name}_" if True in own else name


def check(w: Any, cls: Class) -> None:
    """Refuse a class whose attribute cannot be renamed: it is registered, or named by a string."""
    for name in sorted((RESERVED | ONLY_SET) & cls.attrs.keys()):
        sites = cls.places.get(name, ())
        if not sites and name in ONLY_SET:
            continue
        spelled = any(a.value.evaluated_value == name for n in find(w.it.module, cst.Call) if isinstance(
            n.func, cst.Name) and n.func.value in ("getattr", "setattr", "hasattr")
            for a in n.args if isinstance(a.value, cst.SimpleString))
        if not sites or spelled or f"{name}_" in cls.attrs or not all(isinstance(s, cst.Attribute) for s in sites):
            raise Refused("P206", f"`self.{name}` is an attribute that Keras' layers keep for themselves; rename it",
                          cls.node)
