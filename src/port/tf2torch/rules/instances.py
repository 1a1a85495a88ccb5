"""Objects of the user's classes: how a call makes one, also where it may be of one of several classes."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from port.build import build, drop_commas
from port.tf2torch.calls.applying import kept_args
from port.tf2torch.calls.traced import check_made
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.choices import gets_images
from port.tf2torch.infer.values import Alternatives, Class, find_method, is_module
from port.tf2torch.rules import passed, set_later
from port.tf2torch.rules.constructor import is_late, new_params
from port.tf2torch.rules.set_later import SUPER_ONLY
from port.tree import changed, code


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
    whole = passed.instance(em, node, instance, new) if instance is not None else new
    if start is not None:
        em.helper("with_weights")
        whole = build("with_weights({m}, {w})", m=new, w=em.expr(start))
    if flag is None:
        return whole
    if not is_late(em, cls):
        return build("{m}.requires_grad_({t})", m=whole, t=em.expr(flag))
    em.helper("set_trainable")
    return build("set_trainable({m}, {t})", m=whole, t=em.expr(flag))
