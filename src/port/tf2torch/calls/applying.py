"""Layers, functions and models of the source at the places where they are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import argument, drop_commas, paren, substitute
from port.facts import UNKNOWN, Fact, Kind, Layout
from port.tf2torch import masking
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.calls.making import Plan
from port.tf2torch.calls.mates import FULL, check
from port.tf2torch.calls.named_layers import note
from port.tf2torch.calls.taken import check_filled, several, together
from port.tf2torch.calls.traced import TRACED, carried, carries_masks, channels_first, check_mask, sized, traced
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.choices import gets_images
from port.tf2torch.infer.elementwise import acts_by_element, follows
from port.tf2torch.infer.joins import is_lost
from port.tf2torch.infer.layers import rank_of
from port.tf2torch.infer.masks import READS, REFUSES, name_of
from port.tf2torch.infer.several import LAMBDA, gives_input, held
from port.tf2torch.infer.values import (
    Alternatives,
    Curried,
    Function,
    GraphModel,
    Instance,
    Items,
    LayerCall,
    SequentialModel,
    find_method,
    tensors_in,
)
from port.tree import changed, clone, code, find, loads, walk


# ---------------------------------------------------------------- applications
def layer_args(node: cst.Call) -> list[cst.Arg]:
    return [a for a in node.args if a.keyword is None or a.keyword.value not in ("training", "name")]


def application(em: Emitter, node: cst.Call, callee: Fact, inputs: list[Fact]) -> cst.BaseExpression:
    payload = callee.payload
    note(em, node, payload)
    check(em, node)
    if payload in em.standing:
        return _apply_standing(em, node, payload)
    if isinstance(payload, LayerCall) and payload.symbol != LAMBDA:
        return apply_layer(em, node, payload, inputs)
    if isinstance(payload, Function) and callee.kind is Kind.FUNCTION:
        return apply_function(em, node, payload)
    if isinstance(payload, LayerCall):
        return _apply_lambda(em, node, payload)
    if isinstance(payload, Alternatives):
        return _apply_alternatives(em, node, payload)
    if isinstance(payload, Curried):
        return _apply_curried(em, node, payload)
    with sized(em, node, inputs):
        return _apply_model(em, node, payload)


def _apply_standing(em: Emitter, node: cst.Call, layer: LayerCall) -> cst.BaseExpression:
    """The module takes tensors as they arrive in the list that it stands in."""
    if len(layer_args(node)) > 1:
        raise Refused("P202", f"`{code(node.args[1]).strip(', ')}` in the call of a layer", node)
    first, taken = node.args[0].value, tensors_in(first_input(layer))
    value = em.in_layout(first, em.expr(first), taken[0].layout, taken[0].rank or 4) if taken else em.expr(first)
    return cst.Call(paren(em.expr(node.func)), [cst.Arg(value)])


def apply_layer(em: Emitter, node: cst.Call, layer: LayerCall, inputs: list[Fact]) -> cst.BaseExpression:
    with sized(em, node, inputs):
        return carried(em, node, layer, _apply_layer(em, node, layer, inputs))


def _apply_layer(em: Emitter, node: cst.Call, layer: LayerCall, inputs: list[Fact]) -> cst.BaseExpression:
    made = plan(em, layer, inputs[0] if inputs else UNKNOWN)
    _drop_training(em, node)
    merge = node is layer.node  # layers.add([a, b]): made and applied in one call
    args = node.args[:1] if merge else layer_args(node)
    masking.guard(em, node, layer)
    check_mask(em, node, name_of(layer) in READS | REFUSES)
    if made.job.row.via in FULL:
        callee = _callee(em, node, layer, made, merge)
        return _alike(em, made.run(callee, args, node), layer, inputs, made, (callee, args, node))
    if not args:
        raise Refused("P206", "a layer is called without an input", node)
    masked = masking.average(em, node, layer, args[0].value)
    if masked is not None:
        return masked
    extra = [a for a in args[1:] if not (a.keyword is not None and a.keyword.value == "mask"
                                         and em.fact(a.value).literal(...) is None)]
    if extra and not merge:
        raise Refused("P202", f"`{code(extra[0]).strip(', ')}` in the call of a layer", node)
    first = args[0].value
    fact = em.fact(first)
    if isinstance(fact.payload, Items) and isinstance(first, cst.List | cst.Tuple) and made.job.row.via in (
            "merge", "merge_average", "dot"):
        values = [em.expr(e.value, made.job.want) for e in first.elements]
    else:
        values = [together(em, first, made.job.want) or em.expr(first)]
        images = "BatchNorm2d" in made.job.callee and made.job.literal("axis") == 3  # told, if it is not known
        rank = rank_of(layer.symbol) or (4 if images else None)
        if made.job.want is Layout.FLIPPED:
            values = [channels_first(em, first, values[0], rank)]
        elif made.job.want is not None:
            values = [em.in_layout(first, values[0], made.job.want, rank)]
    masking.made(em, node, values[0])
    callee = _callee(em, node, layer, made, merge)
    out = em.fact(node)
    if made.job.want is Layout.PLAIN and out.layout is Layout.FLIPPED and (out.rank or 4) > 2 and (
            made.job.row.via != "conv_lstm"):  # takes steps of images, gives an image
        raise Refused("P209", f"inference and rule disagree about the layout of `{layer.symbol}`", node)
    return _alike(em, made.run(callee, values, node), layer, inputs, made, (callee, values, node))


def _alike(em: Emitter, new: cst.BaseExpression, layer: LayerCall, inputs: list[Fact], made: Plan,
           run: tuple[Any, ...]) -> cst.BaseExpression:
    """The application, if the layers that may be held here are all applied like this one."""
    bare = made.module and not made.job.before and not made.job.after
    for other in held(layer):
        if other is layer or (gives_input(other) and bare):
            continue
        if other.symbol == LAMBDA or gives_input(other):
            raise _differently(run[2])
        theirs = plan(em, other, inputs[0] if inputs else UNKNOWN)
        same = (theirs.job.want, theirs.job.row.layout) == (made.job.want, made.job.row.layout)
        few = bool(inputs) and inputs[0].rank is not None and inputs[0].rank < 3  # axes, which have one order
        if theirs.module is not made.module or not (same or few) or code(theirs.run(*run)) != code(new):
            raise _differently(run[2])
    return new


def _differently(node: cst.Call) -> Refused:
    return Refused("P206", "one of several layers is applied here, which PyTorch applies in different ways: apply each "
                   "in its own branch", node)


def _callee(em: Emitter, node: cst.Call, layer: LayerCall, made: Plan, merge: bool) -> cst.BaseExpression | None:
    if not made.module:
        function = em.scope.function
        if function is not None and isinstance(node.func, cst.Attribute) and any(
                node in walk(t.body) for t in find(function.node, cst.Try)):
            raise Refused("P206", f"`try` may notice that there is no `{code(node.func)}`; ask for it before", node)
        return None
    if not merge and node.func is not layer.node:
        if em.scope.stage == "forward" and (maker := _maker(em, node.func, layer)) is not None:
            raise Refused("P206", f"`{maker.name}` makes a layer, and no module keeps it here: give it a name first",
                          node)
        return traced(em, em.expr(node.func), row=True)  # a variable or attribute holds it
    if em.scope.on_module is None:
        raise Refused("P206", "a layer with weights is created where no module can keep it", node)
    return em.scope.on_module(layer.node, made)


def _maker(em: Emitter, made: cst.BaseExpression, layer: LayerCall) -> Function | None:
    """The function that makes the layer where it is called, and applied at once: `dense(4)(x)`."""
    callee = em.fact(made.func) if isinstance(made, cst.Call) else UNKNOWN
    options = callee.payload.functions if isinstance(callee.payload, Alternatives) else [callee]
    found = [f.payload for f in options if isinstance(f.payload, Function)]
    return next((f for f in found if layer.node in walk(f.node)), None)


def _drop_training(em: Emitter, node: cst.Call) -> None:
    for arg in node.args:
        if arg.keyword is not None and arg.keyword.value == "training":
            value = em.fact(arg.value)
            if value.literal(...) in (True, False):
                em.report("P103", f"`training={code(arg.value)}` of this call is dropped: the mode is the module's "
                          "(.train(), .eval())", node)


def _apply_lambda(em: Emitter, node: cst.Call, layer: LayerCall) -> cst.BaseExpression:
    function = layer.bound.get("function")
    if function is None or any(em.fact(layer.bound[n]).literal(...) is not None for n in layer.bound.keys() & {
            "mask", "arguments"}):
        raise Refused("P202", "a Lambda layer with a mask or further arguments: write the call of the function", node)
    if not node.args:
        raise Refused("P202", "this Lambda layer gets no input", node)
    known, inner = em.fact(function).payload, em.expr(function)
    flipped = isinstance(known, Function) and bool(known.flipped & set(known.params[:1]))
    if flipped and em.it.open and em.fact(node.args[0].value).kind is not Kind.TENSOR:
        raise Refused("P208", "what this Lambda layer is given is not known, and it works on images", node)
    value = em.expr(node.args[0].value, Layout.FLIPPED if flipped else Layout.PLAIN)
    others = [x for x in held(layer) if x is not layer]
    if any(x.symbol != LAMBDA or (flipped and not gives_input(x)) for x in others):
        raise _differently(node)
    if others or (isinstance(inner, cst.Lambda) and loads(inner) & _of_constructor(em)):
        return cst.Call(paren(em.expr(node.func)), [cst.Arg(value)])
    if isinstance(inner, cst.Lambda) and len(inner.params.params) == 1:
        return substitute(clone(inner.body), {inner.params.params[0].name.value: value})  # type: ignore
    return cst.Call(paren(inner), [cst.Arg(value)])


def _of_constructor(em: Emitter) -> set[str]:
    """Names that only the constructor knows, seen from another method."""
    init = find_method(em.scope.cls, "__init__") if em.scope.cls is not None else None
    if init is None or em.scope.function is init:
        return set()
    return (set(init.params) | init.assigned) - {"self"}


def apply_function(em: Emitter, node: cst.Call, function: Function) -> cst.BaseExpression:
    """A call of the user's function: as it is, or of the module that the function became."""
    _drop_training(em, node)
    check_filled(em, node, function, parameter_of(function, node))
    if function in em.classes:
        if em.scope.on_module is None or em.scope.stage == TRACED:
            raise _homeless(function, node)
        args = tensor_args(em, node, function)  # first: what is inside is made first
        return cst.Call(em.scope.on_module(node, function), args)
    return em.generic_call(node, kept_args(em, node, function))


