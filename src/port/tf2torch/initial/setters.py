"""Functions that set initialisers of a layer by its class: what they set, or that they do more than that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.tf2torch.emit import Emitter
from port.tf2torch.infer.values import Function
from port.tree import asked_classes, code

CELLS = {"keras.layers.LSTMCell", "keras.layers.GRUCell", "keras.layers.SimpleRNNCell"}
FORGET = "unit_forget_bias"
GUARDS = ("use_bias", "center", "scale")  # `if layer.use_bias:` has a weight to initialise
Pairs = list[tuple[str, cst.BaseExpression]]  # attribute, value


@dataclass(frozen=True, eq=False)
class Setter:
    """`layer.<key> = value` for layers of these classes, or for one; the value is read in the scope of `function`."""

    classes: frozenset[str]
    key: str
    value: cst.BaseExpression
    function: Function | None
    layer: cst.Call | None = None

    def sets(self, layer: cst.Call, symbol: str, key: str) -> bool:
        return self.key == key and (symbol in self.classes if self.layer is None else layer is self.layer)


def of_function(em: Emitter, function: Function) -> list[Setter] | None:
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
            made = _sets(em, body, function.params[0])
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
    symbols = [em.it.names.resolve(n) for n in asked_classes(test, name)]
    return frozenset(symbols) if all(s.startswith(("keras.layers.", "helpers.")) for s in symbols) else frozenset()


def _sets(em: Emitter, body: cst.BaseSuite, name: str) -> Pairs | None:
    """What the statements set; None if they do anything else."""
    found: Pairs = []
    nodes = list(body.body)
    while nodes:
        node = nodes.pop(0)
        inner: Pairs | None = None
        if isinstance(node, cst.If) and node.orelse is None and code(node.test) in {f"{name}.{g}" for g in GUARDS}:
            inner = _sets(em, node.body, name)
        elif isinstance(node, cst.For):
            inner = _of_cells(em, node, name)
        elif isinstance(node, cst.SimpleStatementLine):
            inner = _of_lines(node, name)
            if inner is None and len(node.body) == 1:
                inner = _of_attention(node.body[0], nodes, name)
        if inner is None:
            return None
        found += inner
    return found


def _of_lines(node: cst.SimpleStatementLine, name: str, *more: str) -> Pairs | None:
    """`layer.kernel_initializer = ...`, and of these attributes too."""
    found = []
    for small in node.body:
        target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
        if not isinstance(small, cst.Assign) or not isinstance(target, cst.Attribute) or code(target.value) != name or (
                not target.attr.value.endswith("_initializer") and target.attr.value not in more):
            return None
        found.append((target.attr.value, small.value))
    return found


def _of_cells(em: Emitter, node: cst.For, name: str) -> Pairs | None:
    """`for cell in layer._flatten_layers(): if isinstance(cell, layers.LSTMCell): cell.kernel_initializer = ...`"""
    test = node.body.body[0] if len(node.body.body) == 1 else None
    if code(node.iter) != f"{name}._flatten_layers()" or not isinstance(test, cst.If) or test.orelse is not None or (
            node.orelse is not None):
        return None
    cell = code(node.target)
    asked = _asked(em, test.test, cell)
    parts = [_of_lines(line, cell, FORGET) for line in test.body.body if isinstance(line, cst.SimpleStatementLine)]
    if not asked or not asked <= CELLS or len(parts) < len(test.body.body) or any(p is None for p in parts):
        return None
    return [pair for part in parts for pair in part or ()]


def _of_attention(small: cst.CSTNode, after: list[Any], name: str) -> Pairs | None:
    """What `torch2tf` writes for the three kernels of attention, each drawn by itself, and for their bias."""
    target = code(small.targets[0].target) if isinstance(small, cst.Assign) and len(small.targets) == 1 else ""
    if isinstance(small, cst.Assign) and isinstance(small.value, cst.ListComp) and isinstance(
            small.value.elt, cst.Call) and after and code(after[0]).strip() == (
            f"{name}.in_proj_weight.assign(keras.ops.concatenate({target}))"):
        draw = code(small.value.elt.func)
        alike = code(small.value) == f"[{draw}(({name}.embed_dim, {name}.embed_dim)) for _ in range(3)]"
        after.pop(0)
        return [("kernel_initializer", small.value.elt.func)] if alike else None
    call = small.value if isinstance(small, cst.Expr) else None
    if isinstance(call, cst.Call) and code(call.func) == f"{name}.in_proj_bias.assign" and len(call.args) == 1:
        drawn = call.args[0].value
        if isinstance(drawn, cst.Call) and code(drawn) == (
                f"{code(drawn.func)}({name}.in_proj_bias.shape, {name}.in_proj_bias.dtype)"):
            return [("bias_initializer", drawn.func)]
    return None
