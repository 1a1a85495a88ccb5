"""Keras masks in the output: a variable beside the tensor, read by the layers that read the mask.

A mask that cannot be named where a layer reads it is a refusal: dropping it would change the numbers.
"""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import build, expression, paren, statement
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.tf2torch import lines
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.mask_values import FOREIGN, RUNS, Mask, alone, recorded
from port.tf2torch.infer.masks import FILLS, REFUSES, arriving, name_of, reading
from port.tf2torch.infer.object_masks import filled
from port.tf2torch.infer.values import Class, Function, Items, LayerCall, find_method, tensors_in
from port.tree import code, find, named, walk


def inputs_of(args: list[Fact]) -> tuple[Fact, ...]:
    first = args[0] if args else UNKNOWN
    return tuple(first.payload.elements) if isinstance(first.payload, Items) else (first,)


def of_call(em: Emitter, node: cst.Call, layer: LayerCall) -> Mask | None:
    """The mask of the first input of this application."""
    found = em.it.applications.get(node)
    if found is None:
        return None
    given = arriving(em.it, node, layer, inputs_of(found[1]))
    return given


def of_argument(em: Emitter, node: cst.Call, given: dict[str, cst.BaseExpression], name: str) -> Mask | None:
    """The mask that the layer reads of one of several tensors."""
    beside = [em.fact(v).mask for v in given.values()]
    return reading(em.it, node, em.fact(given[name]).mask, beside) if name in given else None


def guard(em: Emitter, node: cst.Call, layer: LayerCall) -> None:
    """Layers that read a mask and are not translated with one."""
    name = name_of(layer)
    if name in REFUSES and of_call(em, node, layer) is not None:
        raise Refused("P206", f"a mask reaches `{name}`, which reads it; pass the layer an unmasked tensor, or write "
                      "the masked form", node)




def may_be_none(em: Emitter, mask: Mask, seen: frozenset[Mask] = frozenset()) -> bool:
    """A parameter that some calls give no mask."""
    if mask.kind != "parameter" or mask in seen:
        return mask.kind == "first"
    calls = [found.get(mask.place) for method, found in em.it.brought.values() if method is mask.function]
    return any(m is None or may_be_none(em, m, seen | {mask}) for m in calls)


def first_turn(em: Emitter, mask: Mask, node: cst.CSTNode) -> cst.BaseExpression:
    """A mask that attention takes from its tensor: `mask if i == 0 else None`."""
    loop: Any = mask.node
    target, values = loop.target, loop.iter
    counted = isinstance(values, cst.Call) and code(values.func) in ("range", "enumerate")
    if counted and code(values.func) == "enumerate" and isinstance(target, cst.Tuple):
        target = target.elements[0].value
    start = values.args[0].value if counted and code(values.func) == "range" and len(values.args) > 1 else None
    listed = isinstance(values, cst.Name | cst.Attribute)
    function = em.scope.function
    if not isinstance(target, cst.Name) or not (counted or listed) or function is None or function.owner is None:
        raise Refused("P206", "the mask holds in the first turn of a loop alone; pass it as `mask=`", node)
    test = build("{t} is {v}[0]", t=target, v=em.expr(values)) if listed else build(
        "{t} == {s}", t=target, s=em.expr(start) if start is not None else "0")
    return cst.IfExp(test=test, body=text(em, mask.base, node), orelse=cst.Name("None"))  # type: ignore[arg-type]


def text(em: Emitter, mask: Mask, node: cst.CSTNode, maybe: bool = False) -> cst.BaseExpression:
    """The expression of a mask at a layer that reads it. `maybe`: the layer takes None for it, too."""
    if mask.kind == "given":
        return _given(em, mask, node)
    if mask.kind in RUNS:
        sure = mask.kind == "kept" or (isinstance(node, cst.Call) and alone(em.it, node))
        mask = (recorded(mask) if sure else None) or FOREIGN
    if may_be_none(em, mask) and not maybe:
        raise Refused("P206", "the mask that reaches this layer is there in some calls only; pass it as `mask=`", node)
    if mask.kind == "first":
        return first_turn(em, mask, node)
    if mask.lost and em.scope.function is not None and em.scope.function.owner is not None:
        raise Refused("P206", "the mask that reaches this layer may have been taken by an attention layer; pass it as "
                      "`mask=`", node)
    if mask.kind == "parameter" and mask.function is em.scope.function:
        return cst.Name(parameters(mask.function)[mask.place])  # type: ignore[arg-type]
    if mask is FOREIGN or mask.function is not em.scope.function:
        raise Refused("P206", "the mask that reaches this layer comes from another function or from a tensor that "
                      "is not followed; pass it as `mask=`", node)
    return cst.Name(name(em, mask))


