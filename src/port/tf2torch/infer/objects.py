"""Objects of the user's classes: made, built and applied."""

from __future__ import annotations

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, tensor
from port.scopes import Env
from port.tf2torch.infer import object_masks
from port.tf2torch.infer.analysis import analyze, tensor_param
from port.tf2torch.infer.arrivals import bind_args, receive, want_flips
from port.tf2torch.infer.base_sizes import of_bases
from port.tf2torch.infer.choices import OneOf, takes_images
from port.tf2torch.infer.definitions import ROOTS
from port.tf2torch.infer.functions import call_function
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.layers import shows_tensor
from port.tf2torch.infer.origins import as_source
from port.tf2torch.infer.results import bindings_of, default_dim, in_terms, out_of
from port.tf2torch.infer.values import (
    EITHER,
    Alternatives,
    Applied,
    Class,
    Curried,
    Function,
    Instance,
    Items,
    Origin,
    SelfValue,
    ShapeOf,
    find_method,
    has_tensor,
    is_helper,
    is_module,
    without,
)


def call_alternatives(it: Interp, node: cst.Call, options: Alternatives, args: list[Fact]) -> Fact:
    if any(isinstance(o.payload, Class) and is_module(o.payload) for o in options.functions):
        return _one_of_classes(it, node, options, args)
    results = []
    for option in options.functions:
        if isinstance(option.payload, Function):
            results.append(call_function(it, node, option.payload, args))
        elif isinstance(option.payload, Class):
            results.append(instantiate(it, node, option.payload, args))
    if results and all(isinstance(r.payload, Curried) for r in results):
        it.applications.pop(node, None)
        return Fact(Kind.LAYER, payload=Alternatives(results))
    it.applications[node] = (Fact(Kind.FUNCTION, payload=options), list(args))
    if not results:
        return UNKNOWN
    first = results[0]
    if first.kind is Kind.TENSOR and len(results) > 1 and any(r.shape != first.shape for r in results):
        return out_of(it, node, first)
    stateful = any(isinstance(o.payload, Function) and o.payload.stateful for o in options.functions)
    return out_of(it, node, first) if stateful and first.kind is Kind.TENSOR else first


def _one_of_classes(it: Interp, node: cst.Call, options: Alternatives, args: list[Fact]) -> Fact:
    """`NORMS[kind](width)`: a layer of one of several classes, any of which may be called alike (choices.py)."""
    classes = {id(o.payload): o.payload for o in options.functions}.values()
    made = tuple(instantiate(it, node, cls, args) for cls in classes if isinstance(cls, Class))
    if len(made) < len(classes):  # a function is no class, and makes who knows what
        return Fact(Kind.FUNCTION, symbol=EITHER + it.text(node.func))
    return made[0] if len(made) == 1 else Fact(Kind.LAYER, payload=OneOf(made))


# ---------------------------------------------------------------- classes
def instantiate(it: Interp, node: cst.Call, cls: Class, args: list[Fact]) -> Fact:
    instance = next((i for i in cls.instances if i.node is node), None)
    if instance is None:
        instance = Instance(cls, node)
        cls.instances.append(instance)
    init = find_method(cls, "__init__")
    bound = bind_args(init, node, args) if init is not None else {}
    maker = it.current[-1] if it.current else None
    instance.hidden, instance.file = frozenset(it.hidden), it.file
    instance.maker = maker.owner or maker if maker is not None else None
    instance.args = [(n, f, it.text(e) if e is not None else n) for n, (f, e) in (bound or {}).items()]
    if init is not None:
        receive(it, init, bound or {}, starred=any(a.star for a in node.args))
    prepare(it, cls)
    kind = Kind.LAYER if cls.root in ROOTS or cls.root.startswith("keras.") else Kind.UNKNOWN
    return Fact(kind, symbol=cls.name, payload=instance)


def prepare(it: Interp, cls: Class) -> None:
    """Run `__init__` once, to know the attributes."""
    if cls.done or cls.busy:
        return
    cls.busy = True
    for base in cls.bases:
        if isinstance(base.payload, Class):
            prepare(it, base.payload)
            for name, fact in base.payload.attrs.items():
                cls.attrs.setdefault(name, fact)
    init = find_method(cls, "__init__")
    if init is not None and init.owner is cls:
        init.self_fact = self_of(cls)
        analyze(it, init)
    cls.done, cls.busy = True, False


def self_of(cls: Class) -> Fact:
    return Fact(Kind.UNKNOWN, payload=SelfValue(cls))


def apply_instance(it: Interp, node: cst.Call, instance: Instance, args: list[Fact]) -> Fact:
    cls = instance.cls
    instance.inputs.append(args[0] if args else UNKNOWN)
    prepare(it, cls)
    method = find_method(cls, "call") or find_method(cls, "__call__")
    if method is None or method.busy:
        return tensor()
    method.self_fact = self_of(cls)
    method.owner = cls if method.owner is None else method.owner
    bound = bind_args(method, node, args) or {}
    if "training" in bound:
        bound.pop("training")
    changed = receive(it, method, bound, starred=False)
    _build(it, cls, args[0] if args else UNKNOWN, changed)
    if method.result is None or changed:
        analyze(it, method)
    want_flips(it, method, bound)
    for name, (fact, _) in bound.items() if it.current and is_helper(it.current[-1]) else ():
        if name in method.tensors or (method, name) in it.ranks:
            shows_tensor(it, fact)
    object_masks.bring(it, node, method, {name: fact for name, (fact, _) in bound.items()})
    result = method.result or tensor()
    bindings = bindings_of(it, node, method, bound)
    sizes = {m: bindings.get(m) for m in method.mirrors}
    instance.applied[:] = [a for a in instance.applied if a.call is not node]
    instance.applied.append(Applied(instance, sizes, node))  # whatever it gives: a dict of tensors, nothing
    if not has_tensor(result):
        return result
    if it.plain_axes(method):
        result = as_source(result)
    bindings.update(instance_bindings(it, instance))
    method_stateful, method.stateful = method.stateful, False
    out = in_terms(it, node, method, result, bindings, None)
    method.stateful = method_stateful
    return _outside(without(out, instance.hidden), method)


