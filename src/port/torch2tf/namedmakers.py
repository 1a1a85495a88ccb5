"""Functions that a name chooses from a file of the project: `resnet.__dict__[name](weights=weights)`.

It is one of those that can be called so: each parameter without a default is given, and each keyword is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import Fact
from port.scopes import File
from port.torch2tf import links, members
from port.torch2tf.values import Class, Function, one_of, options

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def chosen(it: Interp, node: cst.Call) -> Fact | None:
    """Any one of them; None if the call chooses nothing so."""
    func, file = node.func, None
    if isinstance(func, cst.Subscript) and isinstance(func.value, cst.Attribute) and (
            func.value.attr.value == "__dict__"):
        file = it.fact(func.value.value).payload
    elif isinstance(func, cst.Call) and len(func.args) == 2 and it.fact(func.func).symbol == "builtins.getattr":
        file = it.fact(func.args[0].value).payload
    if not isinstance(file, File) or not any(a.keyword is not None for a in node.args):
        return None
    held = [o for name in links.exported(file) for o in options(links.member(it, file, name))]
    own = (file, *file.stars)  # what it imports by name serves its own code
    return one_of(o for o in held if isinstance(o.payload, Function | Class) and o.payload.file in own
                  and _takes(o.payload, node))


def _takes(payload: Any, node: cst.Call) -> bool:
    function = members.find_method(payload, "__init__") if isinstance(payload, Class) else payload
    if not isinstance(function, Function):
        return False
    words = {a.keyword.value for a in node.args if a.keyword is not None}
    places = [a for a in node.args if a.keyword is None and not a.star]
    if not function.kwstar and not words <= set(function.arguments):
        return False
    given = words | set(function.arguments[:len(places)])
    required = set(function.arguments) - function.defaults.keys()
    return required <= given or any(a.star for a in node.args)
