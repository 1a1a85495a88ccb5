"""What stands above an expression in its function, and parts of statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.torch2tf import members
from port.torch2tf.values import Function
from port.tree import children, walk

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp


def parents(it: Interp, function: cst.CSTNode) -> dict[cst.CSTNode, cst.CSTNode]:
    """Each node of a function and the node that holds it."""
    known = it.objects.setdefault("parents", {})
    if function not in known:
        known[function] = {child: node for node in walk(function) for child in children(node)}
    return known[function]  # type: ignore[no-any-return]


def targets(node: Any) -> list[str]:
    if isinstance(node, cst.Tuple | cst.List):
        return [n for e in node.elements for n in targets(e.value)]
    return [node.value] if isinstance(node, cst.Name) else []


def blocks_of(node: Any) -> list[Any]:
    """The blocks of a compound statement, and of what hangs on it."""
    body = getattr(node, "body", None)
    found = [body] if isinstance(body, cst.IndentedBlock | cst.SimpleStatementSuite) else []
    hanging = (getattr(node, "orelse", None), getattr(node, "finalbody", None), *getattr(node, "handlers", ()),
               *getattr(node, "cases", ()))
    return found + [b for part in hanging if part is not None for b in blocks_of(part)]


def leaves(block: Any) -> bool:
    """Does a block, or a line of statements, end with leaving the function?"""
    last = block.body[-1]
    last = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(last, cst.Return | cst.Raise)


# ---------------------------------------------------------------- calls of the user's functions
def functions(payload: Any) -> list[Function]:
    if isinstance(payload, Function):
        return [payload]
    return members.called(payload, "forward") or members.called(payload, "__call__")


def given(function: Function, node: cst.Call) -> dict[str, cst.BaseExpression]:
    """Parameters and what the call gives them."""
    names, out, at = function.arguments, {}, 0
    for arg in node.args:
        if arg.keyword is not None:
            out[arg.keyword.value] = arg.value
        elif at < len(names):
            out[names[at]] = arg.value
            at += not arg.star
    return out


def read_once(it: Interp, subject: str, function: Function, meanwhile: Any,
              read: Callable[[Any, Function], Any]) -> Any:
    """What is to know of a function; a recursive call finds `meanwhile` while it is being read."""
    known = it.objects.setdefault(subject, {})
    if function not in known:
        known[function] = meanwhile
        known[function] = read(it, function)
    return known[function]
