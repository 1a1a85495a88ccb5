"""Functions of the user's, or chosen by a name, as activations: one that looks at axes gets them as in the source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import build, paren
from port.facts import Kind, Layout
from port.tf2torch.calls.job import resolve_reaching
from port.tf2torch.emit import Emitter
from port.tf2torch.infer.builtins import ACTIVATION
from port.tf2torch.infer.elementwise import acts_by_element
from port.tf2torch.infer.values import Function
from port.tree import find

GETTER = "keras.activations.get"
ON_AXES = ("softmax", "log_softmax", "sparsemax", "glu")


def acted(em: Emitter, function: Any, callee: cst.BaseExpression, x: cst.BaseExpression, flipped: bool
          ) -> cst.BaseExpression:
    """`callee(x)`, of a tensor that is channels first here if `flipped`; a Function, or None for one by name."""
    if isinstance(function, Function):
        first = function.params[:1]
        inside = bool(function.flipped & {*first}) and not em.it.plain_axes(function)
        alike = inside is flipped or acts_by_element(em.it, function)
    else:
        inside, alike = False, not flipped or not _on_axes(em)
    if alike:
        return cst.Call(paren(callee), [cst.Arg(x)])
    there, back = ("1, -1", "-1, 1") if flipped else ("-1, 1", "1, -1")
    return build(f"{{f}}({{x}}.movedim({there})).movedim({back})", f=paren(callee), x=paren(x))


def named(em: Emitter, node: cst.Call, argument: cst.BaseExpression) -> cst.BaseExpression | None:
    """A call of what a setting chose by name, which softmax may be, with channels first; None for any other."""
    fact = em.fact(argument)
    listed = isinstance(node.func, cst.Subscript)  # of a dict, all of which act by element
    if listed or em.fact(node.func).symbol != ACTIVATION or len(node.args) != 1 or fact.kind is not Kind.TENSOR or (
            fact.layout is not Layout.FLIPPED) or not _on_axes(em):
        return None
    return acted(em, None, em.expr(node.func), em.expr(argument), True)


def _on_axes(em: Emitter) -> bool:
    """May a name that reaches an activation of this file be one of those that look at an axis?"""
    own = _getters(em, em.scope.cls.node) if em.scope.cls is not None else set()
    calls = own or _getters(em, em.it.module)
    names: list[set[Any]] = []
    here, left = em.scope, set(calls)
    for function in em.it.functions.values():
        for call in calls & {*find(function.node, cst.Call)} if function.file is em.it.file else ():
            em.scope = replace(here, function=function, cls=function.owner)
            names.append({r for r in resolve_reaching(em, call.args[0].value) if isinstance(r, str)})
            left.discard(call)
    em.scope = here
    return not calls or bool(left) or any(not n or n & {*ON_AXES} for n in names)


def _getters(em: Emitter, node: cst.CSTNode) -> set[cst.Call]:
    return {c for c in find(node, cst.Call) if em.symbol(c.func) == GETTER and c.args}
