"""`__init__` of a user's class, with what its `build` makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import libcst as cst

from port.build import statement
from port.facts import Sym
from port.tf2torch.calls.mates import stand
from port.tf2torch.calls.traced import carries_masks
from port.tf2torch.calls.variables import makes_weight
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Class, Function, find_method
from port.tf2torch.rules import control, layer_lists, plain, set_later, weights
from port.tf2torch.rules.base_calls import base_call, named_base, super_call
from port.tf2torch.rules.bodies import split_docstring, unbound, used_names
from port.tf2torch.rules.class_sizes import making, of_base, resolve_sizes, scope, unpacked_shape
from port.tf2torch.rules.dropped import never_applied, only_keras, stateless_attribute
from port.tf2torch.rules.set_later import SUPER_ONLY
from port.tree import code, find, loads, named


def new_params(em: Emitter, cls: Class) -> list[str]:
    """Sizes that become parameters of the constructor: those that its code turned out to write."""
    resolve_sizes(em, cls)
    if is_late(em, cls):
        return []
    if cls not in em.class_params:
        em.class_params[cls] = _used_sizes(em, cls)
    return em.class_params[cls]


def _used_sizes(em: Emitter, cls: Class) -> list[str]:
    if not {"__init__", "build"} & set(cls.methods):
        return of_base(em, cls, new_params)
    names = {m for m, s in em.class_sizes[cls].items() if isinstance(s, Sym) and s.text == m}
    if not names:
        return []
    written = _written(em, cls)
    return [m for m in em.class_sizes[cls] if m in names and m in written]


def _written(em: Emitter, cls: Class) -> set[str]:
    """Names that the constructor writes: found by a dry run of it, which leaves no trace in the emitter."""
    written: set[str] = set()
    with suppress(Refused), _tried(em, cls):
        for name in ("__init__", "build"):
            found = cls.methods.get(name)
            if found is not None:
                for line in constructor_body(em, cls, found):
                    written |= named(line)
    return written


@contextmanager
def _tried(em: Emitter, cls: Class) -> Iterator[None]:
    """A dry run, which leaves no trace in the emitter."""
    saved = (set(em.needs), dict(em.helpers), list(em.reports), dict(em.plans), dict(em.activations), dict(em.applied))
    em.class_params[cls] = []
    try:
        yield
    finally:
        em.needs, em.helpers, em.reports, em.plans, em.activations, em.applied = saved
        del em.class_params[cls]


def is_late(em: Emitter, cls: Class) -> bool:
    """Must `build` wait for the first call, since a constructor cannot know the sizes that it reads?"""
    if em.late is None:
        return False
    if cls not in em.late:
        em.late[cls] = False
        em.late[cls] = _waits(em, cls)
    return em.late[cls]


def _waits(em: Emitter, cls: Class) -> bool:
    build_, call = cls.methods.get("build"), find_method(cls, "call")
    own = not any(isinstance(b.payload, Class) for b in cls.bases)
    if build_ is None or call is None or not own or len(build_.params) != 2 or (
            call.flipped and not em.it.plain_axes(call)):
        return False
    try:
        with _tried(em, cls):
            unbound(em, constructor_body(em, cls, build_), {*call.mirrors, *_own_names(build_)})
    except Refused as refusal:
        return refusal.code == "P208" or "has no shape to give" in str(refusal)
    return False


def _own_names(function: Function) -> frozenset[str]:
    """Names that mean in a constructor what they mean here: all that it reads but its parameters, shapes above all."""
    return loads(function.node.body).difference(function.params[1:])


def late_build(em: Emitter, cls: Class, node: cst.FunctionDef) -> list[Any]:
    """`build` as it is: BuiltOnCall calls it."""
    em.report("P102", f"`{cls.name}` makes its weights at the first call, as in Keras: call it once before its "
              "parameters are given to an optimizer", node)
    body = constructor_body(em, cls, cls.methods["build"])
    return [node.with_changes(body=node.body.with_changes(body=[*body, statement("self.apply(init_weights)")]))]


def constructor(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    function = cls.methods["__init__"]
    body = constructor_body(em, cls, function)
    if not any(n.attr.value == "__init__" for n in find(node, cst.Attribute)):  # a tf.Module may leave it out
        em.need("nn")
        own = not any(isinstance(b.payload, Class) for b in cls.bases)
        docstring, body = split_docstring(body)
        body = [*docstring, statement("super().__init__()" if own else "nn.Module.__init__(self)"), *body]
    build_ = cls.methods.get("build")
    if build_ is not None and not is_late(em, cls):
        extra = split_docstring(constructor_body(em, cls, build_))[1]
        if extra and hasattr(extra[0], "leading_lines"):
            extra[0] = extra[0].with_changes(leading_lines=[
                cst.EmptyLine(indent=False), *[ln for ln in extra[0].leading_lines if ln.comment is not None]])
        body += extra
    if is_root(em, cls) and not is_late(em, cls):
        body.append(statement("self.apply(init_weights)"))
    params = _params(em, cls, node, body)
    if cls.node in em.it.module.body:
        unbound(em, body, {p.name.value for p in find(params, cst.Param)}.union(*(
            _own_names(f) for f in (function, build_) if f is not None)))
    return node.with_changes(params=params, body=node.body.with_changes(body=body), decorators=[])


def is_root(em: Emitter, cls: Class) -> bool:
    """The outermost class: nothing in the file holds an object of it."""
    return not any(i.maker is not None for i in cls.instances) and not em.is_base(cls)


def constructor_body(em: Emitter, cls: Class, function: Function) -> list[Any]:
    old, em.scope = em.scope, scope(em, cls, function, making(em, cls))
    try:
        stand(em, cls)
        node = function.node
        assert isinstance(node, cst.FunctionDef)
        out = _lines(em, cls, node.body.body)
        known = function.name != "build" or em.scope.stage == "late"
        shapes = set() if known else {p for p in function.params if p != "self"}
        left = shapes & {name for line in out for name in loads(line)}
        if left:
            raise Refused("P206", f"`build` passes `{left.pop()}` on; a constructor has no shape to give", node)
        return out
    finally:
        em.scope = old


def _constructor_line(em: Emitter, cls: Class, s: Any) -> list[Any]:
    if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1:
        return _simple_line(em, cls, s, s.body[0])
    if isinstance(s, cst.If):
        return _if(em, cls, s)
    if isinstance(s, cst.For):
        if plain.only_sets_initializers(em, s):
            return []
        if (frozen := set_later.set_in_loop(em, s)) is not None:
            return [frozen]
        body = _lines(em, cls, s.body.body)
        return [s.with_changes(iter=em.expr(s.iter), body=s.body.with_changes(body=body or [statement("pass")]))]
    if isinstance(s, cst.With) and control.is_scope(em, s):
        return control.opened(s, _lines(em, cls, s.body.body))
    if isinstance(s, cst.FunctionDef):
        return plain.function(em, s)
    return [em._expr(s)]


def _lines(em: Emitter, cls: Class, body: Sequence[Any]) -> list[Any]:
    return [x for c in body for x in _constructor_line(em, cls, c)]


def _simple_line(em: Emitter, cls: Class, s: cst.SimpleStatementLine, small: Any) -> list[Any]:
    text = code(small).replace(" ", "")
    if isinstance(small, cst.Expr) and text.startswith("super"):
        return super_call(em, cls, s, small, of_base(em, cls, new_params))
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call) and (base := named_base(em, small.value)):
        return base_call(em, s, small, new_params(em, base))
    if text.startswith("self.supports_masking=") and "compute_mask" not in cls.methods and carries_masks(em):
        return [s]
    if text.startswith(("self.built=", "self.supports_masking=", "self.input_spec=", "self._name=")) or (
            text.startswith("self.trainable=") and (text.endswith("=True") or not set_later.has_weights(cls))):
        return []
    if isinstance(small, cst.Return) and (small.value is None or text.startswith("returnsuper().build(")):
        return []
    if isinstance(small, cst.Assign) and makes_weight(em, small.value):
        return [s.with_changes(body=[_weight(em, small)])]
    if (held := weights.in_container(em, cls, small)) is not None:
        return [s.with_changes(body=[held])]
    if stateless_attribute(em, cls, small) or never_applied(em, cls, small) or only_keras(em, small) or (
            plain.only_sets_one(em, s)):
        return []
    if (buffer := weights.constant(em, cls, small)) is not None:
        return [s.with_changes(body=[buffer])]
    unpacked = unpacked_shape(em, small, s)
    return unpacked if unpacked is not None else _line_strict(em, s)


def _if(em: Emitter, cls: Class, s: cst.If) -> list[Any]:
    known = em.fact(s).literal(...)
    if known is not ...:
        taken: Any = s.body if known else s.orelse
        if taken is None:
            return []
        inner = taken.body.body if isinstance(taken, cst.Else) else taken.body if isinstance(
            taken, cst.IndentedBlock) else [taken]
        return _lines(em, cls, inner)
    body = _lines(em, cls, s.body.body)
    orelse: Any = s.orelse
    if isinstance(orelse, cst.If):
        orelse = _constructor_line(em, cls, orelse)[0]
    elif orelse is not None:
        inner = _lines(em, cls, orelse.body.body)
        orelse = orelse.with_changes(body=orelse.body.with_changes(body=inner)) if inner else None
    if not body and orelse is None:
        return []
    return [s.with_changes(test=em.expr(s.test), body=s.body.with_changes(body=body or [statement("pass")]),
                           orelse=orelse)]


def _line_strict(em: Emitter, s: cst.SimpleStatementLine) -> list[Any]:
    special = plain.special_statement(em, s)
    if special is not None:
        return special
    kept = layer_lists.statement(em, s.body[0])
    return [s.with_changes(body=[kept if kept is not None else em._expr(s.body[0])])]


def _weight(em: Emitter, small: cst.Assign) -> Any:
    """`self.gamma = self.add_weight(...)` and tf.Variable -> nn.Parameter or a buffer."""
    target: Any = small.targets[0].target
    if not isinstance(target, cst.Attribute):
        raise Refused("P206", "a weight that is not an attribute of self", small.value)
    new = weights.weight(em, small.value, target.attr.value)  # type: ignore[arg-type]
    return new if isinstance(new, cst.Expr) else small.with_changes(value=new)


def _params(em: Emitter, cls: Class, node: cst.FunctionDef, body: list[Any]) -> cst.Parameters:
    used = used_names(body)
    kept: list[cst.Param] = []
    plain_ = cst.MaybeSentinel.DEFAULT
    for p in node.params.params:
        name = p.name.value
        if name in SUPER_ONLY and name not in used:
            if p.default is not None:
                set_later.base_argument(em, name, p.default, cls)
            em.dropped_init.setdefault(cls, set()).add(name)
            continue
        if p.default is not None:
            p = p.with_changes(default=em.expr(p.default))
        kept.append(p)
    extra = [cst.Param(cst.Name(n)) for n in new_params(em, cls)]
    params = [kept[0], *extra, *kept[1:]] if kept else extra
    star = node.params.star_kwarg
    if star is not None and star.name.value not in used:
        star = None
    named_only = [p if p.default is None else p.with_changes(default=em.expr(p.default))
                  for p in node.params.kwonly_params if p.name.value not in SUPER_ONLY - used]
    rest: Any = node.params.star_arg
    if (isinstance(rest, cst.Param) and rest.name.value not in used) or isinstance(rest, cst.ParamStar):
        rest = cst.ParamStar() if named_only else plain_
    if star is None and named_only:
        named_only[-1] = named_only[-1].with_changes(comma=plain_)
    alone = star is None and not named_only and not isinstance(rest, cst.Param)
    last = params[-1].with_changes(comma=plain_) if alone else params[-1]
    params = [p if i < len(params) - 1 else last for i, p in enumerate(params)]
    for i, p in enumerate(params[:-1]):
        if isinstance(p.comma, cst.MaybeSentinel):
            params[i] = p.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return node.params.with_changes(params=params, star_kwarg=star, star_arg=rest, kwonly_params=named_only)


def init_from_build(em: Emitter, cls: Class, node: cst.FunctionDef) -> list[Any]:
    """A class with `build` and no `__init__`."""
    sizes, base = of_base(em, cls, new_params), find_method(cls, "__init__")
    rest = "*args, **kwargs" if base is not None and len(base.params) > 1 else ""
    if [code(em.size(Sym(m), node)) for m in sizes] != sizes:
        raise Refused("P208", f"the size `{sizes[0]}` of the input is not known when the layer is made", node)
    given = ", ".join([*sizes, *([rest] if rest else [])])
    body = [statement(f"super().__init__({given})"),
            *split_docstring(constructor_body(em, cls, cls.methods["build"]))[1]]
    names = ", ".join(["self", *dict.fromkeys([*sizes, *new_params(em, cls)]), *([rest] if rest else [])])
    params = cst.ensure_type(statement(f"def __init__({names}): pass"), cst.FunctionDef).params
    if is_root(em, cls):
        body.append(statement("self.apply(init_weights)"))
    return [node.with_changes(name=cst.Name("__init__"), params=params,
                              body=node.body.with_changes(body=body))]
