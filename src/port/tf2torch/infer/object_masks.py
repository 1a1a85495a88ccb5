"""Keras masks that go into the user's own layers and come out of them."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Fact, Kind
from port.tf2torch.infer import mask_methods, masks
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.mask_values import FOREIGN, Mask
from port.tf2torch.infer.values import Instance, Items, Origin, find_method, has_tensor, tensors_in
from port.tree import code, find


def inside(function: Any, name: str, fact: Fact) -> Fact:
    """A masked tensor that goes into the `call` of the user's layer: there its mask is a parameter of its own."""
    if function.owner is None or function.name != "call" or "mask" in function.params:
        return masks.foreign(fact)
    if isinstance(fact.payload, Items):
        parts = [inside(function, f"{name}[{i}]", e) for i, e in enumerate(fact.payload.elements)]
        return fact.but(payload=Items(parts, fact.payload.kind))
    if fact.kind is not Kind.TENSOR or fact.mask is None:
        return fact
    if fact.mask.lost:
        return masks.foreign(fact)
    mask = function.masks.setdefault(name, Mask(cst.Pass(), function, "parameter", place=name))
    return fact.but(mask=mask)


def bring(it: Interp, node: cst.Call, method: Any, given: dict[str, Fact]) -> None:
    """Note the masks that a call brings; those that the method reads must be there."""
    found: dict[str, Any] = {}
    for name, fact in given.items():
        elements = fact.payload.elements if isinstance(fact.payload, Items) else []
        found |= {name: fact.mask} | {f"{name}[{i}]": e.mask for i, e in enumerate(elements)}
    it.brought[node] = method, found
    for place, mask in method.masks.items():
        if mask.used:
            masks.read(found.get(place))


def after_instance(it: Interp, node: cst.Call, instance: Any, args: list[Fact], result: Fact) -> Fact:
    """A layer of the user's: its inner layers may set a mask, and `supports_masking` passes one on."""
    first = tensors_in(args[0])[:1] if args else []
    for part in filled(it, node, find_method(instance.cls, "call")).values():
        for mask in part if isinstance(part, list) else [part]:
            masks.read(mask)
    own = find_method(instance.cls, "compute_mask")
    if own is not None:  # whatever arrives
        return masks.with_mask(result, _computed(it, node, instance, own.node, args)) if has_tensor(result) else result
    if first and first[0].mask is not None and result.kind is Kind.TENSOR and result.mask is None and _supports(
            instance.cls):
        return result.but(mask=first[0].mask)
    return _at_caller(it, node, find_method(instance.cls, "call"), result)


def _at_caller(it: Interp, node: cst.Call, method: Any, fact: Fact) -> Fact:
    """What the method gives, its masks as the caller can name them."""
    if isinstance(fact.payload, Items):
        parts = [_at_caller(it, node, method, e) for e in fact.payload.elements]
        return fact.but(payload=Items(parts, fact.payload.kind))
    mask = fact.mask
    if not isinstance(mask, Mask) or mask is FOREIGN:
        return masks.foreign(fact)
    if mask.kind == "parameter" and mask.function is method:
        return fact.but(mask=it.brought[node][1].get(mask.place) if node in it.brought else None)
    if mask.kind == "embedding" and mask.function is method and _ids(it, mask, method) and _given_first(node):
        return fact.but(mask=masks.made(it, node, "embedding"))
    return masks.foreign(fact)


def _ids(it: Interp, mask: Mask, method: Any) -> bool:
    """Is what the Embedding gets the first parameter of the method?"""
    ids = it.applications[mask.node][1][0] if mask.node in it.applications else UNKNOWN  # type: ignore[index]
    names = [n for n in method.params if n != "self"]
    return isinstance(ids.payload, Origin) and ids.payload.owner is method and ids.payload.name == names[0]


def _given_first(node: cst.Call) -> bool:
    return bool(node.args) and node.args[0].keyword is None and not node.args[0].star


def _computed(it: Interp, node: cst.Call, instance: Instance, own: Any, args: list[Fact]) -> Any:
    """The masks that `compute_mask` gives: none, that of an Embedding over the input, those that arrive, or FOREIGN."""
    if _gives_none(own):
        return None
    arriving = _arriving(args[0] if args else UNKNOWN)
    masked = bool(args) and any(t.mask is not None for t in tensors_in(args[0]))
    if masked and not _supports(instance.cls):
        return FOREIGN
    made = (lambda: masks.made(it, node, "embedding")) if _given_first(node) else (lambda: FOREIGN)
    found = mask_methods.computed(instance.cls, instance, own, arriving if masked else None, made)
    return FOREIGN if found is mask_methods.LOST else found


def _arriving(fact: Fact) -> Any:
    return tuple(map(_arriving, fact.payload.elements)) if isinstance(fact.payload, Items) else fact.mask


def _gives_none(node: cst.CSTNode) -> bool:
    found = list(find(node, cst.Return))
    return all(n.value is None or (isinstance(n.value, cst.Name) and n.value.value == "None") for n in found)


def filled(it: Interp, node: cst.Call, method: Any) -> dict[str, Any]:
    """The masks that Keras hands to `call` of the user's layer: `mask` for its one tensor, `x_mask` for one of several.

    Those of a list are a list. Empty if no tensor has a mask.
    """
    names = [p for p in method.params if p != "self"] if method is not None else []
    given = {a.keyword.value if a.keyword is not None else names[i] if i < len(names) else "": it.facts.get(
        a.value, UNKNOWN) for i, a in enumerate(node.args)}
    tensors = {n: f for n, f in given.items() if has_tensor(f)}
    beside = [t.mask for f in tensors.values() for t in tensors_in(f)]
    if not any(m is not None for m in beside):
        return {}
    found: dict[str, Any] = {}
    for name, fact in tensors.items():
        place = "mask" if len(tensors) == 1 else f"{name}_mask"
        if place not in names or given.get(place, UNKNOWN).literal(None) is not None or place in tensors:
            continue
        parts = fact.payload.elements if isinstance(fact.payload, Items) else [fact]
        read_ = [masks.reading(it, node, p.mask, beside) if p.kind is Kind.TENSOR else FOREIGN for p in parts]
        if any(m is not None for m in read_):
            found[place] = read_ if isinstance(fact.payload, Items) else read_[0]
    return found


def _supports(cls: Any) -> bool:
    init = find_method(cls, "__init__")
    return init is not None and "supports_masking = True" in code(init.node)

