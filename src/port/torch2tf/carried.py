"""Tensors that a module carries from call to call.

    def forward(self, x):
        h = self.fc(x) if self.h is None else self.fc(x) + self.h
        self.h = h
        return h

Inside tf.function, which `fit` and `predict` use, the code runs once: what it binds to `self` then is a tensor of that
graph, and every later call computes as the first one did. Only a variable that is assigned would be carried on.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import libcst as cst

from port.facts import Kind
from port.torch2tf.refused import Refused
from port.torch2tf.values import SelfOf, options
from port.tree import find, walk

SAME = frozenset("to cuda cpu float half double type type_as contiguous detach".split())


def check(w: Any, owner: cst.BaseExpression, name: str, value: cst.BaseExpression, at: cst.CSTNode) -> None:
    """Refuse that a method binds an attribute which it has read before: the next call would read this tensor."""
    function = w.function
    if function is None or function.owner is None or function.name == "__init__" or not function.owner.is_module:
        return
    if not isinstance(owner, cst.Name) or not isinstance(w.fact(owner).payload, SelfOf) or not any(
            o.kind is Kind.TENSOR for o in options(w.fact(value))):
        return
    if type(at) is not cst.AugAssign and _moved(value, owner.value, name):
        return
    bound = {id(t.target) for a in find(function.node, cst.Assign) for t in a.targets}
    end = walk(at)[-1]
    before = takewhile(lambda n: n is not end, walk(function.node))
    if type(at) is cst.AugAssign or any(
            type(n) is cst.Attribute and n.attr.value == name and isinstance(n.value, cst.Name)
            and n.value.value == owner.value and id(n) not in bound for n in before):
        raise Refused("P203", f"`self.{name}` carries a tensor from one call to the next, which tf.function does not: "
                      "pass it as an argument and return it, make it anew in each call, or hold it in a weight that "
                      "does not train", at)


def _moved(value: cst.BaseExpression, owner: str, name: str) -> bool:
    """Is the value the attribute itself, on another device or in another dtype: the same in each call?"""
    while isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and value.func.attr.value in SAME:
        value = value.func.value
    return isinstance(value, cst.Attribute) and value.attr.value == name and isinstance(value.value, cst.Name) and (
        value.value.value == owner)
