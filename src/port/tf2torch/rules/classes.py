"""Subclassed models and layers (golden: subclass_transformer; conventions 13, 14)."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, drop_commas, expression, statement
from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym
from port.tf2torch.calls.layers import first_input, plan
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer import users
from port.tf2torch.infer.apply import SelfValue
from port.tf2torch.infer.values import Class, Function, Instance, Items, LayerCall, SequentialModel, ShapeOf
from port.tf2torch.rules import plain
from port.tf2torch.rules.functional import permute_line, split_docstring, used_names
from port.tree import code, loads, walk

SUPER_ONLY = {"name", "dtype", "trainable", "activity_regularizer", "autocast"}
LEFT_OUT = {"compute_mask", "compute_output_shape", "compute_output_spec"}
TRAINING = {"train_step", "test_step", "predict_step", "metrics", "compile", "fit"}
RENAMED = {"call": "forward"}


def is_module(cls: Class | None) -> bool:
    return cls is not None and cls.root in ("keras.Model", "keras.layers.Layer", "tf.Module", "keras.Sequential")


def convert(em: Emitter, node: cst.ClassDef) -> list[Any]:
    cls = em.it.classes.get(node)
    if not is_module(cls):
        if cls is not None and cls.root.startswith("keras.layers."):
            raise Refused("P206", f"a subclass of `{cls.root}`", node)
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
        if isinstance(s, cst.FunctionDef):
            body += method(em, cls, s)
        else:
            body += plain.one(em, s, set())
    if _needs_init(em, cls) and "__init__" not in cls.methods:
        body = _added_init(em, cls, body)
    new = node.with_changes(bases=bases, decorators=plain.decorators(em, node),
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
    if fact.symbol in users.ROOTS:
        return arg.with_changes(value=expression("nn.Module"))
    return arg.with_changes(value=em.expr(arg.value))


# ---------------------------------------------------------------- sizes that the constructor must know
def mirrors(cls: Class) -> dict[str, tuple[str, int]]:
    call = users.find_method(cls, "call") or users.find_method(cls, "__call__")
    return dict(call.mirrors) if call is not None else {}


def channel_mirrors(em: Emitter) -> set[str]:
    """Widths of inputs, which root classes can be told by a parameter."""
    return {m for cls in em.it.classes.values() if is_module(cls) for m, (_, axis) in mirrors(cls).items()
            if m.endswith(("features", "channels"))}


def resolve_sizes(em: Emitter, cls: Class) -> None:
    """How each size of the input is written in `__init__`: a parameter that has it, a new one, or not at all."""
    if cls in em.class_sizes:
        return
    em.class_sizes[cls] = {}
    sizes: dict[str, Dim] = {}
    applied = [a for i in cls.instances for a in i.applied]
    for mirror in mirrors(cls):
        sizes[mirror] = _resolved(em, cls, mirror, applied)
    em.class_sizes[cls] = sizes


def _resolved(em: Emitter, cls: Class, mirror: str, applied: list[Any]) -> Dim:
    if not applied and mirror in em.open_sizes:
        return Sym(mirror)  # a root class: whoever makes the model says how wide its input is
    if not applied or any(a.sizes.get(mirror) is None for a in applied):
        return None
    init = users.find_method(cls, "__init__")
    for parameter in init.params if init is not None else []:
        if all(_passed(a.instance, parameter) == str(a.sizes[mirror]) for a in applied):
            return Sym(parameter)
    if all(_writable(em, a) for a in applied) and all(isinstance(a.sizes[mirror], int) for a in applied) and len(
            {a.sizes[mirror] for a in applied}) == 1 and not users.find_method(cls, "build"):
        return Sym(mirror)
    return Sym(mirror) if all(_writable(em, a, mirror) for a in applied) else None


def _passed(instance: Instance, parameter: str) -> str:
    for name, fact, text in instance.args:
        if name == parameter:
            value = fact.literal(...)
            return str(value) if isinstance(value, int) and not text.isidentifier() else text
    return ""


def _writable(em: Emitter, applied: Any, mirror: str = "") -> bool:
    """Can the place that makes the object write this size?"""
    size = applied.sizes.get(mirror) if mirror else None
    owner = applied.instance.maker
    if not isinstance(size, Sym) or not isinstance(owner, Class):
        return True
    resolve_sizes(em, owner)
    known = em.class_sizes[owner]
    return all(name not in mirrors(owner) or known.get(name) is not None for name in size.names)


def new_params(em: Emitter, cls: Class) -> list[str]:
    """Sizes that become parameters of the constructor: those that its code turned out to write."""
    resolve_sizes(em, cls)
    if cls not in em.class_params:
        em.class_params[cls] = _used_sizes(em, cls)
    return em.class_params[cls]


def _used_sizes(em: Emitter, cls: Class) -> list[str]:
    names = {m for m, s in em.class_sizes[cls].items() if isinstance(s, Sym) and s.text == m}
    if not names:
        return []
    probe = Probe(em, cls)
    return [m for m in em.class_sizes[cls] if m in names and m in probe.written]


class Probe:
    """A dry run of the constructor that notes which sizes it writes."""

    def __init__(self, em: Emitter, cls: Class):
        self.written: set[str] = set()
        saved = (set(em.needs), dict(em.helpers), list(em.reports), dict(em.plans), dict(em.activations))
        em.class_params[cls] = []
        try:
            for name in ("__init__", "build"):
                found = cls.methods.get(name)
                if found is not None:
                    for line in constructor_body(em, cls, found):
                        self.written |= {n.value for n in walk(line) if isinstance(n, cst.Name)}
        except Refused:
            pass
        em.needs, em.helpers, em.reports, em.plans, em.activations = saved
        del em.class_params[cls]


def size_text(em: Emitter, cls: Class, dim: Dim) -> str:
    """A size as the constructor of `cls` writes it."""
    if isinstance(dim, int):
        return str(dim)
    if isinstance(dim, Sym):
        bindings: dict[str, Dim] = {m: s for m, s in em.class_sizes.get(cls, {}).items() if m in dim.names}
        missing = [m for m in mirrors(cls) if m in dim.names and bindings.get(m) is None]
        if not missing and not any(bindings[m] is None for m in bindings):
            new = dim.substitute(bindings)
            if new is not None:
                return str(new)
    raise Refused("P208", f"the size `{dim}` of the input is not known when the layer is made", None)


def known_input(em: Emitter, cls: Class | None, fact: Fact) -> Fact:
    """The input of a layer with sizes that cannot be written taken as open (a Lazy module)."""
    def clean(f: Fact) -> Fact:
        if f.kind is Kind.TENSOR and f.shape is not None and cls is not None:
            dims: list[Dim] = []
            for d in f.shape:
                try:
                    text = size_text(em, cls, d) if d is not None else None
                    dims.append(d if text is not None else None)
                except Refused:
                    dims.append(None)
            return f.but(shape=tuple(dims))
        if isinstance(f.payload, Items):
            return f.but(payload=Items([clean(e) for e in f.payload.elements], f.payload.kind))
        return f

    return clean(fact)


# ---------------------------------------------------------------- methods
def method(em: Emitter, cls: Class, node: cst.FunctionDef) -> list[Any]:
    name = node.name.value
    if name == "build":
        return [] if "__init__" in cls.methods else _init_from_build(em, cls, node)
    if name in LEFT_OUT:
        em.report("P001", f"`{name}` only serves Keras; it is dropped", node)
        return []
    if name in TRAINING and cls.root == "keras.Model":
        return plain.refused_definition(em, node, Refused("P205", f"`{name}` is Keras training code", node))
    try:
        if name == "__init__":
            return [constructor(em, cls, node)]
        if name in ("get_config", "from_config"):
            return [_config(em, cls, node)]
        return [_method(em, cls, node)]
    except Refused as refusal:
        if name in ("__init__", "call"):
            raise
        if name in ("get_config", "from_config") and not _config_used(em, cls, node):
            em.report("P001", f"`{name}` writes Keras objects for Keras to read; it is dropped", node)
            return []
        return plain.refused_definition(em, node, refusal)


def _config_used(em: Emitter, cls: Class, node: cst.FunctionDef) -> bool:
    """Does other code of the file call this method of its own object or class?"""
    name, inside = node.name.value, set(walk(node))
    calls = [n.func for n in walk(em.it.module) if isinstance(n, cst.Call) and isinstance(n.func, cst.Attribute)
             and n.func.attr.value == name and n not in inside]
    return any(code(c.value) in ("self", "cls", cls.name) or em.fact(c.value).kind is Kind.MODEL
               or isinstance(em.fact(c.value).payload, Instance) for c in calls)


def scope(em: Emitter, cls: Class, function: Function | None, stage: str) -> Scope:
    return Scope(stage=stage, function=function, cls=cls, training=stage == "forward",
                 sizes=lambda dim: size_text(em, cls, dim), names={},
                 build=lambda: scope(em, cls, users.find_method(cls, "__init__"), "init"))


def constructor(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    function = cls.methods["__init__"]
    body = constructor_body(em, cls, function)
    build_ = cls.methods.get("build")
    if build_ is not None:
        extra = constructor_body(em, cls, build_)
        if extra and hasattr(extra[0], "leading_lines"):
            extra[0] = extra[0].with_changes(leading_lines=[
                cst.EmptyLine(indent=False), *[ln for ln in extra[0].leading_lines if ln.comment is not None]])
        body += extra
    if is_root(em, cls):
        body.append(statement("self.apply(init_weights)"))
    params = _params(em, cls, node, function, body)
    return node.with_changes(params=params, body=node.body.with_changes(body=body), decorators=[])


def is_root(em: Emitter, cls: Class) -> bool:
    """The outermost class: nothing in the file holds an object of it."""
    return not any(i.maker is not None for i in cls.instances) and not em.is_base(cls)


def constructor_body(em: Emitter, cls: Class, function: Function) -> list[Any]:
    old, em.scope = em.scope, scope(em, cls, function, "init")
    kept: set[str] = set()
    try:
        out: list[Any] = []
        node = function.node
        assert isinstance(node, cst.FunctionDef)
        for s in node.body.body:
            out += _constructor_line(em, cls, function, s, kept)
        if kept:
            raise Refused("P206", "the constructor uses Keras in a way that is not translated", node)
        shapes = {p for p in function.params if p != "self"} if function.name == "build" else set()
        left = shapes & {name for line in out for name in loads(line)}
        if left:
            raise Refused("P206", f"`build` passes `{left.pop()}` on; a constructor has no shape to give", node)
        return out
    finally:
        em.scope = old


def _constructor_line(em: Emitter, cls: Class, function: Function, s: Any, kept: set[str]) -> list[Any]:
    if isinstance(s, cst.SimpleStatementLine) and len(s.body) == 1:
        small = s.body[0]
        text = code(small).replace(" ", "")
        if isinstance(small, cst.Expr) and text.startswith("super"):
            return _super_call(em, cls, function, s, small)
        if text.startswith(("self.built=", "self.supports_masking=", "self.input_spec=", "self._name=",
                            "self.trainable=")) and not text.startswith("self.trainable=False"):
            return []
        if isinstance(small, cst.Return) and small.value is None:
            return []
        if isinstance(small, cst.Assign) and isinstance(small.value, cst.Call):
            weight = _weight(em, cls, small, s)
            if weight is not None:
                return weight
        if _stateless_attr(em, small) or _only_keras(em, small):
            return []
        unpacked = _unpacked_shape(em, small, s)
        if unpacked is not None:
            return unpacked
        return [_line_strict(em, s)]
    if isinstance(s, cst.If):
        known = em.fact(s).literal(...)
        if known is not ...:
            taken = s.body if known else s.orelse
            if taken is None:
                return []
            inner = taken.body.body if isinstance(taken, cst.Else) else taken.body if isinstance(
                taken, cst.IndentedBlock) else [taken]
            return [x for c in inner for x in _constructor_line(em, cls, function, c, kept)]
        body = [x for c in s.body.body for x in _constructor_line(em, cls, function, c, kept)]
        orelse: Any = s.orelse
        if isinstance(orelse, cst.If):
            orelse = _constructor_line(em, cls, function, orelse, kept)[0]
        elif orelse is not None:
            inner = [x for c in orelse.body.body for x in _constructor_line(em, cls, function, c, kept)]
            orelse = orelse.with_changes(body=orelse.body.with_changes(body=inner)) if inner else None
        if not body and orelse is None:
            return []
        return [s.with_changes(test=em.expr(s.test), body=s.body.with_changes(body=body or [statement("pass")]),
                               orelse=orelse)]
    if isinstance(s, cst.For):
        body = [x for c in s.body.body for x in _constructor_line(em, cls, function, c, kept)]
        return [s.with_changes(iter=em.expr(s.iter), body=s.body.with_changes(body=body or [statement("pass")]))]
    if isinstance(s, cst.With) and plain.is_scope(em, s):
        return [x for c in s.body.body for x in _constructor_line(em, cls, function, c, kept)]
    if isinstance(s, cst.FunctionDef):
        return plain.function(em, s)
    return [em._expr(s)]


def _stateless_attr(em: Emitter, small: Any) -> bool:
    """`self.flatten = Flatten()`: `forward` calls the function itself."""
    if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Attribute):
        return False
    payload = em.fact(small.value).payload
    if not isinstance(payload, LayerCall) or not isinstance(small.value, cst.Call) or (
            payload.symbol == "keras.layers.Lambda"):
        return False
    return not plan(em, payload, first_input(payload)).module


def _only_keras(em: Emitter, small: Any) -> bool:
    """`init = RandomNormal(stddev=0.02)`: what reads it is translated, the object has no use."""
    if not isinstance(small, cst.Assign) or not isinstance(small.value, cst.Call) or not isinstance(
            small.targets[0].target, cst.Name):
        return False
    return em.symbol(small.value.func).startswith(("keras.initializers.", "keras.regularizers.", "keras.constraints."))


def _unpacked_shape(em: Emitter, small: Any, s: Any) -> list[Any] | None:
    """`_, length, dim = input_shape`."""
    if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Tuple):
        return None
    payload = em.fact(small.value).payload
    if not isinstance(payload, ShapeOf) or payload.of.shape is None:
        return None
    lines = []
    for element, dim in zip(small.targets[0].target.elements, payload.of.shape, strict=False):
        if isinstance(element.value, cst.Name) and element.value.value != "_" and dim is not None:
            lines.append(statement(f"{element.value.value} = {code(em.size(dim, small))}"))
    if lines:
        lines[0] = lines[0].with_changes(leading_lines=s.leading_lines)
    return lines


def _line_strict(em: Emitter, s: cst.SimpleStatementLine) -> Any:
    special = plain._special(em, s)
    if special is not None:
        return special[0] if len(special) == 1 else cst.FlattenSentinel(special)
    small = s.body[0]
    if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Attribute):
        fact = em.fact(small.value)
        if _is_layer_list(fact, small.value):
            em.need("nn")
            wrapper = "nn.ModuleList({x})"
            value = em.expr(small.value)
            empty = isinstance(small.value, cst.List) and not small.value.elements
            new = expression("nn.ModuleList()") if empty else build(wrapper, x=value)
            return s.with_changes(body=[small.with_changes(value=new)])
        if isinstance(small.value, cst.Dict) and small.value.elements and all(
                em.fact(e.value).kind in (Kind.LAYER, Kind.MODEL) for e in small.value.elements):
            em.need("nn")  # a plain dict would hide the parameters
            return s.with_changes(body=[small.with_changes(value=build("nn.ModuleDict({d})", d=em.expr(small.value)))])
    return s.with_changes(body=[em._expr(small)])


def _is_layer_list(fact: Fact, value: cst.BaseExpression) -> bool:
    if isinstance(fact.payload, Items) and fact.payload.elements and isinstance(value, cst.List | cst.ListComp):
        return all(e.kind in (Kind.LAYER, Kind.MODEL) for e in fact.payload.elements)
    return False


def _super_call(em: Emitter, cls: Class, function: Function, s: Any, small: cst.Expr) -> list[Any]:
    call = small.value
    text = code(small).replace(" ", "")
    if "__init__" not in text:
        return []
    if not isinstance(call, cst.Call):
        return []
    user_base = any(isinstance(b.payload, Class) for b in cls.bases)
    args = []
    for a in call.args:
        gone = a.star == "**" or (a.keyword is not None and a.keyword.value in SUPER_ONLY)
        if gone or not user_base:
            continue
        args.append(a.with_changes(value=em.expr(a.value), comma=cst.MaybeSentinel.DEFAULT))
    return [s.with_changes(body=[small.with_changes(value=expression("super().__init__()").with_changes(args=args))])]


def _weight(em: Emitter, cls: Class, small: cst.Assign, s: Any) -> list[Any] | None:
    """`self.gamma = self.add_weight(...)` and tf.Variable -> nn.Parameter or a buffer."""
    from port.tf2torch.rules import weights

    call = small.value
    assert isinstance(call, cst.Call)
    symbol = em.symbol(call.func)
    own = isinstance(call.func, cst.Attribute) and call.func.attr.value in (
        "add_weight", "add_variable") and isinstance(
        em.fact(call.func.value).payload, SelfValue)
    if not own and symbol not in ("tf.Variable", "keras.Variable"):
        return None
    target = small.targets[0].target
    if not isinstance(target, cst.Attribute):
        raise Refused("P206", "a weight that is not an attribute of self", call)
    new = weights.weight(em, call, target.attr.value, own)
    if isinstance(new, cst.Expr):
        return [s.with_changes(body=[new])]
    return [s.with_changes(body=[small.with_changes(value=new)])]


def _params(em: Emitter, cls: Class, node: cst.FunctionDef, function: Function, body: list[Any]) -> cst.Parameters:
    used = used_names(body)
    kept: list[cst.Param] = []
    plain_ = cst.MaybeSentinel.DEFAULT
    for p in node.params.params:
        name = p.name.value
        if name in SUPER_ONLY and name not in used:
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
    last = params[-1].with_changes(comma=plain_) if star is None and not node.params.kwonly_params else params[-1]
    params = [p if i < len(params) - 1 else last for i, p in enumerate(params)]
    for i, p in enumerate(params[:-1]):
        if isinstance(p.comma, cst.MaybeSentinel):
            params[i] = p.with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return node.params.with_changes(params=params, star_kwarg=star)


def _needs_init(em: Emitter, cls: Class) -> bool:
    return is_root(em, cls) and "build" not in cls.methods and False


def _added_init(em: Emitter, cls: Class, body: list[Any]) -> list[Any]:
    return body


def _init_from_build(em: Emitter, cls: Class, node: cst.FunctionDef) -> list[Any]:
    """A class with `build` and no `__init__`."""
    body = [statement("super().__init__()"), *constructor_body(em, cls, cls.methods["build"])]
    params = [cst.Param(cst.Name("self")), *[cst.Param(cst.Name(n)) for n in new_params(em, cls)]]
    if is_root(em, cls):
        body.append(statement("self.apply(init_weights)"))
    return [node.with_changes(name=cst.Name("__init__"), params=cst.Parameters(params),
                              body=node.body.with_changes(body=body))]


def _config(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    """Plain Python: `super().get_config()` of a Keras base is an empty dict."""
    user_base = any(isinstance(b.payload, Class) for b in cls.bases)

    class Change(cst.CSTTransformer):
        def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
            text = code(original_node).replace(" ", "")
            if text.startswith("super(") and text.endswith(".get_config()") and not user_base:
                return expression("{}")
            return updated_node

    new = node.visit(Change())
    old, em.scope = em.scope, scope(em, cls, None, "plain")
    try:
        return em._expr(new)
    finally:
        em.scope = old


def _method(em: Emitter, cls: Class, node: cst.FunctionDef) -> Any:
    """`call` and the user's other methods."""
    function = cls.methods[node.name.value]
    old, em.scope = em.scope, scope(em, cls, function, "forward")
    kept: set[str] = set()
    try:
        body = plain.suite(em, node.body.body, kept)
        boundary = node.name.value == "call" and not _applied_inside(cls)
        if boundary and function.flipped:
            docstring, rest = split_docstring(body)
            entries = []
            for p in function.params:
                fact = function.tensors.get(p)
                rank = fact.rank if fact is not None and fact.rank else em.it.ranks.get((function, p))
                if p in function.flipped:
                    entries.append(permute_line(p, p, rank or 4))
            body = [*docstring, *entries, *rest]
        if kept and node.name.value == "call":
            pass
        if kept:
            body = plain._with_imports(em, body, kept)
        used = used_names(body)
        params = [p for p in node.params.params if not (
            p.name.value == "training" or (p.name.value == "mask" and "mask" not in used))]
        params = [p.with_changes(default=em.expr(p.default)) if p.default is not None else p for p in params]
        if params:
            params[-1] = params[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        star = node.params.star_kwarg
        if star is not None and star.name.value not in used:
            star = None
        kwonly = [p for p in node.params.kwonly_params if p.name.value not in ("training",)]
        star_arg = node.params.star_arg if kwonly or isinstance(node.params.star_arg, cst.Param) else (
            cst.MaybeSentinel.DEFAULT)
        return node.with_changes(
            name=cst.Name(RENAMED.get(node.name.value, node.name.value)), decorators=plain.decorators(em, node),
            params=node.params.with_changes(params=params, star_kwarg=star, kwonly_params=kwonly, star_arg=star_arg),
            body=node.body.with_changes(body=body))
    finally:
        em.scope = old


def _applied_inside(cls: Class) -> bool:
    return any(i.applied for i in cls.instances)


# ---------------------------------------------------------------- objects of the user's classes
def instance_call(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    """`LayerScale(init_value=0.2)` -> `LayerScale(embed_dim, init_value=0.2)`."""
    cls = em.fact(node.func).payload
    assert isinstance(cls, Class)
    if not is_module(cls):
        return em.generic(node)
    if cls in em.refused:
        raise Refused("P206", f"`{cls.name}` is not ported", node)
    instance = next((i for i in cls.instances if i.node is node), None)
    extra: list[cst.Arg] = []
    for mirror in new_params(em, cls):
        sizes = {str(a.sizes.get(mirror)) for a in (instance.applied if instance is not None else [])}
        if len(sizes) != 1 or "None" in sizes:
            raise Refused("P208", f"the size `{mirror}` of `{cls.name}` is not known here", node)
        assert instance is not None
        extra.append(cst.Arg(em.size(instance.applied[0].sizes[mirror], node),
                             comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))))
    args = []
    init = users.find_method(cls, "__init__")
    takes = set(init.params) if init is not None else set()
    for a in node.args:
        name = a.keyword.value if a.keyword is not None else ""
        if name in SUPER_ONLY and (name not in takes or name in em.dropped_init.get(cls, set()) or name == "name"):
            continue
        args.append(a.with_changes(value=em.expr(a.value)))
    made = drop_commas([*extra, *args], list(node.args)) if node.args else [
        *extra[:-1], *[e.with_changes(comma=cst.MaybeSentinel.DEFAULT) for e in extra[-1:]]]
    return node.with_changes(args=made)


__all__ = ["LayerCall", "Layout", "SequentialModel", "convert", "first_input", "plan"]
