"""A Lambda layer with further arguments is the call of its function.

    x = layers.Lambda(part, arguments={"start": 0, "stop": n})(x)     ->     x = part(x, start=0, stop=n)
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import argument, drop_commas
from port.names import Names
from port.tree import rebuild

KNOWN = {"function", "arguments", "name", "output_shape"}


def rewrite(module: cst.Module, bound: Names) -> cst.Module:
    """The module with such layers written as calls; the same object if there are none."""
    def change(node: Any) -> Any:
        new: Any = rebuild(node, change)
        inner = node.func if type(node) is cst.Call else None
        if not isinstance(inner, cst.Call) or bound.resolve(inner.func) != "keras.layers.Lambda" or len(node.args) != 1:
            return new
        function, given = keyword(inner, "function", 0), keyword(inner, "arguments", 3)
        named = {a.keyword.value for a in inner.args if a.keyword is not None} <= KNOWN
        if not isinstance(function, cst.Name | cst.Attribute) or given is None or not named or node.args[0].star:
            return new
        further = _arguments(given)
        return new if further is None else cst.Call(function, drop_commas([*new.args, *further], []))

    return change(module)  # type: ignore[no-any-return]


def _arguments(given: cst.BaseExpression) -> list[cst.Arg] | None:
    """`start=0, stop=n` of a dict that is written out; `**arguments` of one that has a name."""
    if isinstance(given, cst.Name):
        return [cst.Arg(given, star="**")] if given.value != "None" else None
    if not isinstance(given, cst.Dict):
        return None
    found = []
    for element in given.elements:
        key = element.key.evaluated_value if isinstance(element, cst.DictElement) and isinstance(
            element.key, cst.SimpleString) else None
        if not isinstance(key, str) or not key.isidentifier():
            return None
        found.append(argument(key, element.value, None))
    return found
