"""Layers that a layer builds by hand are read as built by their first call, which makes the same weights.

    def build(self, input_shape):
        self.inner = layers.Dense(self.width)
        self.inner.build(input_shape)                  def build(self, input_shape):
        shape = list(input_shape)               ->         self.inner = layers.Dense(self.width)
        shape[-1] = self.width                             self.outer = layers.Dense(input_shape[-1])
        self.outer = layers.Dense(input_shape[-1])
        self.outer.build(shape)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import libcst as cst

from port.build import statement
from port.tf2torch.rules.prune import pure
from port.tree import changed, code, find, loads, rebuild

BUILDS = ("build", "_build_from_signature")  # the latter: of MultiHeadAttention before Keras 3
SHAPE = "compute_output_shape"  # of a layer: it changes nothing
IsLayer = Callable[[cst.BaseExpression], object]


def rewrite(module: cst.Module, is_layer: IsLayer) -> cst.Module:
    """The module without such lines, and without the shapes that only they read; the same object if there are none.

    `is_layer`: asked of what is called: does it make a layer?
    """
    return rebuild(module, lambda s: _class(s, is_layer) if isinstance(s, cst.ClassDef) else s)  # type: ignore[return-value]


def _class(node: cst.ClassDef, is_layer: IsLayer) -> cst.ClassDef:
    if not isinstance(node.body, cst.IndentedBlock):
        return node
    held = _held(node, is_layer)
    body = [changed(s, body=_method(s.body, held)) if isinstance(s, cst.FunctionDef) and s.name.value in (
        "build", "__init__") and isinstance(s.body, cst.IndentedBlock) else s for s in node.body.body]
    return changed(node, body=changed(node.body, body=body))


def _held(node: cst.ClassDef, is_layer: IsLayer) -> set[str]:
    """`self.inner`, and variables, that hold a layer, or a list of layers, wherever the class gives them a value."""
    given: dict[str, list[Any]] = {}
    for assign in find(node.body, cst.Assign):
        for target in assign.targets:
            given.setdefault(code(target.target), []).append(assign.value)
    for call in find(node.body, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "append" and len(call.args) == 1:
            given.setdefault(code(call.func.value), []).append(call.args[0].value)
    loops = {code(n.target): code(n.iter) for n in find(node.body, cst.For)}
    held: set[str] = set()
    while more := {name for name, values in given.items() if name not in held and any(
                       True for v in values for _ in _elements(v)) and all(
                       code(e) in held or (isinstance(e, cst.Call) and is_layer(e.func))
                       for v in values for e in _elements(v))} | {
                       name for name, over in loops.items() if name not in held and over in held}:
        held |= more
    return held


def _elements(value: Any) -> Iterator[Any]:
    """What a value is on some path, or what a list holds; None is no layer and needs none."""
    if isinstance(value, cst.IfExp):
        yield from (e for v in (value.body, value.orelse) for e in _elements(v))
    elif isinstance(value, cst.List | cst.Tuple):
        yield from (e for element in value.elements for e in _elements(element.value))
    elif isinstance(value, cst.ListComp):
        yield from _elements(value.elt)
    elif code(value) != "None":
        yield value


def _method(block: cst.IndentedBlock, held: set[str]) -> cst.IndentedBlock:
    built = {id(s): s for s in find(block, cst.SimpleStatementLine) if _builds(s) in held}
    if not built:
        return block
    block, unread = _without(block, built), {n for s in built.values() for n in loads(s)}
    while unread:
        name = unread.pop()
        stores = {id(s): s for s in find(block, cst.SimpleStatementLine) if _stores(s) == name}
        if stores and name not in loads(less := _without(block, stores)):
            block, unread = less, unread | {n for s in stores.values() for n in loads(s)} - {name}
    return block


def _builds(line: cst.SimpleStatementLine) -> str:
    """X of the line `X.build(...)`."""
    small = line.body[0]
    call = small.value if len(line.body) == 1 and isinstance(small, cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or call.func.attr.value not in BUILDS:
        return ""
    return code(call.func.value) if all(pure(a, SHAPE) for a in call.args) else ""


def _stores(line: cst.SimpleStatementLine) -> str:
    """The variable that `x = ...` or `x[...] = ...` gives a value, where nothing else happens."""
    small = line.body[0]
    if len(line.body) != 1 or not isinstance(small, cst.Assign) or len(small.targets) != 1 or not pure(
            small, SHAPE):
        return ""
    target: cst.BaseExpression = small.targets[0].target
    target = target.value if isinstance(target, cst.Subscript) else target
    return target.value if isinstance(target, cst.Name) else ""


def _without(block: Any, gone: dict[int, Any]) -> Any:
    """The block without these lines, and without the loops and branches that they leave empty."""
    body: list[Any] = []
    for s in block.body:
        if isinstance(s, cst.SimpleStatementLine):
            body += [s] if id(s) not in gone else []
        else:
            new = rebuild(s, lambda child: _inner(child, gone))
            body += [new] if new is s or not _idle(new) else []
    return changed(block, body=body or [statement("pass")])


def _inner(node: Any, gone: dict[int, Any]) -> Any:
    if isinstance(node, cst.IndentedBlock):
        return _without(node, gone)
    if isinstance(node, cst.BaseCompoundStatement | cst.Else | cst.Finally | cst.ExceptHandler):
        return rebuild(node, lambda child: _inner(child, gone))
    return node


def _idle(s: Any) -> bool:
    """A loop or branch that does nothing."""
    blocks = [s.body, *([s.orelse.body] if isinstance(s, cst.If) and isinstance(s.orelse, cst.Else) else [])]
    inner = isinstance(s, cst.If | cst.For) and (s.orelse is None or isinstance(s.orelse, cst.Else)) and pure(
        s.test if isinstance(s, cst.If) else s.iter, "hasattr")
    return inner and all(code(b).strip() == "pass" for b in blocks)
