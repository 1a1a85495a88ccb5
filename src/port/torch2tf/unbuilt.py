"""Layers whose weight is read before, or without, a call: PyTorch makes it at once, Keras at the first call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import libcst as cst

from port.names import dotted_name
from port.torch2tf.holding import CONVS
from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function, Layer, may_be_none, options
from port.tree import code, find, walk

EMBEDDING = "torch.nn.Embedding"


def built(w: Any, f: Function, body: list[Any]) -> list[Any]:
    """The body of a constructor; embeddings that are only read, as a codebook is, are built at its end."""
    if f.name != "__init__" or f.owner is None or not f.owner.is_module:
        return body
    lines = [*_lines(w, f)]
    ends = bool(body) and isinstance(body[-1], cst.SimpleStatementLine) and isinstance(body[-1].body[-1], cst.Return)
    return [*body[:-1], *lines, body[-1]] if ends else [*body, *lines]


def _read(w: Any, f: Function) -> Iterator[tuple[str, Layer]]:
    """Layers that this constructor makes, whose weight is read, and that nothing calls before that."""
    assert f.owner is not None
    own = set(map(id, find(f.node.body, cst.Call)))
    for name, fact in f.owner.attrs.items():
        layers = [o.payload for o in options(fact) if isinstance(o.payload, Layer)]
        if len(layers) == 1 and layers[0].read and id(layers[0].node) in own and (
                not layers[0].given or _read_first(w, f.owner, name)):
            yield name, layers[0]


def _read_first(w: Any, cls: Class, name: str) -> bool:
    """Does a method, but one that stays in PyTorch, take `self.name.weight` above where it calls `self.name`?"""
    for method in cls.methods.values():
        for node in walk(method.node.body) if method.name != "__init__" and method.node not in w.left else ():
            if type(node) is cst.Call and dotted_name(node.func) == f"self.{name}":
                break
            if type(node) is cst.Attribute and dotted_name(node) in (f"self.{name}.weight", f"self.{name}.bias"):
                return True
    return False


def _inputs(layer: Layer) -> str:
    """The parameter that says how many features the layer takes; '' if it is of another kind."""
    package, _, short = layer.symbol.rpartition(".")
    name = "in_features" if short == "Linear" else "in_channels" if short in CONVS else ""
    return name if package == "torch.nn" and name in layer.bound else ""


def _is_sized(f: Function, layer: Layer) -> bool:
    return bool(_inputs(layer)) and f.owner is not None and "build" not in f.owner.methods


def _axes(layer: Layer) -> int:
    """How many axes stand in front of the features."""
    return int(layer.symbol[-2]) + 1 if layer.symbol.endswith("d") else 1


def with_build(w: Any, cls: Class, body: list[Any]) -> list[Any]:
    """The body of a class; what its layers take is known before their initial values, so `build` makes them."""
    init = cls.methods.get("__init__")
    read = [(n, la) for n, la in _read(w, init) if _is_sized(init, la)] if init is not None and cls.is_module else []
    if not read:
        return body
    lines = ""
    for name, layer in read:
        line = f"    self.{name}.build(({'None, ' * _axes(layer)}self.{name}_inputs))\n"
        lines += f"    if self.{name} is not None:\n    {line}" if may_be_none(cls.attrs[name]) else line
    method = cst.parse_statement(f"def build(self, input_shape):\n{lines}")
    at = next(i for i, s in enumerate(body) if isinstance(s, cst.FunctionDef) and s.name.value == "__init__")
    return [*body[:at + 1], method.with_changes(leading_lines=[cst.EmptyLine(indent=False)]), *body[at + 1:]]


def _lines(w: Any, f: Function) -> Iterator[Any]:
    for name, layer in _read(w, f):
        layers = [layer]
        if _is_sized(f, layer):
            size = code(w.expr(layer.bound[_inputs(layer)]))
            yield cst.parse_statement(f"{f.params[0]}.{name}_inputs = {size}")
        elif layers[0].symbol != EMBEDDING:
            w.report("P103", f"nothing here is seen to call `self.{name}`, whose weight is read: Keras makes it when "
                     "the layer is first called", layers[0].node)
        elif w.covered(layers[0]):
            raise Refused("P206", f"`self.{name}` is only read, never called, and its initial values are set from "
                          "outside, where Keras has made its weight: set them here", layers[0].node)
        else:
            yield cst.parse_statement(f"{f.params[0]}.{name}.build(None)")


__all__ = ["built", "with_build"]
