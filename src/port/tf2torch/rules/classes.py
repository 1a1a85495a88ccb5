"""Subclassed models and layers (golden: subclass_transformer; conventions 13, 14)."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import TIGHT, breaks_line, expression, statement
from port.facts import ORDERS, UNKNOWN, Fact, Kind, Layout
from port.tf2torch import masking
from port.tf2torch.calls.foreign import check_base
from port.tf2torch.calls.traced import carries_masks
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.definitions import ROOTS, asks_for_shapes
from port.tf2torch.infer.values import (
    Class,
    Function,
    Instance,
    is_helper,
    is_module,
    line_of,
    may_flip,
    tensors_in,
)
from port.tf2torch.rules import plain
from port.tf2torch.rules.bodies import split_docstring, used_names
from port.tf2torch.rules.class_sizes import resolve_sizes, scope
from port.tf2torch.rules.constructor import constructor, init_from_build, is_late, late_build
from port.tf2torch.rules.dropped import decorators
from port.tf2torch.rules.entries import entry_lines
from port.tf2torch.rules.kept import refused_definition, with_imports
from port.tree import code, find, rebuild, walk

LEFT_OUT = {"compute_mask", "compute_output_shape", "compute_output_spec"}
TRAINING = {"train_step", "test_step", "predict_step", "metrics", "compile", "fit"}
RENAMED = {"call": "forward"}


def convert(em: Emitter, node: cst.ClassDef) -> list[Any]:
    cls = em.it.classes.get(node)
    check_base(em, cls, node)
    if not is_module(cls):
        if cls is not None and cls.root.startswith("keras.layers."):
            raise Refused("P206", f"a subclass of `{cls.root}`", node)
        for base in node.bases:
            if not isinstance(base.value, cst.Name | cst.Attribute) and em.is_foreign(base.value):
                raise Refused("P206", f"the base class `{code(base.value)}` depends on a setting", node)
        return [_ordinary(em, node)]
    assert cls is not None
    if cls.root == "keras.Sequential":
        raise Refused("P206", "a subclass of Sequential", node)
    em.need("nn")
    em.module_classes.add(cls)
    resolve_sizes(em, cls)
    bases = [_base(em, cls, i, arg) for i, arg in enumerate(node.bases) if not (
        arg.keyword is not None and arg.keyword.value == "metaclass")]
    body: list[Any] = []
    for s in node.body.body:
        if isinstance(s, cst.SimpleStatementLine) and any(n in em.it.layers for n in find(s, cst.Call)):
            raise Refused("P206", "a layer that the class holds, not its objects; make it in `__init__`", s)
        for name in _hidden(em, cls, s):
            raise Refused("P206", f"`{name}` of the class would hide in PyTorch the module that `self.{name}` is: set "
                          "it in `__init__`", s)
        if isinstance(s, cst.FunctionDef):
            body += method(em, cls, s)
        else:
            body += plain.one(em, s, set())
    new = node.with_changes(bases=bases, decorators=decorators(em, node),
                            body=node.body.with_changes(body=body or [statement("pass")]))
    return [new]


def _ordinary(em: Emitter, node: cst.ClassDef) -> Any:
    kept: set[str] = set()
    body = [x for s in node.body.body for x in plain.one(em, s, kept)]
    em.top_level |= kept
    return node.with_changes(body=node.body.with_changes(body=body),
                             bases=[a.with_changes(value=em.expr(a.value)) for a in node.bases])


def _base(em: Emitter, cls: Class, index: int, arg: cst.Arg) -> cst.Arg:
    fact = cls.bases[index] if index < len(cls.bases) else UNKNOWN
    if isinstance(fact.payload, Class):
        return arg
    if fact.symbol in ROOTS:
        if is_late(em, cls):
            em.helper("BuiltOnCall")
        return arg.with_changes(value=expression("BuiltOnCall" if is_late(em, cls) else "nn.Module"))
    return arg.with_changes(value=em.expr(arg.value))


# ---------------------------------------------------------------- methods
def method(em: Emitter, cls: Class, node: cst.FunctionDef) -> list[Any]:
    name = node.name.value
    if name == "build" and is_late(em, cls):
        return late_build(em, cls, node)
    if name == "build":
        return [] if "__init__" in cls.methods else init_from_build(em, cls, node)
    masks = name == "compute_mask" and carries_masks(em)
    if name in LEFT_OUT and not masks and not (name == "compute_output_shape" and asks_for_shapes(cls)):
        em.report("P001", f"`{name}` only serves Keras; it is dropped", node)
        return []
    if name in TRAINING and cls.root == "keras.Model":
        return refused_definition(em, node, Refused("P205", f"`{name}` is Keras training code", node))
    try:
        if name == "__init__":
            return [constructor(em, cls, node)]
        if name in ("get_config", "from_config"):
            return [_config(em, cls, node)]
        return [_method(em, cls, node)]
    except Refused as refusal:
        if name == "__init__" or cls.methods[name].name == "call":
            raise
        if name in ("get_config", "from_config") and not _config_used(em, cls, node):
            em.report("P001", f"`{name}` writes Keras objects for Keras to read; it is dropped", node)
            return []
        return refused_definition(em, node, refusal)


def _config_used(em: Emitter, cls: Class, node: cst.FunctionDef) -> bool:
    """Does other code of the file call this method of its own object or class?"""
    name, inside = node.name.value, set(walk(node))
    calls = [n.func for n in find(em.it.module, cst.Call) if isinstance(n.func, cst.Attribute)
             and n.func.attr.value == name and n not in inside]
    return any(code(c.value) in ("self", "cls", cls.name) or em.fact(c.value).kind is Kind.MODEL
               or isinstance(em.fact(c.value).payload, Instance) for c in calls)


def _hidden(em: Emitter, cls: Class, node: cst.CSTNode) -> list[str]:
    """Names that a line gives to the class, and that are layers or weights of its objects."""
    small = node.body if isinstance(node, cst.SimpleStatementLine) else []
    targets = [t.target for s in small if isinstance(s, cst.Assign) for t in s.targets]
    targets += [s.target for s in small if isinstance(s, cst.AnnAssign) and s.value is not None]
    names = [t.value for t in targets if isinstance(t, cst.Name)]
    own = [c.attrs for c in em.it.classes.values() if cls in line_of(c)]
    return [n for n in names if any(n in a and a[n].kind in (Kind.LAYER, Kind.MODEL, Kind.TENSOR) for a in own)]


def _config(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    """Plain Python: `super().get_config()` of a Keras base is an empty dict."""
    user_base = any(isinstance(b.payload, Class) for b in cls.bases)

    def change(old: cst.CSTNode) -> cst.CSTNode:
        text = code(old).replace(" ", "") if type(old) is cst.Call and not user_base else ""
        mine = text.startswith("super(") and text.endswith(".get_config()")
        return expression("{}") if mine else rebuild(old, change)

    new = rebuild(node, change)
    old, em.scope = em.scope, scope(em, cls, None, "plain")
    try:
        return em._expr(new)
    finally:
        em.scope = old


def _method(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    """`call` and the user's other methods."""
    function = cls.methods[node.name.value]
    name = function.name  # `__call__` of a tf.Module is its `call`
    old, em.scope = em.scope, scope(em, cls, function, "forward")
    kept: set[str] = set()
    try:
        body = plain.suite(em, node.body.body, kept)
        if function.flipped and plain.is_public(em, function):
            docstring, rest = split_docstring(body)
            body = [*docstring, *entry_lines(em, function, function.params), *rest]
        _tell_order(em, function)
        if kept:
            body = with_imports(em, body, kept)
        used = used_names(body)
        if "training" in used and any(p.name.value == "training" for p in node.params.params):  # in what stays
            docstring, rest = split_docstring(body)
            body = [*docstring, statement("training = self.training"), *rest]
        params = [p for p in node.params.params if not (
            p.name.value == "training" or (p.name.value == "mask" and "mask" not in used and name != "compute_mask"))]
        params = [p.with_changes(default=em.expr(p.default)) if p.default is not None else p for p in params]
        if params:
            params[-1] = params[-1].with_changes(comma=_closing(node.params))
        added = masking.parameters(function)
        if added and params:
            params[-1] = params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        for place, parameter in added.items():
            maybe = masking.may_be_none(em, function.masks[place]) or any(p.default is not None for p in params)
            params.append(cst.Param(cst.Name(parameter), default=cst.Name("None"), equal=TIGHT) if maybe else cst.Param(
                cst.Name(parameter)))
        star = node.params.star_kwarg
        if star is not None and star.name.value not in used:
            star = None
        kwonly = [p for p in node.params.kwonly_params if p.name.value not in ("training",)]
        star_arg = node.params.star_arg if kwonly or isinstance(node.params.star_arg, cst.Param) else (
            cst.MaybeSentinel.DEFAULT)
        return node.with_changes(
            name=cst.Name(RENAMED.get(name, name)), decorators=decorators(em, node),
            params=node.params.with_changes(params=params, star_kwarg=star, kwonly_params=kwonly, star_arg=star_arg),
            body=node.body.with_changes(body=body))
    finally:
        em.scope = old


