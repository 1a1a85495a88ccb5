"""The zeros that a recurrent layer begins with: `gru.get_initial_state(batch_size)`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build, paren
from port.facts import Kind
from port.tf2torch.adapt.recurrent import Applied, Native
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import LayerCall
from port.tree import find

STATES = {"keras.layers.GRU": 1, "keras.layers.SimpleRNN": 1, "keras.layers.LSTM": 2}


def initial_state(em: Emitter, node: cst.Call, layer: LayerCall) -> cst.BaseExpression:
    """The one state of a GRU, which Keras gives in a list, or the list of two of an LSTM."""
    count, batch = STATES.get(layer.symbol), keyword(node, "batch_size", 0)
    run = plan(em, layer, first_input(layer)).run
    if count is None or batch is None or em.fact(batch).kind is Kind.TENSOR or not isinstance(run, Applied):
        raise Refused("P204", "`get_initial_state` of this layer: write the zeros that it gives", node)
    if count == 1 and not _alone(em, node):
        raise Refused("P206", "a list of one state; take it out with `[0]`, or pass it as `initial_state=`", node)
    assert isinstance(node.func, cst.Attribute)
    form = "{o}.weight_hh_l0.new_zeros({b}, {o}.hidden_size)" if isinstance(run, Native) else (
        "{o}.cell.weight_hh.new_zeros({b}, {o}.cell.weight_hh.shape[1])")
    zeros = build(form, o=paren(em.expr(node.func.value)), b=em.expr(batch))
    return zeros if count == 1 else build("[{z}] * 2", z=zeros)


def only_state(em: Emitter, node: cst.Subscript) -> cst.BaseExpression | None:
    """`gru.get_initial_state(n)[0]`; None for anything else."""
    call = node.value
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or (
            call.func.attr.value != "get_initial_state"):
        return None
    layer, index = em.fact(call.func.value).payload, node.slice[0].slice
    first = isinstance(index, cst.Index) and em.fact(index.value).literal(...) == 0
    return em.expr(call) if first and isinstance(layer, LayerCall) and STATES.get(layer.symbol) == 1 else None


def _alone(em: Emitter, node: cst.Call) -> bool:
    """Is the list only asked for its element, or handed to a layer?"""
    function = em.scope.function
    root = function.node if function is not None else em.it.module
    handed = [a.value for a in find(root, cst.Arg) if a.keyword is not None and a.keyword.value == "initial_state"]
    if any(n is node for n in [*handed, *(s.value for s in find(root, cst.Subscript))]):
        return True
    names = {t.target.value for a in find(root, cst.Assign) if a.value is node for t in a.targets
             if isinstance(t.target, cst.Name)}
    loops: list[Any] = [*find(root, cst.For), *find(root, cst.CompFor)]
    parts: list[Any] = [*find(root, cst.Subscript), *find(root, cst.StarredElement)]
    parts += [a for a in find(root, cst.Assign) if any(type(t.target) in (cst.Tuple, cst.List) for t in a.targets)]
    opened = [*(n.value for n in parts), *(n.iter for n in loops)]
    taken = {n.value for n in opened if isinstance(n, cst.Name)}
    return bool(names) and not names & taken