def _homeless(function: Function, node: cst.Call) -> Refused:
    return Refused("P206", f"`{function.name}` makes layers, and no module keeps them here: call it where layers are "
                   "called", node)


def parameter_of(function: Function, node: cst.Call) -> list[tuple[cst.Arg, str]]:
    """Arguments with the parameters they go to ('' for stars)."""
    names = function.params[1:] if function.owner is not None and function.params[:1] == ["self"] else function.params
    out, at = [], 0
    for arg in node.args:
        if arg.star:
            out.append((arg, ""))
        elif arg.keyword is not None:
            out.append((arg, arg.keyword.value))
        else:
            out.append((arg, names[at] if at < len(names) else ""))
            at += 1
    return out


def tensor_args(em: Emitter, node: cst.Call, function: Function) -> list[cst.Arg]:
    """The tensors of a call, as `forward` of the module takes them; by name where they are out of order."""
    taken = [p for p in function.params if p in function.tensors or (function, p) in em.it.ranks]
    made: list[cst.Arg] = []
    by_name = False
    for arg, name in parameter_of(function, node):
        if name not in taken:
            continue
        want = Layout.FLIPPED if name in function.flipped else Layout.PLAIN
        fact = em.fact(arg.value)
        value = em.expr(arg.value, want if fact.kind is Kind.TENSOR and fact.rank not in (0, 1, 2) else None)
        by_name = by_name or taken[len(made)] != name
        made.append(argument(name if by_name else "", value, None))
    return made


