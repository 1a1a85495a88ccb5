"""What runs where modules are applied, and the names of private ones, with which TensorFlow lets no scope begin."""

from __future__ import annotations

import re
from typing import Any

import libcst as cst

from port.build import TIGHT
from port.torch2tf import apart, members
from port.torch2tf.values import Function, Instance, SelfOf


def forwards(payload: Any) -> list[Function]:
    """What runs where the module is applied."""
    if isinstance(payload, Instance | SelfOf):
        return members.called(payload, "forward") or members.called(payload, "__call__")
    return []


def named(w: Any, node: cst.Call) -> cst.Call:
    """`super().__init__(name=...)` of a class `_Block` that other classes apply.

    Keras calls the layer `__block`, with which TensorFlow lets no scope begin.
    """
    cls = w.cls
    forward = cls.methods.get("forward") if cls is not None else None
    if cls is None or not apart.shown(cls.name).startswith("_") or node.args or [b.symbol for b in cls.bases] != [
            "torch.nn.Module"] or forward is None or not any(
                c is not None and c.owner is not None and c.owner is not cls for c in forward.callers):
        return node
    w.need("keras")
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", apart.shown(cls.name).strip("_")).lower()
    name = cst.parse_expression(f"f\"{word}_{{keras.backend.get_uid('{word}')}}\"")
    return node.with_changes(args=[cst.Arg(name, keyword=cst.Name("name"), equal=TIGHT)])
