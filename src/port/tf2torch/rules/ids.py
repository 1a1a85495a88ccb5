"""Inputs of models that functions build which an Embedding gets: Keras makes whole numbers of what comes there."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Class, Function, Instance, LayerCall, Origin, find_method
from port.tree import code, find, named

EMBEDDING = "keras.layers.Embedding"
Places = Container[tuple[Any, str]]  # functions and their parameters


def are_ids(em: Emitter, node: cst.Call) -> bool:
    """Does an Embedding get this input, or an object that hands it to one?"""
    found = [(callee.payload, inputs[0].payload) for callee, inputs in em.it.applications.values()
             if inputs and isinstance(inputs[0].payload, Origin)]
    embedded = {(x.owner, x.name) for layer, x in found if isinstance(layer, LayerCall) and layer.symbol == EMBEDDING}
    for made, x in found:
        inside = isinstance(made, Instance) and _embeds(made.cls, embedded)
        if x.name == f"Input@{id(node)}" and (inside or (x.owner, x.name) in embedded):
            return True
    return _goes_to(em, node, embedded) or _returned(em, node, embedded)


def _embeds(cls: Class, embedded: Places) -> bool:
    method = find_method(cls, "call")
    return method is not None and any((method, p) in embedded for p in method.params[1:2])


def _goes_to(em: Emitter, node: cst.Call, embedded: Places) -> bool:
    """Does the function call a variable with it that holds an object which embeds it, whichever branch made that?"""
    function: Any = em.scope.function
    lines = list(find(function.node, cst.Assign)) if function is not None else []
    mine = {code(t.target) for a in lines if a.value is node for t in a.targets}
    called = {code(c.func) for c in find(function.node, cst.Call) if len(c.args) == 1 and code(
        c.args[0].value) in mine} if mine else set()
    made = [em.fact(a.value.func).payload for a in lines for t in a.targets
            if code(t.target) in called and isinstance(a.value, cst.Call)]
    classes = [m for m in made if isinstance(m, Class)]
    return bool(classes) and all(_embeds(c, embedded) for c in classes)


def _returned(em: Emitter, node: cst.Call, embedded: Places) -> bool:
    """Does the function return it in a list, of which what its callers hand on gives elements to an Embedding?"""
    function: Any = em.scope.function
    returns = [r for r in find(function.node, cst.Return) if r.value is not None and node in find(
        r.value, cst.Call)] if function is not None else []
    if not returns:
        return False
    known = [f for f in em.it.functions.values() if isinstance(f.node, cst.FunctionDef)]
    held = {(f, t) for f in known for a in find(f.node, cst.Assign) if _is_call_of(em, a.value, function)
            for t in named(a.targets[0].target)}
    while more := {place for f, name in held for place in _handed(em, f, name)} - held:
        held |= more
    return any(_element(c.args[0].value) == name and _embedding(em, c, embedded)
               for f, name in held for c in find(f.node, cst.Call) if len(c.args) == 1)


def _is_call_of(em: Emitter, node: cst.BaseExpression, function: Function) -> bool:
    return isinstance(node, cst.Call) and em.fact(node.func).payload is function


def _handed(em: Emitter, function: Function, name: str) -> Iterator[tuple[Function, str]]:
    """Parameters of functions of the project that are given this variable."""
    for call in find(function.node, cst.Call):
        callee = em.fact(call.func).payload
        if isinstance(callee, Function) and callee.owner is None:
            for at, arg in enumerate(call.args):
                if isinstance(arg.value, cst.Name) and arg.value.value == name and not arg.star:
                    keyword = arg.keyword.value if arg.keyword is not None else ""
                    yield from ((callee, p) for p in ([keyword] if keyword else callee.params[at:at + 1]))


def _element(node: cst.BaseExpression) -> str:
    """The variable in `inputs[0]`."""
    return node.value.value if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name) else ""


def _embedding(em: Emitter, call: cst.Call, embedded: Places) -> bool:
    made = em.fact(call.func.func).payload if isinstance(call.func, cst.Call) else None
    layer = em.it.layers.get(call.func) if isinstance(call.func, cst.Call) else None
    return (isinstance(made, Class) and _embeds(made, embedded)) or (layer is not None and layer.symbol == EMBEDDING)
