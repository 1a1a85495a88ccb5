"""Models whose functions cannot become classes: the code stays as it is, and the model is noted while it runs.

What a function gets may be held in lists and dicts, and how many layers it makes may depend on what these hold: no
class could be written for it. Inputs are symbols then, layers are made where the source makes them, and each call of
one with a symbol becomes a step of the model (helpers Symbol, traced, FunctionalModel).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import libcst as cst

from port.binding import keyword
from port.build import argument, build, expression
from port.facts import LOST, UNKNOWN, Dim, Sym
from port.scopes import File
from port.tf2torch.calls.making import Plan
from port.tf2torch.calls.traced import TRACED
from port.tf2torch.calls.traced import traced as wrapped
from port.tf2torch.emit import Emitter, Refused, Scope
from port.tf2torch.infer.values import Class, Function
from port.tf2torch.rules import set_later
from port.tf2torch.rules.ids import are_ids
from port.tf2torch.rules.set_later import SUPER_ONLY, makes_layers
from port.tree import code, find, loads

GRAPH = ("keras.Input", "keras.Model")
KNOWN = {"shape", "name", "dtype", "batch_shape"}
CONFIGS = ("get_config", "from_config")  # methods that build nothing


def functions(em: Emitter, kept: Iterable[tuple[File, cst.CSTNode]], without: Container[cst.CSTNode] = ()
              ) -> tuple[frozenset[Function], frozenset[Function]]:
    """Functions whose models are left in Keras, with all that they call; none if methods call those.

    The second set: those among them that models call as well for which a class was written.
    `kept`: what stays in the source's framework, with its file. `without`: functions of which something is left anyway.
    """
    known = [f for f in em.it.functions.values() if f.owner is None and isinstance(f.node, cst.FunctionDef)]
    left = {c for file, node in kept for c in find(node, cst.Call) if file.names.resolve(c.func) in GRAPH}
    failed = {f for f in known if left and any(c in left for c in find(f.node, cst.Call))}
    built = [c for c in em.it.classes.values() if c in em.refused and is_built(c) and not any(
        m.node in without for m in c.methods.values())]
    failed |= {m for c in built for m in c.methods.values() if m.name not in CONFIGS}
    failed |= _handed(em, known) if failed else set()
    clean = {f for f in known if f not in failed and _builds(f)} if failed else set()  # a class was written for these
    found: set[Function] = set()
    parted: set[Function] = set()
    for function in failed:
        if function not in found and function.node not in without:
            group = _tied(function, known)
            if clean & group:
                parted |= (group := _below(function, known))
            found |= group
    shared = {g for f in known if f not in found for g in _called(f) if g in parted and f.env.outer is None}
    methods = [m for c in em.it.classes.values() if c not in built for m in c.methods.values()]
    if any(g in found and _weighs(em, g, set()) for m in methods for g in _called(m)):
        return frozenset(), frozenset()
    return frozenset(found), frozenset(shared & found)


def _handed(em: Emitter, known: Sequence[Function]) -> set[Function]:
    """Makers of layers that are values: in containers, or arguments of what is not followed."""
    found: set[Function] = set()
    for file in {f.file for f in known}:
        held: list[Any] = [n for kind in (cst.Arg, cst.Element, cst.DictElement) for n in find(file.module, kind)]
        for node in held:
            made = em.it.facts.get(node.value, UNKNOWN).payload
            if isinstance(made, Function) and made.stateful and made.owner is None:
                found.add(made)
    return found & set(known)


def _below(function: Function, known: Sequence[Function]) -> set[Function]:
    """The function and all that it calls."""
    found: set[Function] = set()
    todo = [function]
    while todo:
        f = todo.pop()
        if f not in found:
            found.add(f)
            inner = set(find(f.node, cst.FunctionDef))
            todo += [g for g in known if g in _called(f) or g.node in inner]
    made = {f for f in found if f is function or f.stateful or f.tensors or _builds(f)}
    while above := {f for f in found - made if _called(f) & made}:
        made |= above
    return made  # without plain Python, which serves all


def is_built(cls: Class) -> bool:
    """Is it a model whose constructor builds the graph, and hands that to Keras?"""
    init = cls.methods.get("__init__")
    return init is not None and [b.symbol for b in cls.bases] == ["keras.Model"] and "call" not in cls.methods and any(
        _hands_over(c) for c in find(init.node, cst.Call))


def _hands_over(call: cst.Call) -> bool:
    """`super().__init__(inputs=inputs, outputs=x)`."""
    return code(call.func).startswith("super(") and code(call.func).endswith(").__init__") and (
        keyword(call, "outputs", 1) is not None)


def handed_over(em: Emitter, small: Any) -> cst.BaseSmallStatement | None:
    """That call, as FunctionalModel takes it; None for any other statement."""
    fits = em.scope.stage == TRACED and em.scope.cls is not None and isinstance(small, cst.Expr) and isinstance(
        small.value, cst.Call) and _hands_over(small.value)
    if not fits:
        return None
    inputs, outputs = keyword(small.value, "inputs", 0), keyword(small.value, "outputs", 1)
    if inputs is None or outputs is None:
        raise Refused("P206", f"`{code(small)}` has no inputs and outputs", small)
    for arg in small.value.args:
        name = arg.keyword.value if arg.keyword is not None else ""
        if name in SUPER_ONLY and code(arg.value) != name:  # what comes from outside is told there
            set_later.base_argument(em, name, arg.value)
        elif name not in {"", "inputs", "outputs", *SUPER_ONLY}:
            raise Refused("P202", f"`{name}` given to the constructor of a model", small)
    em.by(small, "rule traced")
    return cst.Expr(build("super().__init__({i}, {o})", i=em.plain(inputs), o=em.plain(outputs)))


def _tied(function: Function, known: Sequence[Function]) -> set[Function]:
    """The function, all that it calls, and what else calls the makers of layers among these."""
    found = {function}
    while True:
        inner = {n for f in found for n in find(f.node, cst.FunctionDef)}
        below = {g for f in found for g in _called(f)} & set(known) | {f for f in known if f.node in inner}
        above = {f for f in known if any(g in found and g.stateful for g in _called(f))}
        if below | above <= found:
            return found
        found |= below | above


def _builds(function: Function) -> bool:
    return any(function.file.names.resolve(c.func) in GRAPH for c in find(function.node, cst.Call))


def _called(function: Function) -> set[Function]:
    names = function.file.env.names
    facts = (names[n] for n in function.names if n in names)
    return {f.payload for f in facts if isinstance(f.payload, Function)}


def _weighs(em: Emitter, function: Function, seen: set[Any]) -> bool:
    """Does it make layers that have weights, or draw, or are not known? Methods may make others at every call."""
    if function in seen:
        return False
    seen.add(function)
    names = function.file.env.names
    made = [names[n].payload for n in function.names if n in names]
    return makes_layers(em, function.file, function.node) or any(
        makes_layers(em, c.file, c.node) for c in made if isinstance(c, Class) and c.root) or any(
        _weighs(em, g, seen) for g in _called(function))


def scope(em: Emitter, function: Function | None) -> Scope:
    """Layers stand where they are made, and their sizes are those of what they are first called with."""
    def kept(node: cst.Call, made: Any) -> cst.BaseExpression:
        row = isinstance(made, Plan)
        return wrapped(em, made.ctor() if row else em.expr(node), row)

    bound = function is not None and any(True for _ in find(function.node, cst.NamedExpr))  # facts do not follow these

    own = _settings(function) if function is not None and function.name == "__init__" else frozenset()

    def size(dim: Dim) -> str:
        named = isinstance(dim, Sym) and dim != LOST and loads(expression(str(dim))) <= own
        if (isinstance(dim, int) or named) and not bound:
            return str(dim)
        raise Refused("P208", f"the size `{dim}` is not known while the model is being built")

    return Scope(stage=TRACED, function=function, on_module=kept, sizes=size)


def _settings(function: Function) -> frozenset[str]:
    """Parameters that mean the same in every line."""
    bound: list[Any] = [n for kind in (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.For)
                        for n in find(function.node, kind)]
    return frozenset(function.params).difference(*(loads(n.target) for n in bound))


def graph_call(em: Emitter, node: cst.Call, symbol: str) -> cst.BaseExpression | None:
    """`Input(...)` and `Model(inputs, outputs)`; None for any other call, or elsewhere."""
    if em.scope.stage != TRACED or symbol not in GRAPH:
        return None
    em.by(node, "rule traced")
    return _input(em, node) if symbol == "keras.Input" else _model(em, node)


def _input(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    names = {a.keyword.value for a in node.args if a.keyword is not None}
    if names - KNOWN or any(a.star for a in node.args):
        raise Refused("P202", f"`{(sorted(names - KNOWN) or ['**'])[0]}` of an input", node)
    shape, whole, dtype, name = (keyword(node, n, at) for n, at in (("shape", 0), ("batch_shape", None), ("dtype", 2),
                                                                     ("name", 3)))
    em.helper("Symbol")
    size = build("{s}[1:]", s=em.expr(whole)) if whole is not None else em.expr(shape) if shape is not None else (
        expression("()"))
    args = [cst.Arg(size)]
    if dtype is None and are_ids(em, node):
        em.need("torch")
        args.append(argument("dtype", expression("torch.int64"), None))
    if dtype is not None and em.fact(dtype).literal(...) not in ("float32", None):
        em.need("torch")
        value = em.fact(dtype).literal(...)
        args.append(argument("dtype", expression(f"torch.{value}") if isinstance(value, str) else build(
            "getattr(torch, {d})", d=em.expr(dtype)), None))
    if name is not None:
        args.append(argument("name", em.expr(name), None))
    return cst.Call(cst.Name("symbolic_input"), args)


def _model(em: Emitter, node: cst.Call) -> cst.BaseExpression:
    inputs, outputs = keyword(node, "inputs", 0), keyword(node, "outputs", 1)
    if inputs is None or outputs is None:
        raise Refused("P206", f"`{code(node)}` has no inputs and outputs", node)
    em.helper("FunctionalModel")
    return build("FunctionalModel({i}, {o})", i=em.plain(inputs), o=em.plain(outputs))
