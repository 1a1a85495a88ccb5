"""Attributes and methods of TensorFlow's tensors, shapes and dtypes."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, expression
from port.facts import Kind
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import ShapeOf

LIMITS = ("max", "min")
WHOLE = ("int8", "int16", "int32", "int64", "uint8")


def shape_method(em: Emitter, node: cst.Call, owner: Any) -> cst.BaseExpression | None:
    """`x.shape.as_list()`; None if it is a method of tuples."""
    assert isinstance(node.func, cst.Attribute)
    if not isinstance(owner.payload, ShapeOf):
        return None
    name = node.func.attr.value
    form = {"as_list": "list({s})", "num_elements": "{s}.numel()"}.get(name, "")
    if not form and (name in ("index", "count") or owner.payload.form == "list"):  # of any tuple, of a list
        return None
    if not form:
        raise Refused("P201", f"`{name}` of a shape has no translation: its sizes are `x.shape`, a tuple", node)
    return build(form, s=em.expr(node.func.value))


def shape_attribute(em: Emitter, node: cst.Attribute, owner: Any) -> cst.BaseExpression | None:
    if isinstance(owner.payload, ShapeOf) and node.attr.value in ("rank", "ndims"):
        return build("len({s})", s=em.shape_expr(node.value))
    return None


def dtype_attribute(em: Emitter, node: cst.Attribute) -> cst.BaseExpression | None:
    """`x.dtype.max`, `.is_floating`, `.base_dtype`; `tf.float32.max`."""
    name, inner = node.attr.value, node.value
    symbol = em.symbol(inner) if isinstance(inner, cst.Name | cst.Attribute) else ""
    last = symbol.rpartition(".")[2]
    if symbol.startswith("tf.") and name in LIMITS and (last in WHOLE or last.startswith(("float", "bfloat"))):
        em.need("torch")
        return expression(f"torch.{'iinfo' if last in WHOLE else 'finfo'}(torch.{last}).{name}")
    of_tensor = isinstance(inner, cst.Attribute) and inner.attr.value == "dtype" and (
        em.fact(inner.value).kind is Kind.TENSOR)
    if not of_tensor:
        return None
    value = em.expr(inner)
    if name in LIMITS:
        dtype = em.fact(inner.value).dtype  # type: ignore[attr-defined]
        em.need("torch")
        return build(f"torch.{'iinfo' if dtype in WHOLE else 'finfo'}({{d}}).{name}", d=value)
    if name in ("base_dtype", "as_numpy_dtype"):
        return value if name == "base_dtype" else None
    return build("{d}.is_floating_point", d=value) if name == "is_floating" else None

