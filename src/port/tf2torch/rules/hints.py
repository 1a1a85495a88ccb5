"""Type hints that name classes of the framework: their counterpart, or `object`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.tf2torch.emit import Emitter
from port.tree import find, rebuild, walk

TENSORS = ("tf.Tensor", "tf.Variable", "keras.KerasTensor", "keras.Variable", "tf.RaggedTensor", "tf.SparseTensor")
MODULES = ("keras.Model", "keras.Sequential", "tf.Module", "keras.models.")
OTHERS = {"tf.DType": "torch.dtype", "tf.dtypes.DType": "torch.dtype", "tf.TensorShape": "torch.Size"}


def rewrite(em: Emitter, body: list[Any]) -> list[Any]:
    """The statements with hints translated, except in what stays in the source's framework."""
    if not any(foreign(em, n) for s in body if s is not None for n in find(s, cst.Annotation)):
        return body
    kept = {id(n) for n in em.kept}

    def visit(node: Any) -> Any:
        if id(node) in kept:
            return node
        return rebuild(node, lambda n: _hint(em, n)) if isinstance(node, cst.Annotation) else rebuild(node, visit)

    return [s if s is None else visit(s) for s in body]


def foreign(em: Emitter, node: cst.CSTNode) -> bool:
    return any(_symbol(em, n) for n in walk(node) if isinstance(n, cst.Name | cst.Attribute))


def _symbol(em: Emitter, node: Any) -> str:
    symbol = em.it.names.resolve(node)
    return symbol if symbol.split(".")[0] in ("tf", "keras") else ""


def _hint(em: Emitter, node: Any) -> Any:
    if not isinstance(node, cst.Name | cst.Attribute):
        return rebuild(node, lambda n: _hint(em, n))
    symbol = _symbol(em, node)
    return expression(counterpart(em, symbol)) if symbol else node


def counterpart(em: Emitter, symbol: str) -> str:
    text = OTHERS.get(symbol, "")
    if symbol in TENSORS:
        text = "torch.Tensor"
    elif symbol.startswith((*MODULES, "keras.layers.")):
        text = "nn.Module"
    em.need(*{t for t in ("torch", "nn") if text.startswith(t + ".")})
    return text or "object"
