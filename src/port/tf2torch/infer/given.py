"""What a shape rule may ask, and how it writes sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from port.facts import UNKNOWN, Dim, Fact, Layout, Sym, dim_value, simplify
from port.tf2torch.infer.values import Items, ShapeOf, Size


@dataclass(frozen=True)
class Given:
    """What a rule may ask: facts of tensor inputs, and bound arguments by name."""

    inputs: tuple[Fact, ...]
    literal: Callable[[str], Any]  # value of an argument (its default if absent); LookupError if not literal
    dim: Callable[[str], Dim]  # an argument as a size
    fact: Callable[[str], Fact]
    params: tuple[str, ...]
    given: frozenset[str] = frozenset()

    def get(self, name: str, otherwise: Any = None) -> Any:
        try:
            return self.literal(name)
        except LookupError:
            return otherwise

    @property
    def x(self) -> Fact:
        return self.inputs[0] if self.inputs else UNKNOWN


def join_layout(facts: tuple[Fact, ...]) -> Layout:
    return Layout.FLIPPED if any(f.layout is Layout.FLIPPED for f in facts) else Layout.PLAIN


def pair(value: Any, n: int) -> list[Dim]:
    """An int or a tuple of n as n sizes."""
    if isinstance(value, list | tuple):
        return list(value) if len(value) == n else [None] * n
    return [value] * n


def product(dims: tuple[Dim, ...]) -> Dim:
    """The product, kept as factors where all are numbers (`5 * 3 * 12`), so that a reader can check it."""
    known = [d for d in dims if d is not None]
    if len(known) < len(dims):
        return None
    factors = [d for d in known if d != 1] or [1]
    if len(factors) == 1:
        return factors[0]
    text = " * ".join(str(d) if isinstance(d, int) or d.text.isidentifier() else f"({d})" for d in factors)
    total: int | None = 1
    for d in factors:
        value = dim_value(d)
        total = total * value if value is not None and total is not None else None
    return Sym(text, total)


def sizes_of(fact: Fact) -> list[Dim] | None:
    """The sizes in a shape-like value (tuple of ints, of names)."""
    if isinstance(fact.payload, ShapeOf):
        shape = fact.payload.of.shape
        return None if shape is None else list(shape)
    value = fact.literal()
    if isinstance(value, int):
        return [value]
    if isinstance(value, tuple) and all(isinstance(v, int) or v is None for v in value):
        return list(value)
    if not isinstance(fact.payload, Items):
        return None
    out: list[Dim] = []
    for e in fact.payload.elements:
        if isinstance(e.payload, Size):
            out.append(e.payload.dim)
        else:
            v = e.literal()
            out.append(v if isinstance(v, int) else Sym(e.symbol[1:]) if e.symbol.startswith("=") else None)
    return out


def axis_of(g: Given, default: Any = None) -> Any:
    for name in ("axis", "dim", "axes"):
        if name in g.params:
            return g.get(name, default)
    return default


def plainness(dim: Dim) -> tuple[int, int]:
    """Of two ways to write one size, a number is best, then settings, then sizes of other tensors."""
    if dim is None:
        return 3, 0
    if isinstance(dim, int):
        return 0, 0
    carried = any(n.endswith(("_channels", "_features")) or n.startswith("OUT_") for n in dim.names)
    return (2 if carried else 1), len(dim.text)


def simplify_sym(sym: Sym, known: int | None) -> Dim:
    """The size with whole numbers folded, and its value where constants tell it."""
    plain = sym.text.isidentifier()
    result = sym if plain else simplify(sym.text)
    return Sym(result.text, known) if isinstance(result, Sym) else result
