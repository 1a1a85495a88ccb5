"""Results of functions in the terms of their callers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Sym, tensor
from port.tf2torch.infer import masks
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.origins import same_rank
from port.tf2torch.infer.values import (
    Alternatives,
    Function,
    GraphModel,
    Grown,
    Items,
    Origin,
    SameRank,
    SequentialModel,
    ShapeOf,
    Size,
    has_tensor,
    tensors_in,
)


# ---------------------------------------------------------------- results in the caller's terms
def substitute(it: Interp, node: cst.Call | None, function: Function, bound: dict[str, tuple[Fact, Any]]) -> Fact:
    result = function.result or UNKNOWN
    if result.kind is Kind.TENSOR and isinstance(result.payload, Origin) and not function.stateful and (
            result.payload.name in bound):
        result = result.but(payload=bound[result.payload.name][0].payload)
    if isinstance(result.payload, SequentialModel) and node is not None and result.payload.maker is function:
        return result.but(payload=replace(result.payload, terms=bindings_of(it, node, function, bound)))
    if isinstance(result.payload, GraphModel) and node is not None:
        return _model_here(it, function, result, bindings_of(it, node, function, bound))
    if isinstance(result.payload, ShapeOf | Size):
        return result.but(payload=_sizes_outside(result.payload))
    if not has_tensor(result) or (node is None and (function.stateful or not function.mirrors)):
        return result
    bindings = bindings_of(it, node, function, bound)
    out = in_terms(it, node, function, result, bindings, None)
    return masks.foreign(ranked(out, result, function, bound) if function.stateful else out)


def _sizes_outside(held: ShapeOf | Size) -> ShapeOf | Size:
    """A size, or a shape, that a function gives: its caller knows no names of it."""
    if isinstance(held, Size):
        return Size(held.dim if isinstance(held.dim, int) else None)
    if held.of.shape is None:
        return ShapeOf(tensor(), "", held.form)
    return ShapeOf(tensor(tuple(d if isinstance(d, int) else None for d in held.of.shape)), "", held.form)


def _model_here(it: Interp, function: Function, model: Fact, bindings: dict[str, Dim]) -> Fact:
    """A functional model, its sizes in the words of the caller; what these cannot say is left open."""
    payload = model.payload
    assert isinstance(payload, GraphModel)
    outputs = _here(it, function, payload.outputs, bindings)
    return model.but(payload=GraphModel(payload.node, payload.inputs, outputs))


def _here(it: Interp, function: Function, fact: Fact, bindings: dict[str, Dim]) -> Fact:
    if isinstance(fact.payload, Items):
        elements = [_here(it, function, e, bindings) for e in fact.payload.elements]
        return fact.but(payload=Items(elements, fact.payload.kind))
    if fact.kind is not Kind.TENSOR:
        return fact
    shape = None if fact.shape is None else tuple(_said(it, function, d, bindings) for d in fact.shape)
    return fact.but(shape=shape, last=_said(it, function, fact.last, bindings))


def outside(it: Interp, model: SequentialModel, fact: Fact) -> Fact:
    """What a Sequential gives, where another function than its maker applies it."""
    made = model.maker
    if model.terms is None or made is None or fact.kind is not Kind.TENSOR:
        return fact
    terms = model.terms
    shape = None if fact.shape is None else tuple(_said(it, made, d, terms) for d in fact.shape)
    return fact.but(shape=shape, last=_said(it, made, fact.last, terms))


def ranked(fact: Fact, result: Fact, function: Function, bound: dict[str, tuple[Fact, Any]]) -> Fact:
    """What a function gives has the rank of an argument: then whatever tells the one tells the other."""
    inner = result.payload
    if fact.shape is not None or not isinstance(inner, Origin | SameRank) or inner.owner is not function:
        return fact
    return fact.but(payload=same_rank((bound[inner.name][0],))) if inner.name in bound else fact


def bindings_of(it: Interp, node: cst.Call | None, function: Function,
                bound: dict[str, tuple[Fact, Any]]) -> dict[str, Dim]:
    starred = node is None or any(a.star for a in node.args)
    bindings: dict[str, Dim] = {}
    for name in function.params:
        if name in bound and bound[name][1] is not None:
            bindings[name] = it.dim(bound[name][1])
        elif name in function.defaults and not starred:
            bindings[name] = default_dim(it, function, name)
        else:
            bindings[name] = None
    for mirror, (name, axis) in function.mirrors.items():
        fact = bound[name][0] if name in bound else UNKNOWN
        if fact.kind is Kind.TENSOR and axis == -1:
            bindings[mirror] = fact.width
        elif fact.kind is Kind.TENSOR and fact.shape is not None and -len(fact.shape) <= axis < len(fact.shape):
            bindings[mirror] = fact.shape[axis]
        elif axis == -2 and isinstance(fact.payload, Items):
            texts = [t.shape[-1] if t.shape else None for t in tensors_in(fact)]
            bindings[mirror] = Sym(f"[{', '.join(map(str, texts))}]") if None not in texts else None
        else:
            bindings[mirror] = None
    return bindings


def default_dim(it: Interp, function: Function, name: str) -> Dim:
    """A default that is a size; one written with names of another file cannot be repeated here."""
    dim = it.dim(function.defaults[name])
    return None if isinstance(dim, Sym) and function.file is not it.file else dim


def _visible(it: Interp, function: Function, dim: Sym, bindings: dict[str, Dim]) -> bool:
    """Can the caller write this size? Not if it uses names that only the function knows."""
    if type(function.node) is cst.Lambda:
        return True
    if dim.names & (function.reassigned | function.assigned & set(function.params)):
        return False  # a parameter that the body binds anew is not what the caller passed
    local = function.names
    foreign = function.file is not it.file
    for name in dim.names - bindings.keys():
        if foreign and name not in _BUILTIN:
            return False
        outer = function.env.get(name)
        is_global = name in it.globals.names or name in it.names.bound or name in _BUILTIN
        if not is_global and not (outer is not None and name not in local):
            return False
    return "?" not in dim.text


def _said(it: Interp, function: Function, dim: Dim, bindings: dict[str, Dim]) -> Dim:
    """A size of the function's in the words of its caller; None if these cannot say it."""
    if not isinstance(dim, Sym):
        return dim
    return dim.substitute(bindings) if "?" not in dim.text and _visible(it, function, dim, bindings) else None


