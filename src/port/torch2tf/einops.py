"""einops: patterns are read for ranks, and written for the layout that a tensor has in the target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import libcst as cst

from port.facts import UNKNOWN, Dim, Fact, Kind, Layout, tensor
from port.torch2tf.values import PLAIN as NUMBER
from port.torch2tf.values import TO_FIRST, TO_LAST, Items, tensors_in

if TYPE_CHECKING:
    from port.torch2tf.interp import Interp

PLAIN, FLIPPED = Layout.PLAIN, Layout.FLIPPED
_TOKEN = re.compile(r"\([^)]*\)|\S+")


def tokens(side: str) -> list[str]:
    """`b (h w) c` -> ['b', '(h w)', 'c']"""
    return _TOKEN.findall(side)


def sides(pattern: Any) -> tuple[list[str], list[str]] | None:
    if not isinstance(pattern, str) or "->" not in pattern:
        return None
    left, _, right = pattern.partition("->")
    return tokens(left), tokens(right)


def spelled(pattern: Any, rank: int | None) -> Any:
    """The pattern with names for what `...` stands for in a tensor of this rank; where that is open, as it is."""
    left = (sides(pattern) or ([], []))[0]
    if rank is None or "..." not in left:
        return pattern
    count, used = rank + 1 - len(left), set(re.findall(r"\w+", str(pattern)))
    free = [n for n in "bchwtdnmxyz" if n not in used]
    if not 0 <= count <= len(free):
        return pattern
    return str(pattern).replace("...", " ".join(free[:count]))


def pattern_of(it: Interp, node: cst.Call, position: int) -> Any:
    plain = [a for a in node.args if a.keyword is None]
    named = next((a for a in node.args if a.keyword is not None and a.keyword.value == "pattern"), None)
    arg = named or (plain[position] if position < len(plain) else None)
    return it.fact(arg.value).literal(...) if arg is not None else ...


def call(it: Interp, node: cst.Call, symbol: str, args: list[Fact]) -> Fact:
    last = symbol.rpartition(".")[2]
    if symbol.startswith("einops.layers."):
        from port.torch2tf import modules

        return modules.make(it, node, symbol, args)
    if last in ("rearrange", "reduce", "repeat"):
        return transformed(it, node, args[0] if args else UNKNOWN, pattern_of(it, node, 1))
    if last in ("pack",):
        it.wants[node] = PLAIN
        return Fact(Kind.PLAIN, payload=Items([tensor(), NUMBER], "tuple"))
    it.wants[node] = PLAIN
    if last == "unpack":
        return Fact(Kind.PLAIN, payload=Items([tensor()], open=True))
    if last == "einsum":
        text = pattern_of(it, node, len(args) - 1)
        parts = sides(text)
        if parts is not None:
            left = str(text).partition("->")[0].split(",")
            for side, fact in zip(left, args, strict=False):
                if "..." not in side:
                    it.prove_rank(fact, len(tokens(side)))
            rank = len(parts[1]) if "..." not in parts[1] else None
            return tensor(None if rank is None else (None,) * rank, args[0].dtype if args else None)
    return tensor()


def transformed(it: Interp, node: cst.CSTNode, x: Fact, pattern: Any) -> Fact:
    """rearrange, reduce or repeat of a tensor, or of a list of them."""
    listed = isinstance(x.payload, Items)
    if listed:
        x = next(tensors_in(x), tensor())
    parts = sides(pattern if listed else spelled(pattern, x.rank))
    if parts is None:
        it.wants[node] = PLAIN
        return tensor(None, x.dtype)
    left, right = parts
    if "..." not in left and x.kind is Kind.TENSOR and not listed:
        it.prove_rank(x, len(left))
    known: dict[str, Dim] = {}
    if x.shape is not None and len(x.shape) == len(left) and not listed:
        known = {t: d for t, d in zip(left, x.shape, strict=True) if t.isidentifier()}
    shape: tuple[Dim, ...] | None = tuple(1 if t in ("1", "()") else known.get(t) for t in right)
    if "..." in right:
        shape = None
        if x.shape is not None and "..." in left:
            shape = (None,) * (len(right) - 1 + len(x.shape) - (len(left) - 1))
    want = wanted(x, pattern) if not listed else PLAIN
    it.wants[node] = want
    moves = _moves(left, right) if len(left) in TO_FIRST and "..." not in left else None
    if want is PLAIN and moves is not None and moves == TO_FIRST[len(left)]:
        return tensor(shape, x.dtype, FLIPPED)  # as the target has it already
    return tensor(shape, x.dtype)


def wanted(x: Fact, pattern: Any) -> Layout:
    """A pattern can say the order that a channels-last tensor has."""
    parts = sides(spelled(pattern, x.rank))
    known = x.kind is Kind.TENSOR and parts is not None and "..." not in parts[0]
    return x.layout if known else PLAIN


def _moves(left: list[str], right: list[str]) -> tuple[int, ...] | None:
    """The order of axes, where the pattern does nothing else."""
    if sorted(left) != sorted(right) or not all(t.isidentifier() for t in left) or len(set(left)) != len(left):
        return None
    return tuple(left.index(t) for t in right)


def only_layout(fact: Fact, pattern: Any) -> bool:
    """Does the pattern only move channels first or last, which in the target changes nothing?"""
    parts = sides(spelled(pattern, fact.rank))
    if parts is None or "..." in parts[0]:
        return False
    moves = _moves(*parts)
    rank = len(parts[0])
    return moves is not None and ((moves == TO_FIRST.get(rank) and fact.layout is PLAIN)
                                  or (moves == TO_LAST.get(rank) and fact.layout is FLIPPED))


def flipped_pattern(pattern: str, left: bool = False, right: bool = False) -> str:
    """The pattern for a tensor that arrives (or leaves) channels last: its second axis goes to the end."""
    a, _, b = pattern.partition("->")
    lead, trail = (a[:len(a) - len(a.lstrip())], b[len(b.rstrip()):])

    def moved(side: str, wanted: bool) -> str:
        parts = tokens(side)
        return " ".join([parts[0], *parts[2:], parts[1]] if wanted else parts)

    return f"{lead}{moved(a, left)} -> {moved(b, right)}{trail}"
