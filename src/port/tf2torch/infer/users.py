"""Functions and classes of the user: one symbolic analysis each, shared by all calls.

Sizes inside are written with the parameters' names; a call replaces them by what it passes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, Sym, tensor
from port.tf2torch.infer import links, masks
from port.tf2torch.infer.origins import proves_rank
from port.tf2torch.infer.values import (
    OPEN,
    Alternatives,
    Applied,
    Class,
    Curried,
    Env,
    Function,
    Instance,
    Items,
    ShapeOf,
    find_method,
    has_tensor,
    tensors_in,
    without,
)
from port.tree import find, memo, named

if TYPE_CHECKING:
    from port.tf2torch.infer.interp import Interp

ROOTS = ("keras.Model", "keras.layers.Layer", "tf.Module", "keras.Sequential")
LIMIT = 12  # analyses of one function before its facts are taken as they are




# ---------------------------------------------------------------- definitions
def define(it: Interp, node: cst.FunctionDef | cst.ClassDef, env: Env) -> None:
    if isinstance(node, cst.ClassDef):
        env.names[node.name.value] = Fact(Kind.FUNCTION, payload=_define_class(it, node, env))
        return
    function = it.functions.get(node)
    if function is None:
        function = it.functions[node] = make_function(it, node, env)
    function.env = env
    env.names[node.name.value] = Fact(Kind.FUNCTION, payload=function)


def make_function(it: Interp, node: cst.FunctionDef, env: Env, owner: Class | None = None) -> Function:
    function = Function(node.name.value, node, env, owner)
    for p in (*node.params.posonly_params, *node.params.params, *node.params.kwonly_params):
        function.params.append(p.name.value)
        if p.default is not None:
            function.defaults[p.name.value] = p.default
    if isinstance(node.params.star_arg, cst.Param):
        function.star = node.params.star_arg.name.value
    if node.params.star_kwarg is not None:
        function.kwstar = node.params.star_kwarg.name.value
    _scan(it, function, node)
    return function


def _scan(it: Interp, function: Function, node: cst.FunctionDef) -> None:
    """What can be told from the text alone: does it create layers, a graph; which parameters are Keras tensors."""
    model = given = False
    for n in find(node.body, cst.Call):
        symbol = it.names.resolve(n.func)
        known = links.linked(it, n.func, function.env)
        if known is not None:
            function.stateful |= _is_stateful(known, function)
            continue
        if symbol == "keras.Input":
            given = True
            function.absent |= {a.value.value for a in n.args if a.keyword is not None
                                and a.keyword.value == "tensor" and isinstance(a.value, cst.Name)}
        elif symbol.endswith((".is_keras_tensor", ".get_source_inputs")):
            function.absent |= {a.value.value for a in n.args if isinstance(a.value, cst.Name)}
        elif symbol == "keras.Model":
            model = True
        elif symbol.startswith("keras.layers.") and symbol.rpartition(".")[2][:1].isupper():
            rows = it.rows.get(symbol) or ()
            function.stateful |= not any(r.call is not None or r.expr for r in rows)
        elif isinstance(n.func, cst.Name) and not symbol:
            function.stateful |= _calls_stateful(it, function, n.func.value)
    function.absent &= set(function.params)
    function.names = named(node.body)
    function.assigned = frozenset(t.value for n in find(node.body, cst.AssignTarget)
                                  for t in find(n.target, cst.Name))
    function.graph = model and given


def _calls_stateful(it: Interp, function: Function, name: str) -> bool:
    fact = function.env.get(name)
    if fact is None and name in it.file.later:
        define(it, it.file.later.pop(name), it.globals)
        return _calls_stateful(it, function, name)
    return fact is not None and _is_stateful(fact, function)


def _is_stateful(fact: Fact, function: Function) -> bool:
    if isinstance(fact.payload, Function) and fact.payload is not function:
        return fact.payload.stateful and not fact.payload.graph
    return isinstance(fact.payload, Class) and fact.payload.root in ROOTS


def _define_class(it: Interp, node: cst.ClassDef, env: Env) -> Class:
    cls = it.classes.get(node)
    if cls is not None:
        return cls
    cls = it.classes[node] = Class(node.name.value, node, env)
    for base in node.bases:
        fact = it.ev(base.value, env)
        cls.bases.append(fact)
        if isinstance(fact.payload, Class):
            cls.root = cls.root or fact.payload.root
        elif fact.symbol in ROOTS or fact.symbol.startswith("keras.layers."):
            cls.root = fact.symbol
    for statement in node.body.body:
        if isinstance(statement, cst.FunctionDef):
            method = cls.methods[statement.name.value] = make_function(it, statement, env, cls)
            it.functions[statement] = method
        elif isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                if isinstance(small, cst.Assign) and isinstance(small.targets[0].target, cst.Name):
                    cls.attrs[small.targets[0].target.value] = it.ev(small.value, env)
    return cls




# ---------------------------------------------------------------- calls of functions
def bind_args(function: Function, node: cst.Call | None, args: list[Fact]) -> dict[str, tuple[Fact, Any]] | None:
    """Parameter to (fact, expression); None if stars hide what goes where (then keywords only)."""
    names = function.params[1:] if function.owner is not None and function.params[:1] == ["self"] else function.params
    found: dict[str, tuple[Fact, Any]] = {}
    if node is None or len(node.args) != len(args):  # the call of a wrapper, which passes on the first ones
        return {n: (f, None) for n, f in zip(names, args, strict=False)}
    at = 0
    for arg, fact in zip(node.args, args, strict=True):
        if arg.star:
            continue
        if arg.keyword is not None:
            found[arg.keyword.value] = (fact, arg.value)
        elif at < len(names):
            found[names[at]] = (fact, arg.value)
            at += 1
    return found


def call_function(it: Interp, node: cst.Call | None, function: Function, args: list[Fact]) -> Fact:
    bound = bind_args(function, node, args) or {}
    changed = _receive(it, function, bound, starred=node is not None and any(a.star for a in node.args))
    function.called += 1
    if node is not None:
        it.applications[node] = (Fact(Kind.FUNCTION, payload=function), list(args))
    if function.busy:
        return function.result or UNKNOWN
    if function.result is None or changed:
        analyze(it, function)
    _want_flips(it, function, bound)
    for name, (_, given) in bound.items():
        if given is not None and name not in function.assigned:
            proves_rank(it, given, it.ranks.get((function, name), 0))
    inner = (function.result or UNKNOWN).payload
    if node is not None and isinstance(inner, Function) and inner.stateful and inner.env.outer is not None and (
            isinstance(inner.node, cst.FunctionDef) and inner.owner is None and inner.node in _nested(function)):
        function.inner = inner
        it.applications.pop(node, None)
        return Fact(Kind.LAYER, symbol=function.name, payload=Curried(function, inner, node, bound))
    return substitute(it, node, function, bound)




def _nested(function: Function) -> list[cst.CSTNode]:
    return [s for s in function.node.body.body if isinstance(s, cst.FunctionDef)]  # type: ignore[union-attr]


def call_curried(it: Interp, node: cst.Call, curried: Curried, args: list[Fact]) -> Fact:
    inner = curried.inner
    bound = bind_args(inner, node, args) or {}
    changed = _receive(it, inner, bound, starred=False)
    inner.called += 1
    if inner.busy:
        return inner.result or UNKNOWN
    if inner.result is None or changed:
        analyze(it, inner)
    _want_flips(it, inner, bound)
    result = inner.result or UNKNOWN
    if not has_tensor(result):
        return result
    bindings = bindings_of(it, node, inner, bound)
    bindings.update(bindings_of(it, curried.node, curried.outer, curried.bound))
    return _in_terms(it, node, inner, result, bindings, None)


def _receive(it: Interp, function: Function, bound: dict[str, tuple[Fact, Any]], starred: bool) -> bool:
    """Join what arrives; True if the analysis must run again."""
    changed = False
    _remember_binding(it, function, bound, starred)
    for name, (fact, _) in bound.items():
        if fact.kind is Kind.TENSOR or (has_tensor(fact) and fact.kind is Kind.PLAIN):
            changed |= _receive_tensor(it, function, name, fact)
        elif isinstance(fact.payload, Function | Class | Alternatives):
            options = fact.payload.functions if isinstance(fact.payload, Alternatives) else [fact]
            known = function.callables.setdefault(name, [])
            for option in options:
                if all(option.payload is not k.payload for k in known):
                    known.append(option)
                    changed = True
        elif name in function.tensors and fact.literal(...) is None and function.tensors[name].symbol != "?":
            function.tensors[name] = function.tensors[name].but(symbol="?")
            changed = True
        values = function.reaching.setdefault(name, set())
        values |= _reaching(it, fact)
    for name in function.params:
        if name not in bound:
            default = function.defaults.get(name)
            values = function.reaching.setdefault(name, set())
            if starred:
                values.add(OPEN)
            elif default is not None:
                values |= _reaching(it, it.ev(default, function.env))
    return changed


def _remember_binding(it: Interp, function: Function, bound: dict[str, tuple[Fact, Any]], starred: bool) -> None:
    binding: dict[str, Any] = {}
    for name in function.params:
        if name in bound:
            binding[name] = bound[name][0].literal(...)
        elif name in function.defaults and not starred:
            binding[name] = it.ev(function.defaults[name], function.env).literal(...)
        else:
            binding[name] = ...
    if binding not in function.bindings:
        function.bindings.append(binding)


def _reaching(it: Interp, fact: Fact) -> set[Any]:
    if fact.values is not None:
        return set(fact.values)
    name = fact.symbol[1:] if fact.symbol.startswith("=") else ""
    for function in reversed(it.current):
        if name in function.params:
            return {Ref(function, name)}
    return {OPEN}


@dataclass(frozen=True)
class Ref:
    """A parameter passed on: whatever reaches it."""

    function: Any
    name: str


def reached(function: Function, name: str, seen: frozenset[Any] = frozenset()) -> set[Any]:
    """Literals that reach a parameter through the calls of this file; its default if there are none."""
    found: set[Any] = set()
    if (function, name) in seen:
        return found
    for value in function.reaching.get(name, set()):
        if isinstance(value, Ref):
            found |= reached(value.function, value.name, seen | {(function, name)})
        elif value is not OPEN:
            found.add(value)
    default = function.defaults.get(name)
    if default is not None:
        from port.binding import literal_text
        from port.tree import code

        with suppress(LookupError):
            found.add(literal_text(code(default)))
    return found


def _receive_tensor(it: Interp, function: Function, name: str, fact: Fact) -> bool:
    old = function.tensors.get(name)
    fact = masks.foreign(fact)
    new = fact.but(payload=None) if fact.kind is Kind.TENSOR else fact
    if old is None:
        if fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED:
            function.flipped.add(name)
        none_before = None in function.reaching.get(name, set())
        function.tensors[name] = new.but(symbol="?") if none_before else new.but(symbol="")
        return True
    changed = False
    if fact.kind is Kind.TENSOR and fact.layout is Layout.FLIPPED and name not in function.flipped:
        function.flipped.add(name)
        changed = True
    if fact.kind is Kind.TENSOR and old.kind is Kind.TENSOR:
        if old.shape is None and fact.shape is not None and old.dtype != "!":
            function.tensors[name] = new.but(symbol=old.symbol)
            changed = True
        elif old.shape is not None and fact.shape is not None and old.rank != fact.rank:
            function.tensors[name] = old.but(shape=None, dtype="!")
            changed = True
        elif old.shape != fact.shape and old.shape is not None and fact.shape is not None:
            joined = tuple(a if a == b else None for a, b in zip(old.shape, fact.shape, strict=True))
            function.tensors[name] = old.but(shape=joined)
        if fact.mask is not None and function.tensors[name].mask is None:
            function.tensors[name] = function.tensors[name].but(mask=fact.mask)
            changed = True
    return changed


def _want_flips(it: Interp, function: Function, bound: dict[str, tuple[Fact, Any]]) -> None:
    from port.tf2torch.infer.origins import want_flipped

    for name, (fact, _) in bound.items():
        if name in function.flipped and fact.kind is Kind.TENSOR and (fact.rank is None or fact.rank >= 3):
            want_flipped(it, (fact,))


def call_alternatives(it: Interp, node: cst.Call, options: Alternatives, args: list[Fact]) -> Fact:
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
        return _out_of(it, node, first)
    stateful = any(isinstance(o.payload, Function) and o.payload.stateful for o in options.functions)
    return _out_of(it, node, first) if stateful and first.kind is Kind.TENSOR else first


def curried_alternatives(it: Interp, node: cst.Call, options: Alternatives, args: list[Fact]) -> Fact:
    """`{0: A, 1: B}[kind](settings)(x)`: one of several blocks; its width is asked of the module."""
    results = [call_curried(it, node, o.payload, args) for o in options.functions]
    it.wants_out |= {o.payload.inner for o in options.functions}
    first = results[0]
    if first.kind is not Kind.TENSOR or first.shape is None:
        return first
    return first.but(shape=(*first.shape[:1], *[None] * (len(first.shape) - 2), out_size(it, node, None, None)),
                     payload=None)


def analyze(it: Interp, function: Function) -> None:
    """Run the body with symbolic parameters until ranks and layouts no longer change."""
    from port.tf2torch.infer import flow

    function.busy = True
    depth, it.depth = it.depth, 0
    for _ in range(LIMIT):
        before = (len(it.flips), len(it.ranks), {k: set(v) for k, v in [("f", function.flipped)]})
        env = Env(function.env)
        _parameters(it, function, env)
        function.returns = []
        function.reassigned.clear()
        it.current.append(function)
        body = function.node.body
        with it.within(function.env):
            if isinstance(function.node, cst.Lambda):
                function.returns.append(it.ev(body, env))
            else:
                flow.run(it, body.body, env)
        it.current.pop()
        function.flipped |= {n for owner, n in it.flips if owner is function and n in function.params}
        if before == (len(it.flips), len(it.ranks), {"f": function.flipped}):
            break
    function.result = _join_returns(it, function)
    function.busy, it.depth = False, depth


def _parameters(it: Interp, function: Function, env: Env) -> None:
    function.mirrors.clear()
    several = len([n for n in function.params if n in function.tensors or (function, n) in it.ranks]) > 1
    for name in function.params:
        if function.owner is not None and name == "self":
            from port.tf2torch.infer.origins import SelfValue

            env.names[name] = function.self_fact or Fact(Kind.UNKNOWN, payload=SelfValue(function.owner))
            continue
        if name in it.known_params and function.owner is None:
            env.names[name] = it.known_params[name]
            continue
        known = function.tensors.get(name)
        rank = known.rank if known is not None else None
        rank = rank if rank is not None else it.ranks.get((function, name))
        if known is not None and known.kind is not Kind.TENSOR:
            env.names[name] = _container(it, function, name, known)
        elif known is not None or (function, name) in it.ranks:
            env.names[name] = _tensor_param(it, function, name, rank, several, known)
        elif name in function.callables:
            env.names[name] = Fact(Kind.FUNCTION, payload=Alternatives(function.callables[name]))
        else:
            function.reaching.setdefault(name, set())
            rank = documented_rank(function, name)
            env.names[name] = tensor((None,) * rank) if rank is not None else Fact(
                Kind.PLAIN, symbol="=" + name, dtype=_number_kind(function, name))
    if function.kwstar:
        env.names[function.kwstar] = Fact(Kind.PLAIN, symbol="=")
    if function.star:
        env.names[function.star] = Fact(Kind.PLAIN, symbol="=")


_SHAPES = re.compile(r"((?:\w+, )*\w+): \((\w[^()]*,[^()]*)\)")


@memo
def _documented_shapes(node: cst.FunctionDef) -> list[tuple[str, str]]:
    return _SHAPES.findall(node.get_docstring() or "")


def documented_rank(function: Function, name: str) -> int | None:
    """The number of axes that the docstring of a plain function gives: `states: (batch, beam, features)`."""
    if not isinstance(function.node, cst.FunctionDef) or function.owner is not None or function.stateful:
        return None
    for names, axes in _documented_shapes(function.node):
        parts = [p.strip() for p in axes.split(",")]
        if name in names.split(", ") and all(re.fullmatch(r"[\w ]+", p) for p in parts):
            return len(parts)
    return None


def _number_kind(function: Function, name: str) -> str | None:
    """What a parameter's default or type hint says of it: see `conditions`."""
    if not isinstance(function.node, cst.FunctionDef):
        return None
    default = function.defaults.get(name)
    owner = function.owner is not None and function.name == "__init__" and bool(function.owner.root)
    while isinstance(default, cst.UnaryOperation):
        default = default.expression
    if isinstance(default, cst.Integer | cst.Float):
        return ("int" if isinstance(default, cst.Integer) else "float") + ("" if owner else "?")
    for p in (*function.node.params.params, *function.node.params.kwonly_params):
        if p.name.value == name and p.annotation is not None:
            hint = p.annotation.annotation
            if isinstance(hint, cst.Name) and hint.value in ("int", "float"):
                return hint.value + "?"
    optional = isinstance(default, cst.Name) and default.value == "None"
    return "setting" if owner and (default is None or optional) else None