def kept_args(em: Emitter, node: cst.Call, function: Function) -> list[cst.Arg]:
    """Arguments of a call to a function that stays one: without those of dropped parameters."""
    gone = em.dropped.get(function, set())
    made = []
    for arg, name in parameter_of(function, node):
        if name in gone or name == "training":
            continue
        fact = em.fact(arg.value)
        if arg.star or (fact.kind is not Kind.TENSOR and name not in function.tensors):
            made.append(changed(arg, value=em.plain(arg.value)))  # nothing says what arrives as which parameter
            continue
        want = None
        inside = name in function.flipped and not em.it.plain_axes(function)
        if fact.kind is Kind.TENSOR and (fact.rank is None or fact.rank >= 3) and (
                inside or (fact.layout is Layout.FLIPPED and not follows(em.it, function, name))):
            want = Layout.FLIPPED if inside else Layout.PLAIN
        made.append(changed(arg, value=several(em, arg.value, function, name) or em.expr(arg.value, want)))
    return drop_commas(made, list(node.args)) if len(made) < len(node.args) else made


def _tell_passed(em: Emitter, node: cst.Call, options: Sequence[Function]) -> None:
    """Tell that a function which is passed in is taken for those that are passed here, given images channels first."""
    around = em.scope.function
    if around is None or not isinstance(node.func, cst.Name) or node.func.value not in around.params or not any(
            gets_images(em.it, f) for f in options):
        return
    others = [f for f in em.it.functions.values() if f.owner is None and isinstance(f.node, cst.FunctionDef)
              and f not in options and f is not around and not f.bindings and len(f.params) == len(options[0].params)
              and not acts_by_element(em.it, f)]
    if others:
        em.report("P103", f"`{code(node.func)}` is taken for `{options[0].name}`, which gets images channels first; "
                  f"`{others[0].name}`, which nothing here calls, is not ported for that", node)