def parameters(function: Function) -> dict[str, str]:
    """Parameters that a method has for the masks of its tensors: their names, by the places of these."""
    used = [place for place, mask in function.masks.items() if mask.used]
    names = [p for p in function.params if p != "self"]
    used.sort(key=lambda place: (names.index(place.partition("[")[0]), place))
    alone = len(used) == 1 and used[0].partition("[")[0] == names[0]
    spelled = {p: "mask" if alone else f"{p.replace('[', '').rstrip(']')}_mask" for p in used}
    taken = function.names | set(function.params)
    return {place: f"{name}_" if name in taken else name for place, name in spelled.items()}


def passed(em: Emitter, node: cst.Call, function: Function) -> list[cst.Arg]:
    """The masks that this call of the user's layer hands over."""
    made = []
    for place, name_ in parameters(function).items():
        found = em.it.brought.get(node)
        if found is None:
            raise Refused("P206", "a layer that reads the mask of its input is called in a way that is not followed",
                          node)
        if (mask := found[1].get(place)) is None:
            continue
        made.append(cst.Arg(text(em, mask, node, maybe=True), keyword=cst.Name(name_),
                            equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))))
    return made


def _given(em: Emitter, mask: Mask, node: cst.CSTNode) -> cst.BaseExpression:
    assert isinstance(mask.node, cst.BaseExpression)
    here = isinstance(node, cst.Call) and any(a.value is mask.node for a in node.args)
    if not here and not (isinstance(mask.node, cst.Name) and mask.function is em.scope.function and _bound_once(
            em, mask.function, mask.node.value)):
        raise Refused("P206", "the mask of an earlier layer reaches this one; pass it as `mask=`", node)
    return em.expr(mask.node)


def _bound_once(em: Emitter, function: Function | None, name_: str) -> bool:
    body = function.node if function is not None else em.it.module
    count = sum(isinstance(n, cst.AssignTarget | cst.NamedExpr) and isinstance(n.target, cst.Name)
                and n.target.value == name_ for n in walk(body))
    count += function is not None and name_ in function.params
    count += sum(isinstance(n, cst.For | cst.AugAssign) and name_ in named(n.target) for n in walk(body))
    return count == 1


def name(em: Emitter, mask: Mask) -> str:
    """The variable that holds a mask in forward."""
    if mask not in em.masks:
        body = mask.function.node if mask.function is not None else em.it.module
        taken = named(body) | {n for m, n in em.masks.items() if m.function is mask.function}
        taken |= set(parameters(mask.function).values()) if mask.function is not None else set()
        assert isinstance(mask.node, cst.Call)
        source = mask.node.args[0].value if mask.node.args else None
        own = [f"{source.value}_mask"] if isinstance(source, cst.Name) else []
        options = ["mask", *own, *(f"mask{i}" for i in range(2, 99))]
        em.masks[mask] = next(o for o in options if o not in taken)
    return em.masks[mask]


def made(em: Emitter, node: cst.Call, value: cst.BaseExpression) -> None:
    """An Embedding is applied to `value`: its mask is assigned before the statement, if a layer reads it."""
    mask = em.it.masks.get(node)
    if mask is not None and mask.used and mask.kind == "embedding":
        lines.current(em, node).before.append(statement(f"{name(em, mask)} = {{x}} != 0", x=paren(value)))


def masking(em: Emitter, node: cst.Call, x: cst.BaseExpression, value: cst.BaseExpression) -> cst.BaseExpression:
    """keras.layers.Masking: steps that are `value` throughout become zero and are masked."""
    mask = em.it.masks.get(node)
    if mask is not None and mask.used:
        held = name(em, mask)
        lines.current(em, node).before.append(statement(f"{held} = ({{x}} != {{v}}).any(-1)", x=paren(x), v=value))
        return build("{x} * {m}.unsqueeze(-1)", x=x, m=held)
    return build("{x} * ({x} != {v}).any(-1, keepdim=True)", x=x, v=value)