def _container(it: Interp, function: Function, name: str, known: Fact) -> Fact:
    if not isinstance(known.payload, Items):
        return known
    elements = []
    for i, e in enumerate(known.payload.elements):
        if e.kind is not Kind.TENSOR:
            elements.append(e)
            continue
        mirror = f"{name}_channels[{i}]"
        shape = None if e.shape is None else (*[None] * (len(e.shape) - 1), Sym(mirror))
        elements.append(e.but(shape=shape, payload=None))
    function.mirrors[f"{name}_channels"] = (name, -2)
    return Fact(Kind.PLAIN, payload=Items(elements, known.payload.kind))


def _tensor_param(it: Interp, function: Function, name: str, rank: int | None, several: bool,
                  known: Fact | None) -> Fact:
    layout = Layout.FLIPPED if name in function.flipped and (rank is None or rank >= 3) else Layout.PLAIN
    kind = "features" if rank == 2 or (rank in (None, 3) and layout is Layout.PLAIN) else "channels"
    channels = f"{name}_{kind}" if several else f"in_{kind}"
    while channels in function.params or channels in function.assigned:
        channels = f"{name}_{kind}" if channels.startswith("in_") else channels + "_"
    fact = it.fresh_tensor(name, rank, channels, function, layout)
    if fact.shape is None:
        fact = fact.but(last=Sym(channels))
        function.mirrors[channels] = (name, -1)
    if fact.shape is not None and len(fact.shape) >= 2:
        for axis, dim in enumerate(fact.shape):
            if isinstance(dim, Sym):
                function.mirrors[dim.text] = (name, axis)
    fact = fact.but(dtype=known.dtype if known is not None and known.dtype != "!" else None,
                    mask=known.mask if known is not None else None)
    return fact.but(symbol="?") if known is not None and known.symbol == "?" else fact


