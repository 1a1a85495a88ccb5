"""Type hints that name classes of the framework: their counterpart, or `object`."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import expression
from port.emit import Emitter
from port.tree import walk

TENSORS = ("tf.Tensor", "tf.Variable", "keras.KerasTensor", "keras.Variable", "tf.RaggedTensor", "tf.SparseTensor")
MODULES = ("keras.Model", "keras.Sequential", "tf.Module", "keras.models.")
OTHERS = {"tf.DType": "torch.dtype", "tf.dtypes.DType": "torch.dtype", "tf.TensorShape": "torch.Size"}


def rewrite(em: Emitter, body: list[Any]) -> list[Any]:
    """The statements with hints translated, except in what stays in the source's framework."""
    if not any(isinstance(n, cst.Annotation) and foreign(em, n) for s in body if s is not None for n in walk(s)):
        return body
    change = Hints(em)
    return [s if s is None else s.visit(change) for s in body]


def foreign(em: Emitter, node: cst.CSTNode) -> bool:
    return any(_symbol(em, n) for n in walk(node) if isinstance(n, cst.Name | cst.Attribute))


def _symbol(em: Emitter, node: Any) -> str:
    symbol = em.it.names.resolve(node)
    return symbol if symbol.split(".")[0] in ("tf", "keras") else ""


class Hints(cst.CSTTransformer):
    """Replaces framework names inside annotations."""

    def __init__(self, em: Emitter):
        super().__init__()
        self.em, self.depth = em, 0
        self.kept = {id(n) for n in em.kept}

    def on_visit(self, node: cst.CSTNode) -> bool:
        if id(node) in self.kept:
            return False
        self.depth += isinstance(node, cst.Annotation)
        return not (self.depth and isinstance(node, cst.Attribute))

    def on_leave(self, original: Any, updated: Any) -> Any:
        if isinstance(original, cst.Annotation) and id(original) not in self.kept:
            self.depth -= 1
        if not self.depth or not isinstance(original, cst.Name | cst.Attribute):
            return updated
        symbol = _symbol(self.em, original)
        return expression(self.counterpart(symbol)) if symbol else updated

    def counterpart(self, symbol: str) -> str:
        text = OTHERS.get(symbol, "")
        if symbol in TENSORS:
            text = "torch.Tensor"
        elif symbol.startswith((*MODULES, "keras.layers.")):
            text = "nn.Module"
        self.em.need(*{t for t in ("torch", "nn") if text.startswith(t + ".")})
        return text or "object"
