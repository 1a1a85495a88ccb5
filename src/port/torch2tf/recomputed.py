"""Functions of the user that only hand on to `torch.utils.checkpoint.checkpoint`: called as that is called.

All modules of a project reach such a function, and each is a matter of the place that passes it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import libcst as cst

from port.build import paren
from port.torch2tf.values import Function
from port.tree import code, find, named

SYMBOL = "torch.utils.checkpoint.checkpoint"
SETTINGS = ("use_reentrant", "preserve_rng_state", "determinism_check", "context_fn", "debug", "early_stop")


def hands_on(it: Any, function: Function) -> bool:
    """Is it `def checkpoint(f, *args, **kwargs): return torch.utils.checkpoint.checkpoint(f, *args, **kwargs)`?"""
    node = function.node
    if function.owner is not None or not isinstance(node, cst.FunctionDef) or not function.star:
        return False
    if len(node.params.params) != 1 or node.decorators or not isinstance(node.body, cst.IndentedBlock):
        return False
    *before, last = node.body.body
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
    call = small.value if isinstance(small, cst.Return) else None
    if not isinstance(call, cst.Call) or (function.file or it.file).names.resolve(call.func) != SYMBOL:
        return False
    first = node.params.params[0].name.value
    given = [(a.star, code(a.value)) for a in call.args if a.keyword is None]
    wanted = [("", first), ("*", function.star), *([("**", function.kwstar)] if function.kwstar else [])]
    words = {a.keyword.value for a in call.args if a.keyword is not None}
    return given == wanted and words <= {*SETTINGS} and all(_only_sets(s, {first, function.star, function.kwstar})
                                                            for s in before)


def _only_sets(statement: cst.CSTNode, kept: set[str]) -> bool:
    """A docstring, or what computes settings: what is handed on is not touched."""
    if kept & named(statement) or find(statement, cst.Return):
        return False
    return all(isinstance(small, cst.Assign) or (isinstance(small, cst.Expr) and isinstance(
        small.value, cst.SimpleString | cst.ConcatenatedString))
        for line in find(statement, cst.SimpleStatementLine) for small in line.body)


def settings(function: Function) -> set[str]:
    """Arguments that are no matter of the function that is called."""
    assert isinstance(function.node, cst.FunctionDef)
    return {*SETTINGS, *(p.name.value for p in function.node.params.kwonly_params)}


def is_direct(node: cst.Call) -> bool:
    """Is the function written by itself, as the first argument?"""
    return bool(node.args) and node.args[0].keyword is None and not node.args[0].star


def direct(node: cst.Call, words: Collection[str]) -> cst.Call:
    """`f(x)` for `checkpoint(f, x, use_reentrant=False)`."""
    args = [a for a in node.args[1:] if a.keyword is None or a.keyword.value not in words]
    if args:
        args[-1] = args[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    return cst.Call(paren(node.args[0].value), args)