def with_argument(em: Emitter, node: cst.Call, method: Function, args: list[cst.Arg]) -> list[cst.Arg]:
    """A layer of the user's with a parameter for the mask of its input: Keras fills it from the tensor."""
    for place, mask in filled(em.it, node, method).items():
        if any(isinstance(f, Fact) and f.kind is Kind.UNKNOWN and f.payload is None for f in (
                em.fact(a.value) for a in node.args)):
            raise Refused("P206", "whether this layer gets several tensors, and so no mask, is not known", node)
        value: cst.BaseExpression = text(em, mask, node) if not isinstance(mask, list) else cst.List(
            [cst.Element(text(em, m, node) if m is not None else cst.Name("None")) for m in mask])
        new = cst.Arg(value, keyword=cst.Name(place), equal=cst.AssignEqual(
            cst.SimpleWhitespace(""), cst.SimpleWhitespace("")))
        names = [p for p in method.params if p != "self"]
        kept = [a for i, a in enumerate(args) if place not in (
            a.keyword.value if a.keyword is not None else names[i] if i < len(names) else "",)]
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args = [*[a.with_changes(comma=comma) for a in kept], new]
    return args


def merging(em: Emitter, node: cst.Call, values: list[cst.BaseExpression]
            ) -> tuple[list[cst.BaseExpression], cst.BaseExpression | None]:
    """Multiply, Maximum and Minimum leave out steps that are not real: the values, and where the product is not 0."""
    callee, args = em.it.applications.get(node, (UNKNOWN, []))
    name_ = name_of(callee.payload) if isinstance(callee.payload, LayerCall) else ""
    inputs = inputs_of(args) if name_ in FILLS else ()
    beside = [f.mask for f in inputs]
    met = [reading(em.it, node, m, beside) for m in beside]
    if not any(m is not None for m in met):
        return values, None
    if name_ != "Multiply" or len(values) != len(inputs) or any(f.rank != 3 for f in inputs):
        raise Refused("P206", f"a mask reaches `{name_}`, which leaves out steps that are not real; pass the layer "
                      "unmasked tensors, or write the masked form", node)
    texts = [text(em, m, node) if m is not None else None for m in met]
    every = {code(t) for t in texts if t is not None} if None not in texts else set()
    if len(every) == 1:
        return values, texts[0]
    filled_ = [v if m is None else build("{x}.masked_fill(~{m}.unsqueeze(-1), 1)", x=paren(v), m=paren(m))
               for v, m in zip(values, texts, strict=True)]
    return filled_, expression(" | ".join(sorted(every))) if every else None


def no_mask_into_model(em: Emitter, node: cst.Call) -> None:
    facts = em.it.applications[node][1] if node in em.it.applications else []
    if any(t.mask is not None for f in facts for t in tensors_in(f)):
        raise Refused("P206", "a masked tensor goes into a functional model; its layers would see the mask", node)


def compute_mask(em: Emitter, node: cst.Call, layer: Any) -> cst.BaseExpression:
    """`embedding.compute_mask(ids)` -> `ids != 0`."""
    ids = keyword(node, "inputs", 0)
    if not isinstance(layer, LayerCall) or ids is None or name_of(layer) != "Embedding":
        raise Refused("P206", "`compute_mask` of a layer that is no Embedding", node)
    zero = layer.bound.get("mask_zero")
    value = em.fact(zero).literal(...) if zero is not None else False
    if value is ... and isinstance(zero, cst.Name) and em.scope.cls is not None and zero.value in _kept(em.scope.cls):
        return build(f"{{x}} != 0 if self.{zero.value} else None", x=paren(em.expr(ids)))
    if value is ...:
        raise Refused("P202", "`mask_zero` is not a literal", node)
    return build("{x} != 0", x=paren(em.expr(ids))) if value else expression("None")


def _kept(cls: Class) -> set[str]:
    """Settings of the constructor that the object keeps: `self.mask_zero = mask_zero`."""
    init = find_method(cls, "__init__")
    lines = find(init.node, cst.Assign) if init is not None else []
    return {n.value.value for n in lines if isinstance(n.value, cst.Name) and len(n.targets) == 1
            and code(n.targets[0].target) == f"self.{n.value.value}"}


def average(em: Emitter, node: cst.Call, layer: LayerCall, input_: cst.BaseExpression) -> cst.BaseExpression | None:
    """GlobalAveragePooling1D over the steps that are real; None if no mask arrives."""
    mask = of_call(em, node, layer)
    if mask is None or name_of(layer) not in ("GlobalAveragePooling1D", "GlobalAvgPool1D"):
        return None
    if "keepdims" in layer.bound or "data_format" in layer.bound:
        raise Refused("P206", "a masked average with `keepdims` or `data_format`", node)
    if mask.kind == "given" and em.fact(mask.node).kind is not Kind.TENSOR:
        raise Refused("P206", "a mask that may be None", node)
    m = text(em, mask, node)
    x = em.expr(input_, Layout.PLAIN)
    return build("({x} * {m}.unsqueeze(-1)).sum(1) / {m}.sum(1, keepdim=True)", x=paren(x), m=paren(m))
