"""Facts of Python's own numbers: whole or not decides which dtype a tensor has that meets one."""

from __future__ import annotations

import math
from typing import Any

import libcst as cst

from port.facts import Fact, Kind, arithmetic
from port.torch2tf.values import PLAIN, Items, ShapeOf, Size, literal

ARITHMETIC = {cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.FloorDivide: "//"}
WHOLE = Fact(Kind.PLAIN, dtype="int")
FLOAT = Fact(Kind.PLAIN, dtype="float")
# What of `math` gives whole numbers, truth values, or several numbers; all else gives a float.
_WHOLE_RESULTS = frozenset("ceil floor trunc comb factorial gcd isqrt lcm perm".split())
_OTHER_RESULTS = frozenset("isclose isfinite isinf isnan frexp modf prod".split())


def called(symbol: str) -> Fact:
    """What `math.log(x)` or `float(x)` gives."""
    owner, _, name = symbol.partition(".")
    if owner == "math" and hasattr(math, name) and name not in _OTHER_RESULTS:
        return WHOLE if name in _WHOLE_RESULTS else FLOAT
    return FLOAT if symbol == "builtins.float" else PLAIN


def tuples(n: int) -> Any:
    """Of `_pair(x)`: a sequence stays as it is, and one value stands `n` times."""
    def read(it: Any, node: cst.Call, args: list[Fact]) -> Fact:
        if len(args) != 1 or isinstance(args[0].payload, Items):
            return args[0] if args else PLAIN
        value = args[0].literal(...)
        known = frozenset([(value,) * n]) if isinstance(value, int) else None
        single = args[0] if isinstance(value, int) else WHOLE if is_whole(args[0]) else PLAIN
        return Fact(Kind.PLAIN, values=known, payload=Items([single] * n, "tuple"))
    return read


TUPLES = {f"torch.nn.modules.utils.{name}": tuples(n) for n, name in enumerate(
    ("_single", "_pair", "_triple", "_quadruple"), 1)}


def negative(inner: Fact) -> Fact:
    """`-x` of a number."""
    value = inner.literal(...)
    if isinstance(value, int | float):
        return literal(-value)
    if isinstance(inner.payload, Size):
        size = inner.payload
        return Fact(Kind.PLAIN, payload=Size(arithmetic("-", 0, size.dim), size.batch, size.whole, computed=True))
    return WHOLE if is_whole(inner) else FLOAT if is_float(inner) else PLAIN


def joined(a: Fact, b: Fact) -> Fact | None:
    """`a + b` of lists, tuples and shapes; None if neither is one."""
    x, y = _elements(a), _elements(b)
    if x is None and y is None:
        return None
    parts = [p if p is not None else Items(open=True) for p in (x, y)]
    kind = next(p.kind for p in (x, y) if p is not None)
    return Fact(Kind.PLAIN, payload=Items(parts[0].elements + parts[1].elements, kind, any(p.open for p in parts)))


def _elements(fact: Fact) -> Items | None:
    payload, value = fact.payload, fact.literal(...)
    if isinstance(payload, Items):
        return payload
    if isinstance(payload, ShapeOf):
        shape = payload.of.shape
        if shape is None:
            return Items([WHOLE], "tuple", open=True)
        sizes = [Fact(Kind.PLAIN, payload=Size(dim, i == 0)) for i, dim in enumerate(shape)]
        return Items(sizes[payload.start:payload.stop], "tuple")
    return Items([literal(v) for v in value], "tuple") if isinstance(value, tuple) else None


def binary(operator: cst.BaseBinaryOp, a: Fact, b: Fact) -> Fact:
    """`a + b` of two numbers."""
    x, y, op = a.literal(...), b.literal(...), ARITHMETIC.get(type(operator))
    if isinstance(x, int) and isinstance(y, int) and op and not (op == "//" and y == 0):
        value = arithmetic(op, x, y)
        return literal(value) if isinstance(value, int) else PLAIN
    sized = op and (isinstance(a.payload, Size) or isinstance(b.payload, Size))
    if sized and (is_float(a) or is_float(b)):
        return FLOAT
    if sized:
        sizes = [f.payload.dim if isinstance(f.payload, Size) else f.literal() for f in (a, b)]
        known = all(isinstance(s, int) and not isinstance(s, bool) for s in sizes)
        batch = any(isinstance(f.payload, Size) and f.payload.batch for f in (a, b))
        dim: Any = arithmetic(op, *sizes) if known else None  # type: ignore[arg-type]
        return Fact(Kind.PLAIN, payload=Size(dim, batch, is_whole(a) and is_whole(b), computed=True))
    divided = type(operator) is cst.Divide
    if (op or divided or type(operator) is cst.Power) and (is_float(a) or is_float(b)):
        return FLOAT  # whatever the other one is
    if not (op or divided) or not all(is_float(f) or is_whole(f) for f in (a, b)):
        return PLAIN
    return FLOAT if divided else WHOLE


def is_whole(fact: Fact) -> bool:
    size = fact.payload
    return (fact.kind is Kind.PLAIN and fact.dtype == "int") or type(fact.literal(...)) is int or (
        isinstance(size, Size) and size.whole)


def is_float(fact: Fact) -> bool:
    known: Any = fact.literal(...)
    return (fact.kind is Kind.PLAIN and fact.dtype == "float" and not fact.symbol) or type(known) is float