def _tell_order(em: Emitter, function: Function) -> None:
    """Tell that a method which `call` calls is channels first, where users hold such models: `encode`, `features`."""
    if not is_helper(function) or function.name.startswith("_") or plain.is_public(em, function) or (
            function.owner is not None and function.owner.inside):
        return
    parts = list(tensors_in(function.result)) if function.result is not None else []
    given = sorted({_order(p) for p in parts if may_flip(p) and p.layout is Layout.FLIPPED})
    said = [*(f"{name}: {_order(function.tensors[name])}" for name in function.params if name in function.flipped),
            *(f"returns {order}" for order in given)]
    if said and function.owner is not None:
        em.report("P103", f"the interface of `{function.owner.name}.{function.name}` has PyTorch's order of axes "
                  f"({', '.join(said)}): whoever calls it, and is not ported in this run, must follow", function.node)


def _order(fact: Fact) -> str:
    return ORDERS.get(fact.rank or 0, ("channels first",))[0]


def _closing(params: cst.Parameters) -> Any:
    """What follows the last parameter: a parenthesis on a line of its own stays there."""
    alone = not params.kwonly_params and params.star_kwarg is None and not isinstance(params.star_arg, cst.Param)
    last = params.params[-1].comma
    return last if alone and isinstance(last, cst.Comma) and breaks_line(last) else cst.MaybeSentinel.DEFAULT
