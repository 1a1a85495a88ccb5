"""Initialisers that are set once a model has made its layers.

Keras makes weights at the first call; until then `layer.kernel_initializer` may be replaced:

    for layer in self._flatten_layers():
        init_weights(layer)  # if isinstance(layer, layers.Dense): layer.kernel_initializer = ...
    self.head.kernel_initializer = initializers.Zeros()

PyTorch makes weights with the layer. So what such a loop or line sets is read as if it had been said where the layer is
made, and the statement goes. The function that makes a model (`for layer in model._flatten_layers():`) may do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Kind
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import Class, Function, LayerCall, SequentialModel
from port.tf2torch.initial.setters import Setter, of_function
from port.tree import code, find

LOOPS: tuple[type[Any], ...] = (cst.For, cst.While, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp)
MODELS = ("keras.Sequential", "keras.Model")
BUILDS = ("keras.Input", "keras.layers.InputLayer")  # layers that are given one have their weights at once
SHAPES = ("input_shape", "batch_input_shape", "input_dim", "batch_shape")


def of_layer(em: Emitter, owner: Class | Function | None, layer: cst.Call, symbol: str, key: str) -> Setter | None:
    """What is set at last for a layer that the constructor of this class, or this function, makes."""
    if owner is None:
        return None
    found = [s for s in _of_owner(em, owner, frozenset()) if s.sets(layer, symbol, key)]
    return found[-1] if found else None


def is_loop(em: Emitter, node: cst.For) -> bool:
    """Does this loop only set initialisers? Refused if it runs over all layers for something else."""
    if not code(node.iter).endswith("._flatten_layers()"):
        return False
    function = em.scope.function
    if function is None or node not in _body(function) or not _is_over_all(function, node):
        raise Refused("P206", "a loop over all layers that is not a statement of the constructor, or of the function "
                      "that makes one Sequential and does not build it", node)
    if _of_loop(em, node) is None:
        raise Refused("P206", "a loop over all layers that does more than set initialisers by their class", node)
    return True


def is_line(em: Emitter, node: cst.SimpleStatementLine) -> bool:
    """Is this statement `layer.kernel_initializer = ...` for a layer that the same constructor or function makes?"""
    function = em.scope.function
    return function is not None and node in _body(function) and _of_line(em, function, node) is not None


def only_sets(em: Emitter, function: Function) -> bool:
    """Is this function nothing but what such loops call?"""
    if not isinstance(function.node, cst.FunctionDef) or of_function(em, function) is None:
        return False
    own = function.node.name
    named = [n for n in find(em.it.module, cst.Name) if n.value == own.value and n is not own]
    called = {call.func for loop in find(em.it.module, cst.For) if (call := _called(loop)) is not None}
    return bool(named) and all(n in called for n in named)


def _body(function: Function) -> Sequence[cst.CSTNode]:
    """Its statements; a lambda has none."""
    return function.node.body.body if isinstance(function.node, cst.FunctionDef) else ()


# ---------------------------------------------------------------- reading
def _of_owner(em: Emitter, owner: Class | Function, seen: frozenset[Class | Function]) -> tuple[Setter, ...]:
    """In the order in which they run: what those set that hold it comes last."""
    if owner not in em.afterwards:
        init = owner.methods.get("__init__") if isinstance(owner, Class) else owner
        own = tuple(s for node in (_body(init) if init is not None else ()) for s in _of_statement(em, init, node))
        around = [_of_owner(em, maker, seen | {owner}) for maker in _makers(em, owner) - seen - {owner}]
        alike = all(_same(a, around[0]) for a in around)
        if not alike:
            em.report("P103", f"what makes `{owner.name}` sets initial values afterwards, not all the same ones: those "
                      "that it sets itself are kept", owner.node)
        em.afterwards[owner] = (*own, *(around[0] if around and alike else ()))
    return em.afterwards[owner]


def _makers(em: Emitter, owner: Class | Function) -> set[Class | Function]:
    """Whose code makes such objects, or calls this function."""
    if isinstance(owner, Class):
        found = {i.maker for i in owner.instances}
    else:
        found = {f.owner or f for f in em.it.functions.values() if owner.name in f.names}
    return {m for m in found if isinstance(m, Class) or (isinstance(m, Function) and (m.owner is None))}


def _same(a: tuple[Setter, ...], b: tuple[Setter, ...]) -> bool:
    return [(s.classes, s.key, code(s.value)) for s in a] == [(s.classes, s.key, code(s.value)) for s in b]


def _of_statement(em: Emitter, function: Function | None, node: cst.CSTNode) -> Sequence[Setter]:
    if isinstance(node, cst.For):
        return (_of_loop(em, node) or ()) if function is not None and _is_over_all(function, node) else ()
    found = _of_line(em, function, node) if isinstance(node, cst.SimpleStatementLine) and function is not None else None
    return (found,) if found is not None else ()


def _of_line(em: Emitter, function: Function, node: cst.SimpleStatementLine) -> Setter | None:
    small = node.body[0]
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    if len(node.body) != 1 or not isinstance(small, cst.Assign) or not isinstance(
            target, cst.Attribute) or not target.attr.value.endswith("_initializer"):
        return None
    layer = _layer(em, target.value)
    if layer is None or not _is_made_once(function, layer.node):
        return None
    return Setter(frozenset(), target.attr.value, small.value, function, layer.node)


def _is_made_once(function: Function, layer: cst.Call) -> bool:
    """By this function, and in no loop."""
    inside = [n for kind in LOOPS for loop in find(function.node.body, kind) for n in find(loop, cst.Call)]
    return any(n is layer for n in find(function.node.body, cst.Call)) and all(n is not layer for n in inside)


def _layer(em: Emitter, node: cst.BaseExpression) -> LayerCall | None:
    """The layer that `self.head` or `model.layers[2]` is."""
    found = em.fact(node)
    if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Attribute) and node.value.attr.value == "layers":
        model = em.fact(node.value.value).payload
        index = node.slice[0].slice if len(node.slice) == 1 else None
        at = em.fact(index.value).literal() if isinstance(index, cst.Index) else None
        held = [f for f in model.layers if f.kind is not Kind.TENSOR] if isinstance(
            model, SequentialModel) and not model.open else []
        found = held[at] if isinstance(at, int) and -len(held) <= at < len(held) else UNKNOWN
    return found.payload if isinstance(found.payload, LayerCall) and not found.payload.others else None


def _is_over_all(function: Function, node: cst.For) -> bool:
    """`self._flatten_layers()` in a constructor, or of the one Sequential that a function makes and has not built."""
    owner = code(node.iter).removesuffix("._flatten_layers()")
    if owner == "self":
        return function.owner is not None and function.name == "__init__"
    return isinstance(function.node, cst.FunctionDef) and function.owner is None and _makes_only(function, owner)


def _makes_only(function: Function, name: str) -> bool:
    """Is this variable bound once, to a model, and is there no other model in the function?"""
    values = [(code(t.target), n.value) for n in find(function.node.body, cst.Assign) for t in n.targets]
    calls = list(find(function.node.body, cst.Call))
    made = [n for n in calls if function.file.names.resolve(n.func) in MODELS]
    built = any(function.file.names.resolve(n.func) in BUILDS or code(n.func) in (name, f"{name}.build") or any(
        a.keyword is not None and a.keyword.value in SHAPES for a in n.args) for n in calls)
    return not built and [function.file.names.resolve(n.func) for n in made] == ["keras.Sequential"] and (
        [v for target, v in values if target == name] == made)


def _of_loop(em: Emitter, node: cst.For) -> list[Setter] | None:
    call = _called(node)
    if call is None or node.orelse is not None:
        return None
    if call.func is node.target:
        return None
    function = em.it.globals.names.get(code(call.func))
    payload = function.payload if function is not None else None
    return of_function(em, payload) if isinstance(payload, Function) else None


def _called(node: cst.For) -> cst.Call | None:
    """`f(layer)`, if that is all that is done to the layers."""
    if not code(node.iter).endswith("._flatten_layers()") or not isinstance(node.body, cst.IndentedBlock):
        return None
    line = node.body.body[0]
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    call = small.value if isinstance(small, cst.Expr) else None
    alone = len(node.body.body) == 1 and isinstance(call, cst.Call) and len(call.args) == 1
    if not alone or not isinstance(call, cst.Call) or not isinstance(call.func, cst.Name):
        return None
    return call if code(call.args[0].value) == code(node.target) else None
