"""`try: tf.reduce_sum(x, keep_dims=True) except TypeError: tf.reduce_sum(x, keepdims=True)`: what TensorFlow 2 runs."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.binding import bind, row_name
from port.tf2torch.emit import Emitter
from port.tree import code, find

GONE = frozenset("tf." + n for n in (  # names of TensorFlow 1
    "batch_matmul", "div", "log", "matrix_band_part", "matrix_diag", "matrix_diag_part", "matrix_inverse",
    "matrix_set_diag", "mul", "neg", "pack", "string_to_hash_bucket", "string_to_hash_bucket_fast", "sub", "to_double",
    "to_float", "to_int32", "to_int64", "unpack"))


def running(em: Emitter, node: cst.Try) -> list[Any] | None:
    """The statements of the handler that TensorFlow 2 runs, since the tried call fails there; None if it may not."""
    tried = [c for s in node.body.body for c in find(s, cst.Call)] if len(node.body.body) == 1 else []
    fault = "AttributeError" if any(em.symbol(c.func) in GONE for c in tried) else (
        "TypeError" if any(_unknown_argument(em, c) for c in tried) else "")
    if not fault or node.orelse is not None or node.finalbody is not None:
        return None
    for handler in node.handlers:
        caught = handler.type
        names = [e.value for e in caught.elements] if isinstance(caught, cst.Tuple) else [caught]
        if caught is None or any(code(n) in (fault, "Exception") for n in names if n is not None):
            return list(handler.body.body)
    return None


def _unknown_argument(em: Emitter, call: cst.Call) -> bool:
    """Does every signature of this symbol lack one of the names that are given?"""
    symbol = em.symbol(call.func)
    rows = em.it.rows.get(symbol) or () if symbol.startswith("tf.") else ()
    found = [bind(s, call).problem for r in rows for s in r.tf if row_name(s.name, symbol)]
    return bool(found) and all(p.startswith("argument ") and p.endswith("is not known") for p in found)
