"""Layers that a layer builds by hand are read as built by their first call, which makes the same weights.

    def build(self, input_shape):
        self.inner = layers.Dense(self.width)
        self.inner.build(input_shape)                  def build(self, input_shape):
        shape = list(input_shape)               ->         self.inner = layers.Dense(self.width)
        shape[-1] = self.width                             self.outer = layers.Dense(input_shape[-1])
        self.outer = layers.Dense(input_shape[-1])
        self.outer.build(shape)

What the constructor makes is told the width that it is built with: `Dense(4)`, with
`self.inner.build([None, None, self.width])`, becomes `Dense(4, input_shape=(None, width))`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import libcst as cst

from port.build import build, statement
from port.tf2torch.rules.prune import pure
from port.tree import changed, code, find, loads, rebuild, replaced, walk

BUILDS = ("build", "_build_from_signature")  # the latter: of MultiHeadAttention before Keras 3
SHAPED = ("input_shape", "data_format")
SHAPE = "compute_output_shape"  # of a layer: it changes nothing
IsLayer = Callable[[cst.BaseExpression], object]


def rewrite(module: cst.Module, is_layer: IsLayer, of_keras: IsLayer = bool) -> cst.Module:
    """The module without such lines, and without the shapes that only they read; the same object if there are none.

    `is_layer`: asked of what is called: does it make a layer? `of_keras`: one of Keras itself?
    """
    return rebuild(module, lambda s: _class(s, is_layer, of_keras) if isinstance(s, cst.ClassDef) else s)  # type: ignore[return-value]


def _class(node: cst.ClassDef, is_layer: IsLayer, of_keras: IsLayer) -> cst.ClassDef:
    if not isinstance(node.body, cst.IndentedBlock) or not any(map(_builds, find(node, cst.SimpleStatementLine))):
        return node
    stored = _stored(node)
    held = _held(node, stored, is_layer)
    told = _told(node, stored, held, of_keras)
    body = [changed(s, body=_method(s.body, held, told)) if isinstance(s, cst.FunctionDef) and s.name.value in (
        "build", "__init__") and isinstance(s.body, cst.IndentedBlock) else s for s in node.body.body]
    return changed(node, body=changed(node.body, body=body))


def _stored(node: cst.ClassDef) -> dict[str, list[Any]]:
    """What the class gives variables and attributes anywhere, but what others hand to a method that replaces a layer:
    `def set_input_embeddings(self, new): self.embeddings = new`.
    """
    handed = {id(a) for m in node.body.body if isinstance(m, cst.FunctionDef) and m.name.value.startswith("set_")
              for a in find(m.body, cst.Assign) if code(a.value) in {p.name.value for p in find(m.params, cst.Param)}}
    found: dict[str, list[Any]] = {}
    for n in walk(node.body):
        for assigned in n.targets if isinstance(n, cst.Assign) and id(n) not in handed else ():
            target = assigned.target
            if isinstance(target, cst.Tuple | cst.List):
                for element in target.elements:
                    found.setdefault(code(element.value), []).append(cst.Ellipsis())
            else:
                found.setdefault(code(target), []).append(n.value)  # type: ignore[attr-defined]
        if isinstance(n, cst.AugAssign | cst.AnnAssign | cst.NamedExpr) and n.value is not None:
            found.setdefault(code(n.target), []).append(n.value)
    return found


def _told(node: cst.ClassDef, stored: dict[str, list[Any]], held: set[str], of_keras: IsLayer) -> dict[Any, cst.Call]:
    """Calls of the constructor that make a layer of Keras -> the same with the width that is built."""
    methods = {s.name.value: s for s in node.body.body if isinstance(s, cst.FunctionDef)}
    init = methods.get("__init__")
    if init is None:
        return {}
    order = {id(n): i for i, n in enumerate(walk(init.body))}
    params = {p.name.value for p in find(init.params, cst.Param)} - {"self", *stored}
    once = {name: values[0] for name, values in stored.items() if name.startswith("self.") and len(values) == 1}
    kept = {name: code(value) for name, value in once.items() if code(value) in params}
    found: dict[Any, cst.Call] = {}
    for line in (n for name in ("build", "__init__") if name in methods for n in find(
            methods[name], cst.SimpleStatementLine) if _builds(n) in held):
        call = once.get(_builds(line))
        if not isinstance(call, cst.Call) or id(call) not in order or not of_keras(call.func) or any(
                a.keyword is not None and a.keyword.value in SHAPED for a in call.args):
            continue
        shape = _shape(line.body[0].value.args, kept)  # type: ignore[union-attr, attr-defined]
        there = {name for name, value in once.items() if order.get(id(value), len(order)) < order[id(call)]}
        if shape is not None and loads(shape) <= {*params, "None", "self"} and all(
                code(a) in there for a in find(shape, cst.Attribute) if code(a.value) == "self"):
            found[call] = changed(call, args=[*call.args, cst.Arg(shape, cst.Name("input_shape"))])
    return found


def _shape(args: Sequence[cst.Arg], kept: dict[str, str]) -> cst.BaseExpression | None:
    """`(None, width)` of `[None, None, self.width]`, in the constructor's parameters."""
    shape = args[0].value if len(args) == 1 else None
    if not isinstance(shape, cst.List | cst.Tuple) or len(shape.elements) < 2:
        return None
    *sizes, width = (e.value for e in shape.elements)
    if any(code(size) != "None" for size in sizes) or code(width) == "None":
        return None

    def named(n: Any) -> Any:
        return cst.Name(kept[code(n)]) if isinstance(n, cst.Attribute) and code(n) in kept else rebuild(n, named)

    inner = ", ".join(["None"] * len(sizes[1:]) + ["{width}"])
    return build(f"({inner},)" if len(sizes) == 1 else f"({inner})", width=named(width))


def _held(node: cst.ClassDef, stored: dict[str, list[Any]], is_layer: IsLayer) -> set[str]:
    """`self.inner`, and variables, that hold a layer, or a list of layers, wherever the class gives them a value."""
    given = {name: list(values) for name, values in stored.items()}
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


def _method(block: cst.IndentedBlock, held: set[str], told: dict[Any, cst.Call]) -> cst.IndentedBlock:
    for call, new in told.items():
        block = replaced(block, call, new)
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
    """A loop, branch or scope of names that does nothing."""
    if isinstance(s, cst.With) and all(isinstance(i.item, cst.Call) and code(i.item.func).endswith("name_scope")
                                       for i in s.items):
        return code(s.body).strip() == "pass"
    blocks = [s.body, *([s.orelse.body] if isinstance(s, cst.If) and isinstance(s.orelse, cst.Else) else [])]
    inner = isinstance(s, cst.If | cst.For) and (s.orelse is None or isinstance(s.orelse, cst.Else)) and pure(
        s.test if isinstance(s, cst.If) else s.iter, "hasattr")
    return inner and all(code(b).strip() == "pass" for b in blocks)
