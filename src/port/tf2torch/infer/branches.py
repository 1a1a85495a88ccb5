"""What `tf.cond` and the functions that map over rows give: which of several tensors it is nobody knows."""

from __future__ import annotations

import libcst as cst

from port.binding import keyword
from port.facts import Fact, Kind, Layout, tensor
from port.scopes import Env
from port.tf2torch.infer.interp import Interp

CONDS = ("tf.cond", "keras.ops.cond")
MAPS = ("tf.map_fn", "tf.vectorized_map", "keras.ops.map", "keras.ops.vectorized_map", "keras.backend.map_fn")


def cond(it: Interp, node: cst.Call, env: Env) -> Fact:
    """`tf.cond(test, lambda: x, lambda: y)`: of both, what they share; channels first if both are."""
    given = [keyword(node, name, at) for at, name in ((1, "true_fn"), (2, "false_fn"))]
    bodies = [fn.body for fn in given if isinstance(fn, cst.Lambda) and not fn.params.params]
    if len(bodies) < 2:
        return tensor()
    a, b = (it.ev(body, env) for body in bodies)
    if a.kind is not Kind.TENSOR or b.kind is not Kind.TENSOR:
        return it.plain(node)
    layout = a.layout if a.layout is b.layout else Layout.PLAIN
    if a.shape is None or b.shape is None or a.rank != b.rank:
        return tensor(None, None, layout)
    shape = tuple(p if p == q else None for p, q in zip(a.shape, b.shape, strict=True))
    return tensor(shape, a.dtype if a.dtype == b.dtype else None, layout)
