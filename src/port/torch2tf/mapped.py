"""Functions of the framework that `map` applies, with settings or without: `map(partial(torch.cat, dim=1), pairs)`.

What a function takes and gives is told call by call, so it is read as a lambda, and written as one where its settings
are others in Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.binding import literal_text
from port.facts import Fact, Kind
from port.scopes import Env
from port.torch2tf.values import Partial
from port.tree import code, named

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

MAP = "builtins.map"
BARE = cst.MaybeSentinel.DEFAULT
SPACE = cst.SimpleWhitespace(" ")


def read(it: Interp, node: cst.Call, args: list[Fact], env: Env) -> list[Fact]:
    """The facts of the arguments, a function of the framework as the lambda that calls it."""
    made = _lambda(it, node, args[0]) if len(args) == 2 and not node.args[0].star else None
    return args if made is None else [it.ev(made, env), *args[1:]]


def _lambda(it: Interp, node: cst.Call, function: Fact) -> cst.Lambda | None:
    held = function.payload
    first = node.args[0].value
    settings: list[cst.Arg] = []
    if isinstance(held, Partial) and held.node is first:
        function, first, settings = held.function, held.node.args[0].value, list(held.node.args[1:])
    if function.kind is not Kind.FUNCTION or function.payload is not None or not _is_function(function.symbol):
        return None
    if any(a.keyword is None or a.star or not _is_literal(a.value) for a in settings):
        return None  # positional ones stand before the tensor, and others may change until it is called
    known = it.objects.get((MAP, node))
    if known is None:
        name = cst.Name(_parameter(it, function.symbol, node))
        args = [cst.Arg(name, comma=cst.Comma(whitespace_after=SPACE) if settings else BARE), *settings]
        known = it.objects[MAP, node] = cst.Lambda(
            cst.Parameters([cst.Param(name)]), cst.Call(first, args), whitespace_after_lambda=SPACE)
    return known  # type: ignore[no-any-return]


def _is_literal(node: cst.BaseExpression) -> bool:
    try:
        literal_text(code(node))
    except LookupError:
        return False
    return True


def _is_function(symbol: str) -> bool:
    return symbol.startswith("torch.") and symbol.rpartition(".")[2][:1].islower()


def _parameter(it: Interp, symbol: str, node: cst.Call) -> str:
    """A name for what the function takes: PyTorch's, if that says more than that it is the input."""
    names = [s.params[0].name for row in it.rows.get(symbol, ()) for s in row.torch if s.params]
    name = names[0] if names and names[0] not in ("input", "self", "x") else "t"
    return name if name not in named(node) else f"{name}_"


def write(w: Any, node: cst.Call) -> cst.Call | None:
    """The call of `map` with the lambda in the place of the function, or the name of what the lambda calls alone."""
    from port.torch2tf import containers

    made = w.it.objects.get((MAP, node))
    if made is None:
        return None
    new = w.expr(made)
    body = new.body
    if isinstance(body, cst.Call) and len(body.args) == 1 and body.args[0].keyword is None and code(
            body.args[0].value) == code(made.params.params[0].name) and isinstance(body.func, cst.Name | cst.Attribute):
        new = body.func
    over = [a.with_changes(value=containers.gone_through(w, a.value)) for a in node.args[1:]]
    return node.with_changes(args=[node.args[0].with_changes(value=new), *over])


__all__ = ["read", "write"]
