"""Modules and functions that `map` applies: `map(self.norm, (q, k))`, `map(partial(torch.cat, dim=1), pairs)`.

What one takes and gives is told call by call, so it is read as a lambda, and written as one where it is called in
another way in Keras: with other settings, or with tensors in another order of axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst

from port.binding import literal_text
from port.facts import Fact, Kind
from port.scopes import Env
from port.torch2tf import members, unknowns
from port.torch2tf.refused import Refused
from port.torch2tf.values import Function, Items, Mapping, Partial
from port.tree import code, named

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

MAP = "builtins.map"
BARE = cst.MaybeSentinel.DEFAULT
SPACE = cst.SimpleWhitespace(" ")


def read(it: Interp, node: cst.Call, args: list[Fact], env: Env) -> list[Fact]:
    """The facts of the arguments, what is applied as the lambda that calls it."""
    made = _lambda(it, node, args[0]) if len(args) > 1 and not any(a.star or a.keyword for a in node.args) else None
    return args if made is None else [it.ev(made, env), *args[1:]]


def _lambda(it: Interp, node: cst.Call, function: Fact) -> cst.Lambda | None:
    held = function.payload
    first = node.args[0].value
    settings: list[cst.Arg] = []
    if isinstance(held, Partial) and held.node is first:
        function, first, settings = held.function, held.node.args[0].value, list(held.node.args[1:])
    if not _is_applied(function) or (settings and function.payload is not None) or any(
            a.keyword is None or a.star or not _is_literal(a.value) for a in settings):
        return None  # positional ones stand before the tensor, and others may change until it is called
    known = it.objects.get((MAP, node))
    if known is None:
        names = [cst.Name(name) for name in _parameters(it, function, node)]
        given = [*map(cst.Arg, names), *settings]
        given = [*(a.with_changes(comma=cst.Comma(whitespace_after=SPACE)) for a in given[:-1]), given[-1]]
        known = it.objects[MAP, node] = cst.Lambda(cst.Parameters([
            cst.Param(n, comma=cst.Comma(whitespace_after=SPACE) if n is not names[-1] else BARE) for n in names]),
            cst.Call(first, given), whitespace_after_lambda=SPACE)
    return known  # type: ignore[no-any-return]


def _is_applied(function: Fact) -> bool:
    """A module, a function of the user's that has a name, or one of the framework."""
    if function.kind is Kind.LAYER:
        return not isinstance(function.payload, Items | Mapping)
    if isinstance(function.payload, Function):
        return isinstance(function.payload.node, cst.FunctionDef)
    name = function.symbol.rpartition(".")[2]
    return function.kind is Kind.FUNCTION and function.payload is None and function.symbol.startswith(
        "torch.") and name[:1].islower()


def _parameters(it: Interp, function: Fact, node: cst.Call) -> list[str]:
    """Names for what is taken: PyTorch's, if that says more than that it is the input."""
    free = (name for name in "tuvabcdefg" if name not in named(node))
    count = len(node.args) - 1
    known = [s.params[0].name for row in it.rows.get(function.symbol, ()) for s in row.torch if s.params]
    if count == 1 and known and known[0] not in ("input", "self", "x") and known[0] not in named(node):
        return known[:1]
    return [next(free) for _ in range(count)]


def _is_literal(node: cst.BaseExpression) -> bool:
    try:
        literal_text(code(node))
    except LookupError:
        return False
    return True


def write(w: Any, node: cst.Call) -> cst.Call | None:
    """The call of `map` with the lambda in the place of the function, or the name of what the lambda calls alone."""
    from port.torch2tf import containers

    made = w.it.objects.get((MAP, node))
    _check(w, node, w.fact(made if made is not None else node.args[0].value if node.args else None).payload)
    if made is None:
        return None
    new = w.expr(made)
    body = new.body
    if isinstance(body, cst.Call) and isinstance(body.func, cst.Name | cst.Attribute) and [
            (a.keyword, code(a.value)) for a in body.args] == [(None, code(p.name)) for p in made.params.params]:
        new = body.func
    over = [a.with_changes(value=containers.gone_through(w, a.value)) for a in node.args[1:]]
    return node.with_changes(args=[node.args[0].with_changes(value=new), *over])


def _check(w: Any, node: cst.Call, function: Any) -> None:
    """Refuse to go through tensors that have another order of axes than what is applied to them takes."""
    if not isinstance(function, Function):
        return
    for name, arg in zip(function.arguments, node.args[1:], strict=False):
        held, taken = w.fact(arg.value), function.held.get(name)
        parts = held.payload.elements if isinstance(held.payload, Items) else [members.element_of(w.it, held)]
        if taken is not None and any(unknowns.another_order(part, taken, function) for part in parts):
            raise Refused("P209", f"some tensors in `{code(arg.value)}` are channels last in Keras, others are not: "
                          "write the calls out", node)


__all__ = ["read", "write"]