def _apply_alternatives(em: Emitter, node: cst.Call, options: Any) -> cst.BaseExpression:
    _tell_passed(em, node, [o.payload for o in options.functions if isinstance(o.payload, Function)])
    if em.scope.stage == TRACED:
        for option in options.functions:
            made = option.payload.outer if isinstance(option.payload, Curried) else option.payload
            if made in em.classes:
                raise _homeless(made, node)
            if isinstance(option.payload, Function) and gets_images(em.it, option.payload):
                raise Refused("P209", f"`{code(node.func)}` may be `{option.payload.name}`, which works on channels "
                              "first: call it by its name", node)
        new = em.generic_call(node, [changed(a, value=em.plain(a.value)) for a in node.args])
        around = em.scope.function
        layers = around is not None and isinstance(node.func, cst.Name) and node.func.value in around.layers
        return changed(new, func=traced(em, new.func)) if layers and isinstance(new, cst.Call) else new
    if isinstance(options.functions[0].payload, Curried):
        if em.scope.on_module is None or not isinstance(node.func, cst.Call):
            raise Refused("P206", "a block chosen by a setting is not called where it is made", node)
        args = tensor_args(em, node, options.functions[0].payload.inner)
        return cst.Call(em.scope.on_module(node, options), args)
    modules = [o for o in options.functions if isinstance(o.payload, Function) and o.payload in em.classes]
    if modules and em.scope.on_module is not None:
        args = tensor_args(em, node, modules[0].payload)
        return cst.Call(em.scope.on_module(node, options), args)
    if modules:
        raise _homeless(modules[0].payload, node)
    function = next((o.payload for o in options.functions if isinstance(o.payload, Function)), None)
    args = kept_args(em, node, function) if function is not None else list(node.args)
    return em.generic_call(node, args)


