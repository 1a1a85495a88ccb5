"""Functions of the framework as values that take more than a tensor: `softmax = torch.softmax if ... else mine`.

A variable that holds one is called with PyTorch's names for its settings, which the port's function keeps.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import bind
from port.build import COMMA, TIGHT, expression
from port.facts import Fact, Kind, tensor
from port.torch2tf.binds import names_of
from port.torch2tf.layer_values import calls_through_value
from port.torch2tf.refused import Refused

SPACE = cst.SimpleWhitespace(" ")


def write(w: Any, node: cst.BaseExpression, symbol: str) -> Any:
    """`lambda input, dim: tf.nn.softmax(input, axis=dim)`; None if what it does depends on what it is given."""
    calls = [call for call in calls_through_value(w, symbol) if not w.outside(call.func)]
    known = [(row, name) for name in names_of(symbol) for row in w.it.rows.get(name, ())] if calls else []
    for row, name in known:
        for signature in row.torch if row.kind == "function" and not row.none else ():
            bound = [bind(signature, call) for call in calls]
            if signature.name == name and not any(b.problem for b in bound):
                made = _lambda(w, node, symbol, signature, [set(b.args) for b in bound])
                if made is not None:
                    return made
    if any(len(call.args) > 1 for call in calls):
        raise Refused("P201", f"`{symbol}` has no counterpart that could stand as a value and be called as it is here",
                      node, symbol)
    return None


def _lambda(w: Any, node: cst.BaseExpression, symbol: str, signature: Any, given: list[set[str]]) -> Any:
    """Of the tensor and the settings that calls give; what only some of them give has its default."""
    names = [p.name for p in signature.params if any(p.name in one for one in given)]
    defaults = {p.name: p.default for p in signature.params if not all(p.name in one for one in given)}
    if not names or names[0] != signature.params[0].name or len(names) < 2:
        return None
    first, *settings = [cst.Name(n) for n in names]
    args = [cst.Arg(first, comma=COMMA), *(cst.Arg(s, keyword=cst.Name(s.value), equal=TIGHT, comma=COMMA)
                                           for s in settings)]
    call = cst.Call(node, [*args[:-1], args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)])
    w.it.note(first, tensor(None, "float"))
    for setting in settings:
        w.it.note(setting, Fact(Kind.PLAIN, dtype="int" if setting.value == "dim" else None))
    from port.torch2tf import rows

    try:
        with w.tentative():
            body = rows.write_call(w, call, symbol)
    except Refused:
        return None
    params = [cst.Param(n, comma=COMMA if n is not settings[-1] else cst.MaybeSentinel.DEFAULT, equal=TIGHT,
                        default=expression(defaults[n.value])) if defaults.get(n.value) else cst.Param(
                  n, comma=COMMA if n is not settings[-1] else cst.MaybeSentinel.DEFAULT) for n in (first, *settings)]
    return cst.Lambda(cst.Parameters(params), body, whitespace_after_lambda=SPACE)


__all__ = ["write"]
