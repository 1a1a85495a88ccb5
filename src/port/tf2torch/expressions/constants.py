"""Symbols of the framework that are not called: dtypes, `tf.newaxis`, functions as values."""

from __future__ import annotations

import libcst as cst

from port.build import expression
from port.tf2torch.adapt.activations import activation_value
from port.tf2torch.calls.job import unknown_symbol
from port.tf2torch.calls.spelling import DTYPES, short
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.definitions import ROOTS


# ---------------------------------------------------------------- names and subscripts
def constant(em: Emitter, node: cst.BaseExpression, symbol: str) -> cst.BaseExpression:
    """A symbol of the framework that is not called: `tf.float32`, `tf.newaxis`, `tf.nn.relu` as a value."""
    last = symbol.rpartition(".")[2]
    if symbol in ("tf.newaxis", "numpy.newaxis"):
        return expression("None")
    if symbol.startswith("tf.") and last in DTYPES and symbol.count(".") <= 2:
        em.need("torch")
        return expression(f"torch.{last}")
    if symbol in ("keras.layers.Layer", "keras.Model"):
        em.need("nn")
        return expression("nn.Module")
    if symbol == "tf.Tensor":
        em.need("torch")
        scope = em.scope
        called = scope.stage == "forward" and scope.cls is not None and scope.cls.root in ROOTS
        if scope.function is not None and not called:
            em.report("P103", "`tf.Tensor` is `torch.Tensor`; of the tensors that Keras builds a graph from, which are "
                      "no `tf.Tensor`, PyTorch has none", node)
        return expression("torch.Tensor")
    for row in em.it.rows.get(symbol) or ():
        if row.none:
            raise Refused("P203", f"`{symbol}`: {row.none}", node)
        em.by(node, f"row {row.name}")
        if row.kind == "constant" and row.torch:
            return expression(short(em, row.torch[0].name))
        if row.kind in ("function", "") and row.torch and len(row.torch) == 1 and not row.fixed and not row.via:
            plain = [a for a in row.args.values() if a.via]
            if not plain or all(a.via == "axis" for a in plain):
                template = activation_value(em, last)
                if template is not None:
                    return template
                return expression(short(em, row.torch[0].name))
    if symbol.startswith(("tf.nn.", "keras.activations.", "keras.ops.", "tf.math.", "tf.")):
        value = activation_value(em, last)
        if value is not None:
            return value
    if any(row.kind == "layer" for row in em.it.rows.get(symbol) or ()):
        raise Refused("P206", f"the class `{symbol}` is held as a value; call it where it is chosen", node)
    raise unknown_symbol(em, symbol, node)
