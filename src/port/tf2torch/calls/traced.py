"""Layers of a model that is built by functions which stay functions: they are noted when they are called."""

from __future__ import annotations

import sys
from typing import Any

import libcst as cst

from port.build import build
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.tf2torch.emit import TO_FIRST, Emitter, Refused
from port.tf2torch.infer import masks
from port.tf2torch.infer.values import Origin

TRACED = "traced"


def traced(em: Emitter, callee: cst.BaseExpression) -> cst.BaseExpression:
    """`traced(nn.Linear(3, 4))`: to be called with tensors, or with what stands for them while a model is built."""
    if em.scope.stage != TRACED:
        return callee
    em.helper("traced")
    return build("traced({f})", f=callee)


def unknown_callee(em: Emitter, node: cst.Call) -> bool:
    """May a module be called here that no fact follows: of a container, or of a parameter?"""
    if em.scope.stage != TRACED:
        return False
    fact, func = em.fact(node.func), node.func
    if fact.payload is not None or fact.kind not in (Kind.UNKNOWN, Kind.PLAIN) or fact.symbol.startswith("builtins."):
        return False
    check_maker(em, func)
    function = em.scope.function
    own = isinstance(func, cst.Name) and function is not None and (
        func.value in function.assigned or func.value in function.params)
    return own or isinstance(func, cst.Subscript | cst.Call)


def _is_lost(fact: Fact) -> bool:
    """Is it a tensor's place, in a container that is not followed, of which nothing is known?"""
    return fact.payload is None and fact.kind in (Kind.UNKNOWN, Kind.PLAIN) and fact.symbol in ("", "=")


def check_maker(em: Emitter, func: cst.BaseExpression) -> None:
    """Refuse to call what a package that is not read has made: `Other(3)(x)` is a layer of Keras, most likely."""
    maker = em.it.names.resolve(func.func) if isinstance(func, cst.Call) else ""
    known = maker in em.it.rows or maker.split(".")[0] in {"", "tf", "keras", "numpy", *sys.stdlib_module_names}
    if not known and not em.fact(func).payload:
        raise Refused("P204", f"`{maker}` is of a package that is not ported with this one: what it makes is not known",
                      func)


def check_mask(em: Emitter, node: cst.Call, reads: bool) -> None:
    """Refuse a layer that reads the mask of what no fact follows, where the project makes masks."""
    first = em.fact(node.args[0].value) if node.args else UNKNOWN
    followed = em.scope.stage != TRACED and not _is_lost(first)
    if followed or not reads or first.mask is not None or isinstance(first.payload, Origin):
        return
    makers = [n for n in em.it.layers.values() if masks.name_of(n) == "Masking" or (
        masks.name_of(n) == "Embedding" and masks.is_on(em.it, n, "mask_zero"))]
    if makers:
        raise Refused("P206", "whether a mask reaches this layer, which reads it, is not known", node)


def channels_first(em: Emitter, node: cst.BaseExpression, value: cst.BaseExpression, rank: int | None) -> Any:
    """What no fact follows has the source's axes; a layer of images wants them in PyTorch's order."""
    fact = em.it.facts.get(node, UNKNOWN)
    if fact.kind is Kind.TENSOR or not (_is_lost(fact) or em.scope.stage == TRACED):
        return em.in_layout(node, value, Layout.FLIPPED, rank)
    order = TO_FIRST.get(rank or 0)
    if order is None:
        raise Refused("P208", "the rank of this tensor is not known, so its axes cannot be reordered", node)
    return build("{x}.transpose(1, 2)" if rank == 3 else f"{{x}}.permute{order}", x=value)
