"""`def __init__(self, width, **kwargs)`, whose `kwargs` go to one layer of the framework: they get their names.

Keras' layers call their arguments otherwise, so that a dict of PyTorch's cannot be handed on. The names are those that
the project's own code passes, or all that are left of the layer's own; the defaults are the layer's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from port.build import COMMA, TIGHT, expression
from port.torch2tf.layer_signatures import default_of, signatures
from port.torch2tf.values import Function, Layer
from port.tree import code, find, walk

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

FIXED = ("device", "dtype", "padding_mode", "divisor_override")  # what nobody passes where it is not seen


def taken(it: Interp, function: Function) -> cst.Call | None:
    """The one call that `**kwargs` of a constructor are handed to, if nothing else is done with them.

    What branches do that raise in the port (elsewhere.py) is no matter.
    """
    owned = function.owner is not None and function.owner.is_module and function.name == "__init__"
    if not owned or not function.kwstar:
        return None
    raises = {n for n in walk(function.node.body) if n in it.left}
    but = {n for branch in raises for n in walk(branch)}
    names = [n for n in find(function.node.body, cst.Name) if n.value == function.kwstar and n not in but]
    calls = [n for n in find(function.node.body, cst.Call) if n not in but and any(
        a.star == "**" and code(a.value) == function.kwstar for a in n.args)]
    return calls[0] if len(names) == 1 and len(calls) == 1 else None


def written_out(it: Interp, node: cst.Call) -> cst.Call | None:
    """The call with `kernel_size=kernel_size, ...` for the constructor's `**kwargs`; None: it is no such call."""
    function = it.current[-1] if it.current else None
    if function is None or taken(it, function) is not node:
        return None
    symbol = it.receivers[node].symbol
    signature = signatures().get(symbol)
    if signature is None or not (function.words_hidden or function.extra.keys() <= {p.name for p in signature.params}):
        it.layers.pop((it.objects.pop(("spread", node), node), symbol), None)
        return None
    names = _names(symbol, function, node)
    known = it.objects.get(("spread", node))
    if known is not None and {a.value.value for a in known.args if a not in node.args} == set(names):
        return known
    if known is not None:  # of other arguments
        it.layers.pop((known, symbol), None)
    at = next(i for i, a in enumerate(node.args) if a.star == "**")
    made = [cst.Arg(cst.Name(n), keyword=cst.Name(n), equal=TIGHT, comma=COMMA) for n in names]
    before = list(node.args[:at])
    last = made or before
    if last:
        last[-1] = last[-1].with_changes(comma=node.args[at].comma)
    new = it.objects[("spread", node)] = node.with_changes(args=[*before, *made, *node.args[at + 1:]])
    return new


def plan(it: Interp, function: Function) -> dict[str, cst.BaseExpression | None] | None:
    """The parameters for `**kwargs` with their defaults, None where one must be given; None: the stars stay."""
    call = taken(it, function)
    if call is None or (made := it.objects.get(("spread", call))) is None:
        return None
    layers = [layer for (node, _), layer in it.layers.items() if node is made]
    if len(layers) != 1:
        return None
    return {name: _default(layers[0], name) for name in _names(layers[0].symbol, function, call)}


def _names(symbol: str, function: Function, call: cst.Call) -> list[str]:
    """What callers pass, in the order of the layer's parameters; all that is left of these, if that is not known."""
    params = [p.name for p in signatures()[symbol].params]
    given = {a.keyword.value for a in call.args if a.keyword} | {
        n for n, a in zip(params, call.args, strict=False) if a.keyword is None and not a.star}
    rest = [n for n in params if n not in given and n not in function.params]
    if function.words_hidden:
        return [n for n in rest if n not in FIXED[2:]]
    return [n for n in rest if (n in function.extra if function.extra else n not in FIXED)]


def names(it: Interp, function: Function) -> list[str]:
    """The parameters that `**kwargs` of a constructor stand for."""
    call = taken(it, function)
    callee = it.receivers.get(call) if call is not None else None
    return [] if call is None or callee is None or callee.symbol not in signatures() else _names(
        callee.symbol, function, call)


def _default(layer: Layer, name: str) -> cst.BaseExpression | None:
    text = default_of(layer.symbol, name)
    return None if text is None else expression(text)
