"""Initialisers that a loop over its layers sets once a model has made them.

Keras makes weights at the first call; until then `layer.kernel_initializer` may be replaced:

    for layer in self._flatten_layers():
        init_weights(layer)  # if isinstance(layer, layers.Dense): layer.kernel_initializer = ...

PyTorch makes weights with the layer. So what a loop sets is read as if it had been said where the layer is made, and
the loop goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Class, Function
from port.tree import code, find

GUARDS = ("use_bias", "center", "scale")  # `if layer.use_bias:` has a weight to initialise


@dataclass(frozen=True, eq=False)
class Setter:
    """`layer.<key> = value` for layers of these classes; the value is read in the scope of `function`."""

    classes: frozenset[str]
    key: str
    value: cst.BaseExpression
    function: Function | None


def of_layer(em: Emitter, cls: Class | None, symbol: str, key: str) -> Setter | None:
    """What a loop sets at last for a layer that the constructor of this class makes."""
    if cls is None:
        return None
    found = [s for s in _of_class(em, cls, frozenset()) if s.key == key and symbol in s.classes]
    return found[-1] if found else None


def is_loop(em: Emitter, node: cst.For) -> bool:
    """Does this loop of a constructor only set initialisers? Refused if it runs over all layers for something else."""
    if not code(node.iter).endswith("._flatten_layers()"):
        return False
    function = em.scope.function
    if em.scope.cls is None or function is None or function.name != "__init__" or node not in _body(function):
        raise Refused("P206", "a loop over all layers that is not a statement of the constructor", node)
    if _of_loop(em, node) is None:
        raise Refused("P206", "a loop over all layers that does more than set initialisers by their class", node)
    return True


def only_sets(em: Emitter, function: Function) -> bool:
    """Is this function nothing but what such loops call?"""
    if not isinstance(function.node, cst.FunctionDef) or _of_function(em, function) is None:
        return False
    own = function.node.name
    named = [n for n in find(em.it.module, cst.Name) if n.value == own.value and n is not own]
    called = {call.func for loop in find(em.it.module, cst.For) if (call := _called(loop)) is not None}
    return bool(named) and all(n in called for n in named)


def _body(function: Function) -> Sequence[cst.CSTNode]:
    """Its statements; a lambda has none."""
    return function.node.body.body if isinstance(function.node, cst.FunctionDef) else ()


# ---------------------------------------------------------------- reading
def _of_class(em: Emitter, cls: Class, seen: frozenset[Class]) -> tuple[Setter, ...]:
    """In the order in which they run: the loops of those that hold it come last."""
    if cls not in em.afterwards:
        init = cls.methods.get("__init__")
        loops = [node for node in _body(init) if isinstance(node, cst.For)] if init is not None else []
        own = tuple(s for node in loops for s in _of_loop(em, node) or ())
        makers = {i.maker for i in cls.instances if isinstance(i.maker, Class)} - seen - {cls}
        around = [_of_class(em, maker, seen | {cls}) for maker in makers]
        em.afterwards[cls] = (*own, *(around[0] if around and all(_same(a, around[0]) for a in around) else ()))
    return em.afterwards[cls]


def _same(a: tuple[Setter, ...], b: tuple[Setter, ...]) -> bool:
    return [(s.classes, s.key, code(s.value)) for s in a] == [(s.classes, s.key, code(s.value)) for s in b]


def _of_loop(em: Emitter, node: cst.For) -> list[Setter] | None:
    call = _called(node)
    if call is None or node.orelse is not None:
        return None
    if call.func is node.target:
        return None
    function = em.it.globals.names.get(code(call.func))
    payload = function.payload if function is not None else None
    return _of_function(em, payload) if isinstance(payload, Function) else None


def _called(node: cst.For) -> cst.Call | None:
    """`f(layer)`, if that is all that is done to the layers."""
    if not code(node.iter).endswith("self._flatten_layers()") or not isinstance(node.body, cst.IndentedBlock):
        return None
    line = node.body.body[0]
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    call = small.value if isinstance(small, cst.Expr) else None
    alone = len(node.body.body) == 1 and isinstance(call, cst.Call) and len(call.args) == 1
    if not alone or not isinstance(call, cst.Call) or not isinstance(call.func, cst.Name):
        return None
    return call if code(call.args[0].value) == code(node.target) else None


def _of_function(em: Emitter, function: Function) -> list[Setter] | None:
    """None if it does anything else."""
    if not isinstance(function.node, cst.FunctionDef) or len(function.params) != 1 or not isinstance(
            function.node.body, cst.IndentedBlock):
        return None
    found: list[Setter] = []
    for i, node in enumerate(function.node.body.body):
        if i == 0 and isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Expr) and isinstance(
                node.body[0].value, cst.SimpleString | cst.ConcatenatedString):
            continue
        branches = list(_branches(em, node, function.params[0]))
        if not branches:
            return None
        for classes, body in branches:
            made = _sets(body, function.params[0])
            if made is None or not classes:
                return None
            found += [Setter(classes, key, value, function) for key, value in made]
    return found


def _branches(em: Emitter, node: cst.CSTNode, name: str) -> Iterator[tuple[frozenset[str], cst.BaseSuite]]:
    """The classes of each branch of `if isinstance(layer, ...): ... elif ...`; none for anything else."""
    taken: frozenset[str] = frozenset()
    while isinstance(node, cst.If):
        classes = _asked(em, node.test, name)
        yield classes - taken, node.body
        taken |= classes
        if node.orelse is not None and not isinstance(node.orelse, cst.If):
            yield frozenset(), node.body
        node = node.orelse  # type: ignore[assignment]


def _asked(em: Emitter, test: cst.BaseExpression, name: str) -> frozenset[str]:
    if not isinstance(test, cst.Call) or code(test.func) != "isinstance" or code(test.args[0].value) != name:
        return frozenset()
    held = test.args[1].value
    nodes = [e.value for e in held.elements] if isinstance(held, cst.Tuple) else [held]
    symbols = [em.it.names.resolve(n) for n in nodes]
    return frozenset(symbols) if all(s.startswith("keras.layers.") for s in symbols) else frozenset()


def _sets(body: cst.BaseSuite, name: str) -> list[tuple[str, cst.BaseExpression]] | None:
    found: list[tuple[str, cst.BaseExpression]] = []
    for node in body.body:
        if isinstance(node, cst.If) and node.orelse is None and code(node.test) in {f"{name}.{g}" for g in GUARDS}:
            inner = _sets(node.body, name)
            if inner is None:
                return None
            found += inner
            continue
        for small in node.body if isinstance(node, cst.SimpleStatementLine) else (None,):
            target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
            if not isinstance(small, cst.Assign) or not isinstance(target, cst.Attribute) or code(
                    target.value) != name or not target.attr.value.endswith("_initializer"):
                return None
            found.append((target.attr.value, small.value))
    return found
