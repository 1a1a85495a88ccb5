"""Arguments of one call matched with the parameters of a signature."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import libcst as cst

from port.table import Row, Signature

# Accepted by every Keras layer besides its own parameters; handled in one place (`calls.py`).
LAYER_COMMON = ("name", "dtype", "trainable", "activity_regularizer", "autocast", "input_shape", "batch_input_shape",
                "batch_shape", "input_dim", "input_length", "weights", "dynamic")


@dataclass
class Bound:
    """`args`: parameter to expression, in the order of the call; `extra`: what no parameter takes."""

    signature: Signature
    args: dict[str, cst.BaseExpression] = field(default_factory=dict)
    keyword: set[str] = field(default_factory=set)  # parameters that were given by keyword
    nodes: dict[str, cst.Arg] = field(default_factory=dict)
    common: dict[str, cst.BaseExpression] = field(default_factory=dict)
    stars: list[cst.Arg] = field(default_factory=list)  # what a `*` parameter takes
    problem: str = ""

    def default(self, name: str) -> str | None:
        param = self.signature.by_name.get(name)
        return param.default if param is not None else None


def bind(signature: Signature, call: cst.Call, layer: bool = False,
         receiver: cst.BaseExpression | None = None) -> Bound:
    """Match a call with a signature; `problem` says what does not fit."""
    bound = Bound(signature)
    positional, names = signature.positional, signature.by_name
    star = next((p for p in signature.params if p.star == "*"), None)
    at = 0
    if receiver is not None and positional:
        bound.args[positional[0].name] = receiver
        at = 1
    for arg in call.args:
        if arg.star:
            bound.problem = f"`{arg.star}` arguments cannot be matched with parameters"
        elif arg.keyword is not None:
            name = arg.keyword.value
            if name in names:
                if name in bound.args:
                    bound.problem = f"argument `{name}` is given twice"
                bound.args[name] = arg.value
                bound.keyword.add(name)
                bound.nodes[name] = arg
            elif layer and name in LAYER_COMMON:
                bound.common[name] = arg.value
            else:
                bound.problem = f"argument `{name}` is not known"
        elif at < len(positional):
            bound.args[positional[at].name] = arg.value
            bound.nodes[positional[at].name] = arg
            at += 1
        elif star is not None:
            bound.args.setdefault(star.name, arg.value)
            bound.nodes.setdefault(star.name, arg)
            bound.stars.append(arg)
        else:
            bound.problem = "too many arguments"
    missing = [name for name in signature.required if name not in bound.args]
    if missing and not bound.problem:
        bound.problem = f"argument `{missing[0]}` is missing"
    return bound


def row_name(name: str, symbol: str) -> bool:
    """Is this the signature of the symbol, in TF 1's spelling or that of a whole family too?"""
    return name in (symbol, symbol.replace("tf.", "tf.compat.v1.", 1)) or name.endswith(".*")


@lru_cache(1 << 14)
def _literal(text: str) -> Any:
    try:
        return _hashable(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, LookupError):
        return ...


def literal_text(text: str | None) -> Any:
    """Value of source text that is a literal; LookupError otherwise."""
    value = ... if text is None else _literal(text)
    if value is ...:
        raise LookupError
    return value


def _hashable(value: Any) -> Any:
    """Lists as tuples, so that values can be compared and collected."""
    if isinstance(value, list | tuple):
        return tuple(_hashable(v) for v in value)
    if isinstance(value, dict | set):
        raise LookupError
    return value


def best_row(rows: tuple[Row, ...], call: cst.Call, symbol: str, layer: bool = False) -> tuple[Row, Bound] | None:
    """The first row, and its signature, that the arguments of the call fit."""
    fallback = None
    for row in rows:
        for signature in row.tf:
            if not row_name(signature.name, symbol):
                continue
            bound = bind(signature, call, layer)
            if not bound.problem:
                return row, bound
            fallback = fallback or (row, bound)
    return fallback


# ---------------------------------------------------------------- models and inputs
def keyword(node: cst.Call, name: str, position: int | None = None) -> cst.BaseExpression | None:
    """The argument of this name, or at this position, as the call gives it."""
    for i, arg in enumerate(node.args):
        if (arg.keyword is not None and arg.keyword.value == name) or (
                arg.keyword is None and not arg.star and i == position):
            return arg.value
    return None


_WEIGHT = ("shape", "initializer", "dtype", "trainable", "autocast", "regularizer", "constraint", "aggregation")
_WEIGHT_2 = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")  # in Keras 2
_STRINGS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)


def weight_argument(node: cst.Call, name: str) -> cst.BaseExpression | None:
    """An argument of `add_weight`. Keras 2 takes the name first, which Keras 3 refuses: the call shows its version."""
    first = node.args[0] if node.args and node.args[0].keyword is None else None
    old = first is not None and (isinstance(first.value, _STRINGS) or keyword(node, "shape") is not None)
    order = _WEIGHT_2 if old else _WEIGHT
    return keyword(node, name, order.index(name) if name in order else None)
