"""Type hints: `torch.Tensor` is `tf.Tensor`, `nn.Module` a Keras layer."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.tree import rebuild


def annotation(w: Any, node: cst.Annotation) -> cst.Annotation:
    return node.with_changes(annotation=hint(w, node.annotation))


def hint(w: Any, node: Any) -> Any:
    """A type, with the framework's classes replaced."""
    if isinstance(node, cst.SimpleString):
        return _quoted(w, node)
    if isinstance(node, cst.Name | cst.Attribute):
        symbol = w.it.names.resolve(node)
        if symbol.startswith("torch"):
            return named(w, symbol)
        return node
    if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name | cst.Attribute) and (
            symbol := w.it.names.resolve(node.value)).startswith("torch"):
        return _of(w, node, symbol)
    return rebuild(node, lambda child: hint(w, child))


def _of(w: Any, node: cst.Subscript, symbol: str) -> Any:
    """`torch.jit.Final[bool]` is a bool; `nn.ModuleList[...]` a list, and no class of Keras is subscripted."""
    if symbol.startswith("torch.jit.") and len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index):
        return hint(w, node.slice[0].slice.value)
    return named(w, symbol)


def named(w: Any, symbol: str) -> Any:
    last = symbol.rpartition(".")[2]
    if last.endswith("Tensor"):
        if w.target == "keras":
            w.need("keras")
            return expression("keras.KerasTensor")
        w.need("tf")
        return expression("tf.Tensor")
    if symbol == "torch.nn.Sequential":
        w.need("keras")
        return expression("keras.Sequential")
    if symbol == "torch.nn.ModuleList":
        return cst.Name("list")
    if symbol == "torch.nn.ModuleDict":
        return cst.Name("dict")
    if symbol.startswith("torch.nn."):
        return w.layer("Layer")
    if last == "dtype":
        w.need("tf")
        return expression("tf.DType")
    if last in ("Size", "device"):
        return cst.Name("tuple" if last == "Size" else "str")
    return cst.Name("object")


def _quoted(w: Any, node: cst.SimpleString) -> Any:
    inner = node.raw_value
    if inner.replace(".", "").isidentifier():
        symbol = w.it.names.resolve_text(inner)
        if symbol.startswith("torch"):
            text = cst.Module([]).code_for_node(named(w, symbol))
            return node.with_changes(value=f"{node.quote}{text}{node.quote}")
    return node
