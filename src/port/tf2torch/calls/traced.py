"""Layers of a model that is built by functions which stay functions: they are noted when they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import libcst as cst

from port.build import build
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout
from port.tf2torch.calls import foreign
from port.tf2torch.emit import TO_FIRST, Emitter, Refused
from port.tf2torch.infer import mask_methods, masks
from port.tf2torch.infer.values import Class, Instance, LayerCall, Origin, find_method
from port.tree import code, find, named

TRACED = "traced"
BINDING = (cst.For, cst.AugAssign, cst.AnnAssign, cst.NamedExpr, cst.AsName, cst.Global, cst.Nonlocal)


def traced(em: Emitter, callee: cst.BaseExpression, row: bool = False) -> cst.BaseExpression:
    """`traced(nn.Linear(3, 4))`: to be called with tensors, or with what stands for them while a model is built.

    `row`: it is a layer of Keras, of which a row says what becomes of masks.
    """
    if em.scope.stage != TRACED:
        return callee
    helper = "traced" if row or not carries_masks(em) else "masked"
    em.helper(helper)
    return build(f"{helper}({{f}})", f=callee)


def carries_masks(em: Emitter) -> bool:
    """Do layers of the user's make masks and read them, in models through which no fact follows the masks?"""
    if em.carries_masks is None:
        makers = _makers(em) if em.traced else []
        owners = [[c for c in em.it.classes.values() if layer.node in find(c.node, cst.Call)] for layer in makers]
        told = all(len(held) == 1 and "compute_mask" in held[0].methods for held in owners)  # what becomes of them
        made = told and any(_is_on(i, layer) for layer, held in zip(makers, owners, strict=True)
                            for i in held[0].instances)
        em.carries_masks = made and _lost_readers(em)
    return em.carries_masks


def carried(em: Emitter, node: cst.Call, layer: LayerCall, value: cst.BaseExpression) -> cst.BaseExpression:
    """What a layer of Keras gives, with the mask that it passes on."""
    passes = masks.name_of(layer) in masks.PASS | masks.MERGES
    if em.scope.stage != TRACED or not passes or not carries_masks(em) or not node.args:
        return value
    given = node.args[0].value
    names = [e.value for e in given.elements] if isinstance(given, cst.List | cst.Tuple) else [given]
    if not all(isinstance(n, cst.Name) for n in names):
        raise Refused("P206", "the mask of what this layer gets is not followed: give that a name in a line of its own",
                      node)
    if masks.name_of(layer) in masks.MERGES and _of_keras_two(em):
        em.report("P103", "the mask of merged tensors is that of Keras 2, of steps that are real in all masks; Keras 3 "
                  "takes those of any mask, and no mask if one is missing", node)
        em.helper("merged")
        return build("merged({x}, {given})", x=value, given=given)
    em.helper("carried")
    if masks.name_of(layer) in masks.MERGES and isinstance(given, cst.Name):
        return build("carried({x}, *{given})", x=value, given=given)
    return cst.Call(cst.Name("carried"), [cst.Arg(value), *(cst.Arg(n) for n in names)])


def _of_keras_two(em: Emitter) -> bool:
    """Does a layer give its masked result in a list, as Keras 3 does not take it of what derives from an Embedding?"""
    owners = [c for layer in _makers(em) for c in em.it.classes.values() if layer.node in find(c.node, cst.Call)]
    calls = [m for c in owners if (m := find_method(c, "call")) is not None]
    return bool(calls) and all(isinstance(r.value, cst.List | cst.Tuple) for m in calls for r in find(
        m.node, cst.Return))


@contextmanager
def sized(em: Emitter, node: cst.Call, inputs: Sequence[Fact]) -> Iterator[None]:
    """What a layer is called with may tell it a size that no fact knows: `nn.Conv2d(x.shape[-1], ...)`."""
    first, scope = node.args[0].value if node.args else None, em.scope
    known = scope.sizes
    if scope.stage != TRACED or known is None or not isinstance(first, cst.Name) or not inputs or (
            inputs[0].kind is not Kind.TENSOR):
        yield
        return

    def size(dim: Dim) -> str:
        try:
            return known(dim)
        except Refused:
            if dim != inputs[0].width or dim is None:
                raise
            return f"{first.value}.shape[{1 if inputs[0].layout is Layout.FLIPPED else -1}]"

    em.scope = replace(scope, sizes=size)
    try:
        yield
    finally:
        em.scope = scope


def unknown_callee(em: Emitter, node: cst.Call) -> bool:
    """May a module be called here that no fact follows: of a container, or of a parameter?"""
    if em.scope.stage != TRACED:
        return False
    fact, func = em.fact(node.func), node.func
    if fact.payload is not None or fact.kind not in (Kind.UNKNOWN, Kind.PLAIN) or fact.symbol.startswith("builtins."):
        return False
    foreign.check_call(em, node)
    if _is_named_reader(em, func) and not carries_masks(em) and any(not _told(em, layer) for layer in _makers(em)):
        raise Refused("P206", "whether a mask reaches this layer, which reads it, is not known", node)
    function = em.scope.function
    own = isinstance(func, cst.Name) and function is not None and (
        func.value in function.assigned or func.value in function.params)
    return own or isinstance(func, cst.Subscript | cst.Call)


def _is_lost(fact: Fact) -> bool:
    """Is it a tensor's place, in a container that is not followed, of which nothing is known?"""
    return fact.payload is None and fact.kind in (Kind.UNKNOWN, Kind.PLAIN) and fact.symbol[:1] in ("", "=")


