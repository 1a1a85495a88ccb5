"""Initial values of the class's own weights, which exist from the start: by a name of theirs, of parts, in loops."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build
from port.facts import Kind
from port.torch2tf import init_calls, init_values, ownweights
from port.tree import code, find, walk


def statement(w: Any, node: cst.Call) -> list[Any] | None:
    """nn.init of `tensor` that a loop takes from the weights of the class, or of `self.kernels[i]`; None of others."""
    found = init_calls.init_call(w, node)
    if found is None or w.options.init == "framework":
        return None
    name, target, args = found
    if isinstance(target, cst.Name) and (w.fact(target).symbol == "weight" or _of_parameters(w, target)):
        return init_calls.assign_own(w, w.expr(target), name, args)
    if isinstance(target, cst.Subscript) and w.fact(target.value).symbol == "weight" and len(target.slice) == 1 and (
            isinstance(index := target.slice[0].slice, cst.Index)):
        w.helper("fill_part")
        made = init_values.draw(w, name, args).node
        return [cst.Expr(build("fill_part({t}, {at}, {i})", t=w.expr(target.value), at=w.expr(index.value), i=made))]
    return None


def _of_parameters(w: Any, target: cst.Name) -> bool:
    """`for tensor in self.parameters():` of a class that has no other weights than its own."""
    if w.function is None or w.fact(target).kind is not Kind.TENSOR:
        return False
    around = [n for n in find(w.function.node, cst.For) if any(m is target for m in walk(n.body))
              and code(n.target) == target.value]
    call = around[-1].iter if around else None
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and (
        w.fact(call.func).symbol == "module.parameters" and ownweights.only_own(w.fact(call.func.value)))
