"""Subclassed models and layers (golden: subclass_transformer; conventions 13, 14)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.build import TIGHT, breaks_line, build, drop_commas, expression, statement
from port.facts import UNKNOWN, Kind
from port.tf2torch import masking
from port.tf2torch.calls.applying import kept_args
from port.tf2torch.calls.foreign import check_base
from port.tf2torch.calls.traced import carries_masks, check_made
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.choices import gets_images
from port.tf2torch.infer.definitions import ROOTS, asks_for_shapes
from port.tf2torch.infer.values import Alternatives, Class, Instance, find_method, is_module
from port.tf2torch.rules import plain, set_later
from port.tf2torch.rules.bodies import split_docstring, used_names
from port.tf2torch.rules.class_sizes import resolve_sizes, scope
from port.tf2torch.rules.constructor import constructor, init_from_build, is_late, late_build, new_params
from port.tf2torch.rules.dropped import decorators
from port.tf2torch.rules.entries import entry_lines
from port.tf2torch.rules.kept import refused_definition, with_imports
from port.tf2torch.rules.set_later import SUPER_ONLY
from port.tree import changed, code, find, rebuild, walk

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


def _closing(params: cst.Parameters) -> Any:
    """What follows the last parameter: a parenthesis on a line of its own stays there."""
    alone = not params.kwonly_params and params.star_kwarg is None and not isinstance(params.star_arg, cst.Param)
    last = params.params[-1].comma
    return last if alone and isinstance(last, cst.Comma) and breaks_line(last) else cst.MaybeSentinel.DEFAULT


# ---------------------------------------------------------------- objects of the user's classes
def is_choice(em: Emitter, func: cst.BaseExpression) -> bool:
    """Does this hold one of several classes of the user's layers?"""
    held = em.fact(func).payload
    return isinstance(held, Alternatives) and any(is_module(f.payload) for f in held.functions
                                                  if isinstance(f.payload, Class))


def choice_call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`NORMS[kind](width, name="norm")`: all of the classes take the same arguments in PyTorch too."""
    classes = [f.payload for f in em.fact(node.func).payload.functions if isinstance(f.payload, Class)]
    gone: list[set[int]] = []
    for cls in classes:
        if cls in em.refused:
            raise Refused("P206", f"`{cls.name}` is not ported", node)
        if sizes := new_params(em, cls):
            raise Refused("P208", f"`{cls.name}`, which `{code(node.func)}` may be, takes the size `{sizes[0]}` in "
                          "PyTorch: call each class in its own branch", node)
        gone.append({at for at, name in enumerate(_names(cls, node)) if _is_dropped(em, cls, name)})
    for at in set().union(*gone):
        if not all(at in g for g in gone) or _names(classes[0], node)[at] != "name":
            raise Refused("P206", f"`{code(node.args[at]).strip(', ')}` is not for the constructor of each class that "
                          f"`{code(node.func)}` may be: call each in its own branch", node)
    method = find_method(classes[0], "call")
    if method is not None and gets_images(em.it, method) and (others := _others(em, classes, node)):
        em.report("P103", f"`{code(node.func)}` is taken for `{classes[0].name}`, which gets images channels first; "
                  f"`{others[0].name}`, which nothing here makes, is not ported for that", node)
    args = [changed(a, value=em.expr(a.value)) for at, a in enumerate(node.args) if at not in gone[0]]
    return changed(node, func=em.expr(node.func), args=drop_commas(args, list(node.args)))


def _others(em: Emitter, classes: Sequence[Class], node: cst.Call) -> list[Class]:
    """Layers that nothing here makes and that take these arguments: whoever uses the code may pass one of them."""
    around, todo = set[Class](), [em.scope.cls]
    while todo:
        cls = todo.pop()
        if isinstance(cls, Class) and cls not in around:
            around.add(cls)
            todo += [i.maker for i in cls.instances]
    given = {a.keyword.value for a in node.args if a.keyword is not None}.difference(SUPER_ONLY)
    found = []
    for cls in em.it.classes.values():
        init = find_method(cls, "__init__")
        takes = init.params[1:] if init is not None else []
        if is_module(cls) and not (cls in classes or cls in around or cls.instances or em.is_base(cls)) and (
                given <= {*takes} and sum(a.keyword is None for a in node.args) <= len(takes)):
            found.append(cls)
    return found


def _names(cls: Class, node: cst.Call) -> list[str]:
    """The parameter of the constructor that each argument is for; '' where that is not known."""
    init = find_method(cls, "__init__")
    takes = init.params[1:] if init is not None else []
    return [a.keyword.value if a.keyword is not None else takes[at] if at < len(takes) and not a.star else ""
            for at, a in enumerate(node.args)]


def _is_dropped(em: Emitter, cls: Class, name: str) -> bool:
    """Is it for Keras' own constructor, and PyTorch's has no such parameter?"""
    init = find_method(cls, "__init__")
    takes = init.params[1:] if init is not None else []
    return name in SUPER_ONLY and (name not in takes or name in em.dropped_init.get(cls, set()) or name == "name")


def instance_call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`LayerScale(init_value=0.2)` -> `LayerScale(embed_dim, init_value=0.2)`."""
    cls = em.fact(node.func).payload
    assert isinstance(cls, Class)
    if not is_module(cls):
        init = find_method(cls, "__init__")
        return em.generic_call(node, kept_args(em, node, init)) if init is not None else em.generic(node)
    if cls in em.refused:
        raise Refused("P206", f"`{cls.name}` is not ported", node)
    instance = next((i for i in cls.instances if i.node is node), None)
    if instance is not None:
        check_made(em, instance, node)
    extra: list[cst.Arg] = []
    for mirror in new_params(em, cls):
        sizes = {str(a.sizes.get(mirror)) for a in (instance.applied if instance is not None else [])}
        if len(sizes) != 1 or "None" in sizes:
            raise Refused("P208", f"the size `{mirror}` of `{cls.name}` is not known here", node)
        assert instance is not None
        extra.append(cst.Arg(em.size(instance.applied[0].sizes[mirror], node),
                             comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))))
    args = []
    flag: cst.BaseExpression | None = None
    start: cst.BaseExpression | None = None
    init = find_method(cls, "__init__")
    takes = init.params[1:] if init is not None else []
    for a, name in zip(node.args, _names(cls, node), strict=True):
        if _is_dropped(em, cls, name):
            if set_later.frozen(em, name, a.value, cls):
                flag = a.value
            else:
                set_later.base_argument(em, name, a.value, cls)
            continue
        if name == "weights" and init is not None and name not in takes and init.node.params.star_kwarg is not None:
            if em.fact(a.value).literal(...) is not None:  # type: ignore[union-attr]
                start = set_later.start_of(em, cls, a.value)
            continue
        args.append(a.with_changes(value=em.expr(a.value)))
    made = drop_commas([*extra, *args], list(node.args)) if node.args else [
        *extra[:-1], *[e.with_changes(comma=cst.MaybeSentinel.DEFAULT) for e in extra[-1:]]]
    new = node.with_changes(args=made) if made else changed(
        node, args=made, whitespace_before_args=cst.SimpleWhitespace(""))
    whole: cst.BaseExpression = new
    if start is not None:
        em.helper("with_weights")
        whole = build("with_weights({m}, {w})", m=new, w=em.expr(start))
    if flag is None:
        return whole
    if not is_late(em, cls):
        return build("{m}.requires_grad_({t})", m=whole, t=em.expr(flag))
    em.helper("set_trainable")
    return build("set_trainable({m}, {t})", m=whole, t=em.expr(flag))
