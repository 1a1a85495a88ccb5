"""Layers of images that are passed on: `Residual(Conv2D(4, 3))`. Who gets them calls them with the source's axes."""

from __future__ import annotations

import libcst as cst

from port.build import expression
from port.facts import UNKNOWN, Kind, Layout
from port.tf2torch.calls.handed import works_on_first
from port.tf2torch.calls.layers import own_modules, plan
from port.tf2torch.calls.traced import TRACED
from port.tf2torch.emit import TO_FIRST, TO_LAST, Emitter, Refused
from port.tf2torch.infer.layers import rank_of
from port.tf2torch.infer.rowcalls import FLIPS
from port.tf2torch.infer.values import Class, Function, Instance, LayerCall, find_method
from port.tf2torch.rules.sequential import permute
from port.tree import code, find, memo


def layer(em: Emitter, node: cst.Call) -> cst.BaseExpression | None:
    """A layer of Keras that no fact sees applied, with its activation and permutes; None for any other."""
    made = em.it.layers[node]
    if made.inputs or made in em.standing or not (em.scope.stage == TRACED or _is_passed(em, node)):
        return None
    planned = plan(em, made, UNKNOWN, sequential=True)
    if planned.job.want is not Layout.FLIPPED and planned.job.row.layout != FLIPS:
        return None
    rank = rank_of(made.symbol)
    if rank not in TO_FIRST or "Global" in made.symbol:
        raise Refused("P208", f"`{code(node.func)}` is passed on, and how many axes it is given is not known", node)
    return _turned(em, own_modules(em, made, planned, node), rank)


def instance(em: Emitter, node: cst.Call, made: Instance, new: cst.BaseExpression) -> cst.BaseExpression:
    """The same for an object of a class of which others are given images channels first."""
    call = find_method(made.cls, "call")
    if made.applied or call is None or not call.flipped or not made.cls.inside or em.it.plain_axes(call) or (
            not _is_passed(em, node)):
        return new
    ranks = {call.tensors[name].rank for name in call.flipped if name in call.tensors}
    given = call.result
    if given is not None and given.layout is Layout.FLIPPED and ranks == {given.rank} and len(call.flipped) == 1 and (
            given.rank in TO_FIRST):
        return _turned(em, [new], given.rank)
    raise Refused("P209", f"`{code(node.func)}` works on channels first, and who gets this one calls it with channels "
                  "last", node)


def check(em: Emitter, node: cst.Call) -> None:
    """Refuse to pass a layer to a function that calls it: `residual(Conv2D(4, 3), x)`. Its facts do not follow it."""
    function = em.fact(node.func).payload
    if not isinstance(function, Function):
        return
    for name, value in _given(function, node):
        made = em.fact(value)
        here = value in em.it.layers
        if made.kind not in (Kind.LAYER, Kind.MODEL) or (here and em.scope.stage == TRACED):  # there it is turned
            continue
        first = isinstance(made.payload, LayerCall | Instance) and works_on_first(em, made.payload)
        if (here or first) and any(code(n.func) == name for n in find(function.node, cst.Call)):
            raise Refused("P206", f"`{code(value)}` is passed to `{code(node.func)}`, which calls it: call it here, or "
                          "hold it in a class", node)


def _given(function: Function, node: cst.Call) -> list[tuple[str, cst.BaseExpression]]:
    """Parameters, each with what the call passes."""
    names = function.params[1:] if function.owner is not None else function.params
    return [(a.keyword.value if a.keyword is not None else names[at] if at < len(names) else "", a.value)
            for at, a in enumerate(node.args) if not a.star]


def _turned(em: Emitter, modules: list[cst.BaseExpression], rank: int) -> cst.BaseExpression:
    em.need("nn")
    inside = [permute(em, TO_FIRST[rank]), *modules, permute(em, TO_LAST[rank])]
    return cst.Call(expression("nn.Sequential"), [cst.Arg(m) for m in inside])


def _is_passed(em: Emitter, node: cst.Call) -> bool:
    """Is it an argument of a call of the user's, or one of two that it may be?"""
    by = _arguments(em.it.module).get(node)
    if by is None:
        return False
    known = em.it.names.resolve(by.func).split(".")[0] in ("tf", "keras")
    to = em.fact(by.func).payload
    return not known and (isinstance(to, Class | None) or (em.scope.stage == TRACED and isinstance(to, Function)))


@memo
def _arguments(module: cst.Module) -> dict[cst.CSTNode, cst.Call]:
    """Calls that are arguments of others."""
    found: dict[cst.CSTNode, cst.Call] = {}
    for call in find(module, cst.Call):
        todo = [a.value for a in call.args]
        while todo:
            value = todo.pop()
            if isinstance(value, cst.IfExp):
                todo += [value.body, value.orelse]
            elif isinstance(value, cst.BooleanOperation):
                todo += [value.left, value.right]
            elif isinstance(value, cst.Call):
                found[value] = call
    return found


