"""What `tf.cond` and the functions that map over rows give: which of several tensors it is nobody knows."""

from __future__ import annotations

import libcst as cst

from port.binding import keyword
from port.facts import Fact, Kind, Layout, tensor
from port.scopes import Env
from port.tf2torch.infer.functions import call_function
from port.tf2torch.infer.interp import Interp
from port.tf2torch.infer.values import Function

PHASES = ("keras.backend.in_train_phase", "keras.backend.in_test_phase")
CONDS = ("tf.cond", "keras.ops.cond")
MAPS = ("tf.map_fn", "tf.vectorized_map", "keras.ops.map", "keras.ops.vectorized_map", "keras.backend.map_fn")


def cond(it: Interp, node: cst.Call, env: Env) -> Fact:
    """`tf.cond(test, lambda: x, lambda: y)`: of both, what they share; channels first if both are."""
    given = [keyword(node, name, at) for at, name in ((1, "true_fn"), (2, "false_fn"))]
    bodies = [fn.body for fn in given if isinstance(fn, cst.Lambda) and not fn.params.params]
    if len(bodies) < 2:
        return tensor()
    a, b = (it.ev(body, env) for body in bodies)
    return _either(it, node, a, b)


def by_phase(it: Interp, node: cst.Call, env: Env) -> Fact:
    """`K.in_train_phase(x, alt)`, of tensors and functions: Keras wants them to be of one shape."""
    given = [keyword(node, name, at) for at, name in ((0, "x"), (1, "alt"))]
    if None in given:
        return it.plain(node)
    a, b = (_called(it, it.ev(value, env)) for value in given if value is not None)
    return _either(it, node, a, b, alike=True)


def _called(it: Interp, fact: Fact) -> Fact:
    return call_function(it, None, fact.payload, []) if isinstance(fact.payload, Function) else fact


def _either(it: Interp, node: cst.Call, a: Fact, b: Fact, alike: bool = False) -> Fact:
    if a.kind is not Kind.TENSOR or b.kind is not Kind.TENSOR:
        return it.plain(node)
    layout = a.layout if a.layout is b.layout else Layout.PLAIN
    if a.shape is None or b.shape is None or a.rank != b.rank:
        return tensor(None, None, layout)
    shape = tuple((p or q) if p == q or (alike and None in (p, q)) else None
                  for p, q in zip(a.shape, b.shape, strict=True))
    return tensor(shape, a.dtype if a.dtype == b.dtype else None, layout)