def _join_returns(it: Interp, function: Function) -> Fact:
    if not function.returns:
        return UNKNOWN
    result = function.returns[0]
    for other in function.returns[1:]:
        result = _join_two(result, other)
    return result


def _join_two(a: Fact, b: Fact) -> Fact:
    if a.kind is Kind.TENSOR and b.kind is Kind.TENSOR:
        if a.shape is None or b.shape is None or len(a.shape) != len(b.shape):
            return a.but(shape=None, payload=None)
        dims = tuple(x if x == y else Sym("?") for x, y in zip(a.shape, b.shape, strict=True))
        layout = Layout.FLIPPED if Layout.FLIPPED in (a.layout, b.layout) else Layout.PLAIN
        return a.but(shape=dims, payload=None, layout=layout)
    if isinstance(a.payload, Items) and isinstance(b.payload, Items) and len(a.payload.elements) == len(
            b.payload.elements):
        parts = [_join_two(x, y) for x, y in zip(a.payload.elements, b.payload.elements, strict=True)]
        return Fact(Kind.PLAIN, payload=Items(parts, a.payload.kind))
    return a if a.kind is not Kind.UNKNOWN else b


# ---------------------------------------------------------------- results in the caller's terms
def substitute(it: Interp, node: cst.Call | None, function: Function, bound: dict[str, tuple[Fact, Any]]) -> Fact:
    result = function.result or UNKNOWN
    if result.kind is Kind.TENSOR and isinstance(result.payload, object) and not function.stateful:
        from port.tf2torch.infer.origins import Origin

        if isinstance(result.payload, Origin) and result.payload.name in bound:
            result = result.but(payload=bound[result.payload.name][0].payload)
    if not has_tensor(result) or node is None:
        return result
    bindings = bindings_of(it, node, function, bound)
    return masks.foreign(_in_terms(it, node, function, result, bindings, None))


