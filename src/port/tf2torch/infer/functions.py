"""Calls of the user's functions."""

from __future__ import annotations

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.tf2torch.infer.analysis import analyze
from port.tf2torch.infer.arrivals import bind_args, receive, want_flips
from port.tf2torch.infer.elementwise import follows
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.layers import shows_tensor
from port.tf2torch.infer.origins import as_source, proves_rank
from port.tf2torch.infer.results import bindings_of, in_terms, out_size, ranked, substitute
from port.tf2torch.infer.values import Alternatives, Curried, Function, has_tensor, is_helper


def call_function(it: Interp, node: cst.Call | None, function: Function, args: list[Fact]) -> Fact:
    bound = bind_args(function, node, args) or {}
    changed = receive(it, function, bound, starred=node is not None and any(a.star for a in node.args))
    function.called += 1
    if node is not None:
        it.applications[node] = (Fact(Kind.FUNCTION, payload=function), list(args))
    if function.busy:
        return function.result or UNKNOWN
    if function.result is None or changed:
        analyze(it, function)
    want_flips(it, function, bound)
    for name, (_, given) in bound.items():
        if given is not None and name not in function.assigned:
            proves_rank(it, given, it.ranks.get((function, name), 0))
    if (function.stateful or function.owner is not None) and not function.graph:
        for name, (fact, _) in bound.items():
            if name in function.tensors or (function, name) in it.ranks:
                shows_tensor(it, fact)
    if node is not None and is_helper(function):
        function.told[node] = it.current[-1] if it.current else None, bindings_of(it, node, function, bound)
    inner = (function.result or UNKNOWN).payload
    if node is not None and isinstance(inner, Function) and inner.stateful and inner.env.outer is not None and (
            isinstance(inner.node, cst.FunctionDef) and inner.owner is None and inner.node in _nested(function)):
        function.inner = inner
        it.applications.pop(node, None)
        return Fact(Kind.LAYER, symbol=function.name, payload=Curried(function, inner, node, bound))
    result = substitute(it, node, function, bound)
    if result.kind is Kind.TENSOR and len(function.tensors) == 1:
        (name, (fact, _)), = [b for b in bound.items() if b[0] in function.tensors] or [("", (UNKNOWN, None))]
        if fact.kind is Kind.TENSOR and follows(it, function, name):
            return fact.but(dtype=result.dtype)
    return as_source(result) if it.plain_axes(function) else result


def _nested(function: Function) -> list[cst.CSTNode]:
    return [s for s in function.node.body.body if isinstance(s, cst.FunctionDef)]  # type: ignore[union-attr]


def call_curried(it: Interp, node: cst.Call, curried: Curried, args: list[Fact]) -> Fact:
    inner = curried.inner
    bound = bind_args(inner, node, args) or {}
    changed = receive(it, inner, bound, starred=False)
    inner.called += 1
    if inner.busy:
        return inner.result or UNKNOWN
    if inner.result is None or changed:
        analyze(it, inner)
    want_flips(it, inner, bound)
    result = inner.result or UNKNOWN
    if not has_tensor(result):
        return result
    bindings = bindings_of(it, node, inner, bound)
    bindings.update(bindings_of(it, curried.node, curried.outer, curried.bound))
    given = ranked(in_terms(it, node, inner, result, bindings, None), result, inner, bound)
    return as_source(given) if it.plain_axes(inner) else given


def curried_alternatives(it: Interp, node: cst.Call, options: Alternatives, args: list[Fact]) -> Fact:
    """`{0: A, 1: B}[kind](settings)(x)`: one of several blocks; its width is asked of the module."""
    results = [call_curried(it, node, o.payload, args) for o in options.functions]
    it.wants_out |= {o.payload.inner for o in options.functions}
    first = results[0]
    if first.kind is not Kind.TENSOR or first.shape is None:
        return first
    return first.but(shape=(*first.shape[:1], *[None] * (len(first.shape) - 2), out_size(it, node, None, None)),
                     payload=None)