def apply_one_of(it: Interp, node: cst.Call, choice: OneOf, args: list[Fact]) -> Fact:
    """What any of several layers gives that take the same order of axes: of its sizes, those that are alike."""
    results = [apply_instance(it, node, layer.payload, args) if isinstance(layer.payload, Instance)
               else as_source(args[0]).but(mask=None) if args else UNKNOWN for layer in choice.layers]
    if not all(r.kind is Kind.TENSOR for r in results):
        return tensor()
    shape = results[0].shape if all(r.shape == results[0].shape for r in results) else None
    first = takes_images(it, choice) and all(r.layout is Layout.FLIPPED for r in results)
    return tensor(shape, None, Layout.FLIPPED) if first else tensor(shape)


def _outside(fact: Fact, method: Function) -> Fact:
    """What an object gives is a tensor of its own: where it came from inside does not concern the caller."""
    if isinstance(fact.payload, Items):
        return fact.but(payload=Items([_outside(e, method) for e in fact.payload.elements], fact.payload.kind))
    return fact.but(payload=None) if isinstance(fact.payload, Origin) and fact.payload.owner is method else fact


def instance_bindings(it: Interp, instance: Instance) -> dict[str, Dim]:
    """Constructor parameters, as sizes in the terms of the place where the object was made."""
    init = find_method(instance.cls, "__init__")
    bindings: dict[str, Dim] = {}
    for name in init.params if init is not None else []:
        bindings[name] = None
        if init is not None and name in init.defaults:
            bindings[name] = default_dim(it, init, name)
    for name, fact, text in instance.args:
        value = fact.literal(...)
        if isinstance(value, int) and not isinstance(value, bool) and not text.isidentifier():
            bindings[name] = value
        elif fact.kind is Kind.PLAIN:
            try:
                sym = Sym(text, value if isinstance(value, int) else None)
                _ = sym.names
                bindings[name] = sym
            except SyntaxError:
                bindings[name] = None
    of_bases(it, instance.cls, bindings)
    return bindings


def _build(it: Interp, cls: Class, x: Fact, changed: bool) -> None:
    """Run `build(input_shape)` with the shape of the first input."""
    build = find_method(cls, "build")
    if build is None or build.busy or (build.result is not None and not changed):
        return
    build.self_fact = self_of(cls)
    call = find_method(cls, "call")
    names = [p for p in (call.params if call is not None else []) if p != "self"]
    main = call.tensors.get(names[0]) if call is not None and names else None
    build.busy = True
    env = Env(build.env)
    env.names["self"] = build.self_fact
    if len(build.params) > 1:
        env.names[build.params[1]] = _shape_seen(it, call, names, main if main is not None else x)
    it.current.append(build)
    with it.within(build.env):
        it.run(build.node.body.body, env)  # type: ignore[union-attr]
    it.current.pop()
    build.busy, build.result = False, UNKNOWN


def _shape_seen(it: Interp, call: Function | None, names: list[str], x: Fact) -> Fact:
    """`input_shape` of `build`: the shape of call's first tensor, in the names that `call` has for its sizes."""
    if isinstance(x.payload, Items):
        return Fact(Kind.PLAIN, payload=Items([_shape_seen(it, None, [], e) for e in x.payload.elements], "list"))
    if call is None or not names:
        return Fact(Kind.SHAPE, payload=ShapeOf(tensor(x.shape)))
    several = len([n for n in names if n in call.tensors]) > 1
    rank = x.rank if x.rank is not None else it.ranks.get((call, names[0]))
    seen = tensor_param(it, call, names[0], rank, several, x)
    return Fact(Kind.SHAPE, payload=ShapeOf(seen))


def analyze_rest(it: Interp) -> None:
    """Functions and classes that no code of the file uses: what they are must be told from their own text."""
    for cls in list(it.classes.values()):
        prepare(it, cls)
    for function in list(it.functions.values()):
        if (function.result is None and not function.busy and isinstance(function.node, cst.FunctionDef)
                and function.owner is None):
            analyze(it, function)
    for cls in list(it.classes.values()):
        method = find_method(cls, "call") or find_method(cls, "__call__")
        if method is not None and method.result is None and cls.root:
            _alone(it, cls, method)
        for other in cls.methods.values():
            if other.result is None and not other.busy and other.name not in ("__init__", "build", "get_config"):
                other.self_fact = self_of(cls)
                analyze(it, other)


def _alone(it: Interp, cls: Class, method: Function) -> None:
    """A class that only users outside the file call: its first argument is a tensor of unknown shape."""
    method.self_fact = self_of(cls)
    names = [n for n in method.params if n not in ("self", "training", "mask")]
    for name in names[:1]:
        method.tensors.setdefault(name, tensor())
    _build(it, cls, UNKNOWN, True)
    analyze(it, method)