def bindings_of(it: Interp, node: cst.Call, function: Function,
                bound: dict[str, tuple[Fact, Any]]) -> dict[str, Dim]:
    starred = any(a.star for a in node.args)
    bindings: dict[str, Dim] = {}
    for name in function.params:
        if name in bound and bound[name][1] is not None:
            bindings[name] = it.dim(bound[name][1])
        elif name in function.defaults and not starred:
            bindings[name] = _default_dim(it, function, name)
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


def _default_dim(it: Interp, function: Function, name: str) -> Dim:
    """A default that is a size; one written with names of another file cannot be repeated here."""
    dim = it.dim(function.defaults[name])
    return None if isinstance(dim, Sym) and function.file is not it.file else dim


def _visible(it: Interp, function: Function, dim: Sym, bindings: dict[str, Dim]) -> bool:
    """Can the caller write this size? Not if it uses names that only the function knows."""
    if isinstance(function.node, cst.Lambda):
        return True
    if dim.names & function.reassigned:
        return False
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


_BUILTIN = {"int", "max", "min", "round", "sum", "len", "abs", "float"}


def _in_terms(it: Interp, node: cst.Call, function: Function, fact: Fact, bindings: dict[str, Dim],
              part: int | None) -> Fact:
    if isinstance(fact.payload, Items):
        parts = [_in_terms(it, node, function, e, bindings, i) for i, e in enumerate(fact.payload.elements)]
        return Fact(Kind.PLAIN, payload=Items(parts, fact.payload.kind))
    if fact.kind is not Kind.TENSOR:
        return fact
    if fact.shape is None:
        if isinstance(fact.last, Sym):
            ok = "?" not in fact.last.text and _visible(it, function, fact.last, bindings)
            return fact.but(last=fact.last.substitute(bindings) if ok else None)
        return fact
    origin = fact.payload if not function.stateful else None
    dims: list[Dim] = []
    for axis, dim in enumerate(fact.shape):
        if isinstance(dim, Sym):
            new: Dim = None
            if "?" not in dim.text and _visible(it, function, dim, bindings):
                new = dim.substitute(bindings)
                if isinstance(new, Sym) and len(new.text) > 80:
                    new = None
            if new is None and axis == len(fact.shape) - 1 and function.stateful:
                new = out_size(it, node, function, part)
            dims.append(new)
        else:
            dims.append(out_size(it, node, function, part)
                        if dim is None and axis == len(fact.shape) - 1 and function.stateful else dim)
    return fact.but(shape=tuple(dims), payload=origin)