def check_mask(em: Emitter, node: cst.Call, reads: bool) -> None:
    """Refuse a layer that reads the mask of what no fact follows, where the project makes masks."""
    first = em.fact(node.args[0].value) if node.args else UNKNOWN
    followed = em.scope.stage != TRACED and not _is_lost(first)
    layer = em.it.applications[node][0].payload if node in em.it.applications else None
    if em.scope.stage == TRACED and isinstance(layer, Instance) and carries_masks(em):
        return
    if followed or not reads or first.mask is not None or isinstance(first.payload, Origin) or (
            node.args and _bare(em, node.args[0].value, ())):
        return
    if carries_masks(em) or any(not _told(em, layer) for layer in _makers(em)):
        raise Refused("P206", "whether a mask reaches this layer, which reads it, is not known", node)


def check_made(em: Emitter, made: Instance, node: cst.CSTNode) -> None:
    """In a traced function: refuse to make what makes masks, where layers that read one get what is not followed."""
    if em.scope.stage != TRACED or carries_masks(em) or not _lost_readers(em):
        return
    if any(layer.node in find(made.cls.node, cst.Call) and _is_on(made, layer) for layer in _makers(em)):
        raise Refused("P206", "the mask that this makes may reach a layer that reads it, but is not followed", node)


def _makers(em: Emitter) -> list[LayerCall]:
    return [n for n in em.it.layers.values() if masks.name_of(n) == "Masking" or (
        masks.name_of(n) == "Embedding" and masks.is_on(em.it, n, "mask_zero"))]


def _is_on(made: Instance, layer: LayerCall) -> bool:
    zero, settings = layer.bound.get("mask_zero"), mask_methods.Settings(made)
    if isinstance(zero, cst.Name) and zero.value not in ("True", "False"):
        return settings.parameter(zero.value) is not False
    return zero is None or settings.value(zero) is not False


def _told(em: Emitter, layer: LayerCall) -> bool:
    """Is each object of the class that holds it made in a traced function, which refuses that if it makes a mask?"""
    owners = [c for c in em.it.classes.values() if layer.node in find(c.node, cst.Call)]
    if len(owners) != 1:
        return False
    made = {c for f in em.it.files for c in find(f.module, cst.Call)
            if code(c.func).rpartition(".")[2] == owners[0].name}
    traced_ = {c for f in em.traced for c in find(f.node, cst.Call)}
    return bool(made) and {i.node for i in owners[0].instances} == made and made <= traced_


def _lost_readers(em: Emitter) -> bool:
    """Are layers that read masks called with what no fact follows?"""
    for node in (c for f in em.traced for c in find(f.node, cst.Call)):
        callee, inputs = em.it.applications.get(node, (None, []))
        first = inputs[0] if inputs else UNKNOWN
        followed = callee is not None and (first.mask is not None or isinstance(first.payload, Origin))
        if not followed and (_reads(callee.payload) if callee is not None else _is_named_reader(em, node.func)):
            return True
    return False


def _is_named_reader(em: Emitter, func: cst.BaseExpression) -> bool:
    """`Attention(3)`, of whose call no fact is known: by its name."""
    if not isinstance(func, cst.Call):
        return False
    name = code(func.func).rpartition(".")[2]
    return name in masks.READS | masks.REFUSES or any(
        c.name == name and _takes_mask(c) for c in em.it.classes.values())


def _reads(payload: Any) -> bool:
    if isinstance(payload, LayerCall):
        return masks.name_of(payload) in masks.READS | masks.REFUSES
    return isinstance(payload, Instance) and _takes_mask(payload.cls)


def _takes_mask(cls: Class) -> bool:
    method = find_method(cls, "call")
    return method is not None and "mask" in method.params and "mask" in method.names


def _bare(em: Emitter, value: cst.BaseExpression, seen: tuple[str, ...]) -> bool:
    """Has it no mask, as what `Flatten()` gives; a variable, if no line of the function gives it one?"""
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Call):
        layer = em.fact(value.func).payload
        return isinstance(layer, LayerCall) and (masks.stops(layer) or (
            masks.name_of(layer) in masks.PASS | masks.REFUSES and bool(value.args) and
            _bare(em, value.args[0].value, seen)))
    function = em.scope.function
    if not isinstance(value, cst.Name) or function is None or value.value in function.params:
        return False
    if value.value in seen:
        return True
    lines = [n for n in find(function.node, cst.Assign) if value.value in _bound(n)]
    others = [n for kind in BINDING for n in find(function.node, kind) if value.value in named(getattr(n, "target", n))]
    return bool(lines) and not others and all(
        isinstance(n.targets[0].target, cst.Name) and _bare(em, n.value, (*seen, value.value)) for n in lines)


def _bound(line: cst.Assign) -> frozenset[str]:
    return frozenset(n for t in line.targets for n in named(t))


def channels_first(em: Emitter, node: cst.BaseExpression, value: cst.BaseExpression, rank: int | None) -> Any:
    """What no fact follows has the source's axes; a layer of images wants them in PyTorch's order."""
    fact = em.it.facts.get(node, UNKNOWN)
    if fact.kind is Kind.TENSOR or not (_is_lost(fact) or em.scope.stage == TRACED):
        return em.in_layout(node, value, Layout.FLIPPED, rank)
    order = TO_FIRST.get(rank or 0)
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and order is not None and node in (
            em.it.turned) and value.func.attr.value in ("permute", "transpose"):
        return value.func.value  # it was only just given the source's axes
    if order is None:
        raise Refused("P208", "the rank of this tensor is not known, so its axes cannot be reordered", node)
    return build("{x}.transpose(1, 2)" if rank == 3 else f"{{x}}.permute{order}", x=value)