def _apply_curried(em: Emitter, node: cst.Call, curried: Curried) -> cst.BaseExpression:
    if em.scope.stage == TRACED:
        if curried.outer in em.classes:
            raise _homeless(curried.outer, node)
        return em.generic_call(node, [changed(a, value=em.plain(a.value)) for a in node.args])
    if node.func is not curried.node or em.scope.on_module is None:
        raise Refused("P206", f"what `{curried.outer.name}(...)` gives is not called where it is made", node)
    args = tensor_args(em, node, curried.inner)
    return cst.Call(em.scope.on_module(node, curried), args)


def _rank_of_images(em: Emitter, payload: Any, method: Function | None, name: str) -> int | None:
    """How many axes the images have that a model or a layer of the user's own takes."""
    if method is not None:
        known = method.tensors.get(name)
        return (known.rank if known is not None else None) or em.it.ranks.get((method, name))
    layers = [em.fact(a.value) for a in payload.node.args[:1]] if payload.node is not None else []
    ranks = [rank_of(e.payload.symbol) for f in layers if isinstance(f.payload, Items) for e in f.payload.elements
             if isinstance(e.payload, LayerCall)]
    return next((rank for rank in ranks if rank is not None), None)


def _apply_model(em: Emitter, node: cst.Call, payload: Any) -> cst.BaseExpression:
    """A model or a layer of the user's own is called."""
    _drop_training(em, node)
    made_here = isinstance(node.func, cst.Call) and not em.symbol(node.func.func).startswith("keras.") and isinstance(
        payload, SequentialModel | GraphModel) and em.fact(node.func.func).symbol != "builtins.getattr"
    if made_here and em.scope.stage == "forward" and em.scope.on_module is None:
        raise Refused("P206", "a model is made among tensors, where no module can keep it: give it a name first", node)
    kept = isinstance(node.func, cst.Call) and em.scope.on_module is not None and (
        made_here or isinstance(payload, Instance))
    func: Any = em.scope.on_module(node.func, payload) if kept else (  # type: ignore[misc, arg-type]
        traced(em, em.expr(node.func)))
    flipped = False
    method = None
    if isinstance(payload, Instance):
        method = find_method(payload.cls, "call")
        check_mask(em, node, method is not None and "mask" in method.params and "mask" in method.names)
    elif isinstance(payload, SequentialModel):
        flipped = payload.node in em.inner_sequentials
    made = []
    for i, arg in enumerate(node.args):
        name = arg.keyword.value if arg.keyword is not None else ""
        if name == "training":
            continue
        if method is not None:
            names = [p for p in method.params if p != "self"]
            target = name or (names[i] if i < len(names) else "")
            if target == "training":
                continue
            flipped = target in method.flipped and not em.it.plain_axes(method)
        fact = em.fact(arg.value)
        want = (Layout.FLIPPED if flipped else Layout.PLAIN) if fact.kind is Kind.TENSOR else None
        listed = several(em, arg.value, method, target) if method is not None else None
        value = listed or em.expr(arg.value, want)
        if flipped and listed is None and is_lost(fact):
            value = channels_first(em, arg.value, value, _rank_of_images(em, payload, method, target))
        made.append(changed(arg, value=value))
    if method is not None:
        if em.scope.stage != TRACED or not carries_masks(em):  # else tensors carry it
            made = masking.with_argument(em, node, method, made)
        if masks := masking.passed(em, node, method):
            made = [*(changed(a, comma=cst.MaybeSentinel.DEFAULT) for a in made), *masks]
        if node.args:
            masking.made(em, node, made[0].value)
    if isinstance(payload, GraphModel):
        masking.no_mask_into_model(em, node)
    if isinstance(payload, GraphModel) and len(made) == 1 and isinstance(made[0].value, cst.List):
        made = [cst.Arg(e.value) for e in made[0].value.elements]
    args = drop_commas(made, list(node.args)) if len(made) != len(node.args) else made
    return node.with_changes(func=paren(func), args=args)