def out_size(it: Interp, node: cst.Call, function: Function | None, part: int | None) -> Dim:
    """The size as an attribute of the module that this call becomes; the rules replace the placeholder."""
    number = it.outs.setdefault(node, len(it.outs))
    if function is not None:
        it.wants_out.add(function)
    suffix = f"[{part}]" if part is not None else ""
    return Sym(f"OUT_{number}_{suffix}")


def _out_of(it: Interp, node: cst.Call, fact: Fact) -> Fact:
    callee = it.applications[node][0].payload
    for option in callee.functions if isinstance(callee, Alternatives) else []:
        if isinstance(option.payload, Function):
            it.wants_out.add(option.payload)
    if fact.shape is None:
        return fact.but(shape=None)
    shape = tuple(None if isinstance(d, Sym) else d for d in fact.shape[:-1])
    return fact.but(shape=(*shape, out_size(it, node, None, None)), payload=None)


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
        _receive(it, init, bound or {}, starred=any(a.star for a in node.args))
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
        init.self_fact = _self(cls)
        analyze(it, init)
    cls.done, cls.busy = True, False


def _self(cls: Class) -> Fact:
    from port.tf2torch.infer.origins import SelfValue

    return Fact(Kind.UNKNOWN, payload=SelfValue(cls))


def apply_instance(it: Interp, node: cst.Call, instance: Instance, args: list[Fact]) -> Fact:
    cls = instance.cls
    instance.inputs.append(args[0] if args else UNKNOWN)
    prepare(it, cls)
    method = find_method(cls, "call") or find_method(cls, "__call__")
    if method is None or method.busy:
        return tensor()
    method.self_fact = _self(cls)
    method.owner = cls if method.owner is None else method.owner
    bound = bind_args(method, node, args) or {}
    if "training" in bound:
        bound.pop("training")
    changed = _receive(it, method, bound, starred=False)
    _build(it, cls, args[0] if args else UNKNOWN, changed)
    if method.result is None or changed:
        analyze(it, method)
    _want_flips(it, method, bound)
    result = method.result or tensor()
    if not has_tensor(result):
        return result
    bindings = bindings_of(it, node, method, bound)
    sizes = {m: bindings.get(m) for m in method.mirrors}
    instance.applied[:] = [a for a in instance.applied if a.call is not node]
    instance.applied.append(Applied(instance, sizes, node))
    bindings.update(instance_bindings(it, instance))
    method_stateful, method.stateful = method.stateful, False
    out = _in_terms(it, node, method, result, bindings, None)
    method.stateful = method_stateful
    return _outside(without(out, instance.hidden), method)


def _outside(fact: Fact, method: Function) -> Fact:
    """What an object gives is a tensor of its own: where it came from inside does not concern the caller."""
    from port.tf2torch.infer.origins import Origin

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
            bindings[name] = _default_dim(it, init, name)
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
    return bindings


def _build(it: Interp, cls: Class, x: Fact, changed: bool) -> None:
    """Run `build(input_shape)` with the shape of the first input."""
    build = find_method(cls, "build")
    if build is None or build.busy or (build.result is not None and not changed):
        return
    from port.tf2torch.infer import flow

    build.self_fact = _self(cls)
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
        flow.run(it, build.node.body.body, env)  # type: ignore[union-attr]
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
    seen = _tensor_param(it, call, names[0], rank, several, x)
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
                other.self_fact = _self(cls)
                analyze(it, other)


def _alone(it: Interp, cls: Class, method: Function) -> None:
    """A class that only users outside the file call: its first argument is a tensor of unknown shape."""
    method.self_fact = _self(cls)
    names = [n for n in method.params if n not in ("self", "training", "mask")]
    for name in names[:1]:
        method.tensors.setdefault(name, tensor())
    _build(it, cls, UNKNOWN, True)
    analyze(it, method)