_BUILTIN = {"int", "max", "min", "round", "sum", "len", "abs", "float"}


def in_terms(it: Interp, node: cst.Call | None, function: Function, fact: Fact, bindings: dict[str, Dim],
              part: int | None) -> Fact:
    if isinstance(fact.payload, Items):
        parts = [in_terms(it, node, function, e, bindings, i) for i, e in enumerate(fact.payload.elements)]
        return Fact(Kind.PLAIN, payload=Items(parts, fact.payload.kind))
    if isinstance(fact.payload, Grown):
        return fact.but(payload=replace(fact.payload, counts=_counts(it, node, function, fact.payload, part)))
    if fact.kind is not Kind.TENSOR:
        return fact
    if fact.shape is None:
        return fact.but(last=_said(it, function, fact.last, bindings))
    origin = fact.payload if not function.stateful else None
    dims: list[Dim] = []
    for axis, dim in enumerate(fact.shape):
        new = _said(it, function, dim, bindings)
        if isinstance(dim, Sym) and isinstance(new, Sym) and len(new.text) > 80:
            new = None
        if new is None and axis == len(fact.shape) - 1 and function.stateful and node is not None and (
                dim is not None or part is not None or _tells_width(function)):
            new = out_size(it, node, function, part)
        dims.append(new)
    return fact.but(shape=tuple(dims), payload=origin)


def _tells_width(function: Function) -> bool:
    """Is the width of what it returns known wherever it does, so that the module that it becomes can say it?"""
    return all(r.kind is not Kind.TENSOR or r.shape is None or r.shape[-1] is not None for r in function.returns)


def _counts(it: Interp, node: cst.Call | None, function: Function, grown: Grown, part: int | None) -> str:
    """The widths of a list that a function made, where it is called: the module that it becomes knows them."""
    if grown.counts == "?" or grown.nested or not function.stateful or node is None:
        return "?"
    return str(out_size(it, node, function, part))


def out_size(it: Interp, node: cst.Call, function: Function | None, part: int | None) -> Dim:
    """The size as an attribute of the module that this call becomes; the rules replace the placeholder."""
    number = it.outs.setdefault(node, len(it.outs))
    if function is not None:
        it.wants_out.add(function)
    suffix = f"[{part}]" if part is not None else ""
    return Sym(f"OUT_{number}_{suffix}")


def out_of(it: Interp, node: cst.Call, fact: Fact) -> Fact:
    callee = it.applications[node][0].payload
    for option in callee.functions if isinstance(callee, Alternatives) else []:
        if isinstance(option.payload, Function):
            it.wants_out.add(option.payload)
    if fact.shape is None:
        return fact.but(shape=None)
    shape = tuple(None if isinstance(d, Sym) else d for d in fact.shape[:-1])
    return fact.but(shape=(*shape, out_size(it, node, None, None)), payload=None)
