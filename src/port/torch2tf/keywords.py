"""`def __init__(self, width, **kwargs)`, whose `kwargs` go to one layer of the framework: they get their names.

Keras' layers call their arguments otherwise, so that a dict of PyTorch's cannot be handed on. The names are those that
the project's own code passes, the defaults those of the layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from port.build import expression
from port.torch2tf.layer_signatures import default_of, signatures
from port.torch2tf.values import Function, Layer
from port.tree import code, walk

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

EQUAL = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def taken(function: Function) -> cst.Call | None:
    """The one call that `**kwargs` of a constructor are handed to, if nothing else is done with them."""
    owned = function.owner is not None and function.owner.is_module and function.name == "__init__"
    if not owned or not function.kwstar or not function.extra or function.words_hidden:
        return None
    names = [n for n in walk(function.node.body) if isinstance(n, cst.Name) and n.value == function.kwstar]
    calls = [n for n in walk(function.node.body) if isinstance(n, cst.Call) and any(
        a.star == "**" and code(a.value) == function.kwstar for a in n.args)]
    return calls[0] if len(names) == 1 and len(calls) == 1 else None


def written_out(it: Interp, node: cst.Call) -> cst.Call | None:
    """The call with `kernel_size=kernel_size, ...` for the constructor's `**kwargs`; None: it is no such call."""
    function = it.current[-1] if it.current else None
    if function is None or taken(function) is not node:
        if function is not None and function.words_hidden and function.kwstar:  # it was one, before more was known
            it.layers.pop((it.objects.pop(("spread", node), node), it.receivers[node].symbol), None)
        return None
    symbol = it.receivers[node].symbol
    signature = signatures().get(symbol)
    if signature is None or not function.extra.keys() <= {p.name for p in signature.params}:
        return None
    known = it.objects.get(("spread", node))
    if known is not None and {a.keyword.value for a in known.args if a.keyword} >= function.extra.keys():
        return known
    if known is not None:  # of fewer arguments
        it.layers.pop((known, symbol), None)
    at = next(i for i, a in enumerate(node.args) if a.star == "**")
    made = [cst.Arg(cst.Name(n), keyword=cst.Name(n), equal=EQUAL, comma=COMMA) for n in _ordered(symbol, function)]
    made[-1] = made[-1].with_changes(comma=node.args[at].comma)
    new = it.objects[("spread", node)] = node.with_changes(args=[*node.args[:at], *made, *node.args[at + 1:]])
    return new


def plan(it: Interp, function: Function) -> dict[str, cst.BaseExpression | None] | None:
    """The parameters for `**kwargs` with their defaults, None where one must be given; None: the stars stay."""
    call = taken(function)
    layers = [layer for (node, _), layer in it.layers.items() if node is it.objects.get(("spread", call), ...)]
    if call is None or len(layers) != 1:
        return None
    return {name: _default(layers[0], name) for name in _ordered(layers[0].symbol, function)}


def _ordered(symbol: str, function: Function) -> list[str]:
    """What callers pass, in the order of the layer's own parameters."""
    return [p.name for p in signatures()[symbol].params if p.name in function.extra]


def _default(layer: Layer, name: str) -> cst.BaseExpression | None:
    text = default_of(layer.symbol, name)
    return None if text is None else expression(text)
