"""Calls that make weights which are no layer's."""

from __future__ import annotations

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Class, SelfValue
from port.tree import code, find

MAKERS = ("add_weight", "add_variable")
VARIABLES = ("tf.Variable", "keras.Variable")
FILLED = ("keras.backend.ones", "keras.backend.zeros")  # weights of the layer that has them as attributes


def is_own(em: Emitter, call: cst.Call) -> bool:
    """Is it `self.add_weight(...)`?"""
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in MAKERS and isinstance(
        em.fact(call.func.value).payload, SelfValue)


def makes_weight(em: Emitter, call: cst.CSTNode) -> bool:
    """Is it `self.add_weight(...)` or `tf.Variable(...)`?"""
    return isinstance(call, cst.Call) and (is_own(em, call) or em.symbol(call.func) in VARIABLES)


def first_weight(em: Emitter, cls: Class) -> str:
    """`self.kernel`, the first attribute of the class that holds such a weight; '' if there is none."""
    targets = (line.targets[0].target for line in find(cls.node, cst.Assign) if makes_weight(em, line.value))
    return next((code(t) for t in targets if isinstance(t, cst.Attribute) and code(t.value) == "self"), "")
