"""NumPy arrays: values of Python, until they meet a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from port.facts import Dim, Fact, Kind
from port.tf2torch.infer.conditions import LIST, is_number
from port.tf2torch.infer.opshapes import shape_of
from port.tf2torch.infer.values import Items, has_tensor

ARRAY = "array"  # `Fact.dtype` of such a value; its shape is known or None
# What makes an array, and how many axes it has (None: not known)
RANKS = {"arange": 1, "linspace": 1, "logspace": 1, "hanning": 1, "hamming": 1, "blackman": 1, "kaiser": 1, "eye": 2,
         "identity": 2, "tri": 2, "outer": 2, **dict.fromkeys(
             "concatenate stack vstack hstack tile repeat reshape transpose squeeze expand_dims diag kron dot matmul "
             "load".split())}
SHAPED = frozenset("zeros ones full empty".split())  # by their first argument
SAME = frozenset("""array asarray ascontiguousarray tril triu zeros_like ones_like full_like sin cos tan tanh exp log
    log2 log10 sqrt square abs power maximum minimum clip floor ceil round where flip roll sign float32 float64 int32
    int64 add subtract multiply divide logical_not""".split())  # as their arguments, if one is an array or a list
METHODS = frozenset("astype copy clip round reshape transpose squeeze repeat".split())
ALIKE = frozenset("astype copy clip round".split())  # of the methods, those that keep the shape


def array(shape: tuple[Dim, ...] | None = None) -> Fact:
    return Fact(Kind.PLAIN, shape=shape, dtype=ARRAY)


def is_array(fact: Fact) -> bool:
    return fact.dtype == ARRAY


def is_listed(fact: Fact) -> bool:
    """A list of numbers, which NumPy and TensorFlow take for an array."""
    if fact.kind is not Kind.PLAIN or has_tensor(fact):
        return False
    held = fact.literal(...)
    items = isinstance(fact.payload, Items) and fact.payload.kind == "list"
    return fact.dtype == LIST or items or (isinstance(held, tuple) and all(
        isinstance(v, int | float | tuple) for v in held))


def is_written(fact: Fact) -> bool:
    """A list of numbers, each of them written out."""
    return isinstance(fact.literal(), tuple) and is_listed(fact)


def known_shape(fact: Fact) -> tuple[Dim, ...] | None:
    """Of an array or a list of numbers."""
    value = fact.literal(...)
    return shape_of(value) if value is not ... else fact.shape


def made(name: str, args: Sequence[Fact]) -> Fact | None:
    """What this function of NumPy gives, if it is an array."""
    arrays = [a for a in args if is_array(a) or is_listed(a)]
    if name in SHAPED and args:
        size = args[0].literal(...)
        if isinstance(size, int):
            return array((size,))
        if isinstance(size, tuple):
            return array(tuple(d if isinstance(d, int) else None for d in size))
        items = args[0].payload
        return array((None,) * len(items.elements) if isinstance(items, Items) else None)
    if name.startswith("random."):
        return array() if args else None
    if name in RANKS:
        rank = RANKS[name]
        return array(None if rank is None else (None,) * rank)
    if name in ("array", "asarray"):
        return array(known_shape(args[0]) if args else None)
    return wider(arrays) if name in SAME and arrays else None


def wider(arrays: Sequence[Fact]) -> Fact:
    """The array that arrays make together, by broadcasting; its rank at most is known."""
    shapes = [known_shape(a) for a in arrays]
    if len(arrays) == 1:
        return array(shapes[0])
    ranks = [len(s) for s in shapes if s is not None]
    return array((None,) * max(ranks) if len(ranks) == len(shapes) else None)


def combined(a: Fact, b: Fact) -> Fact | None:
    """`1 - table`, `table > 0`"""
    arrays = [f for f in (a, b) if is_array(f)]
    return wider([f for f in (a, b) if is_array(f) or is_listed(f)]) if arrays and Kind.TENSOR not in (
        a.kind, b.kind) else None


def method(owner: Fact, name: str, args: Sequence[Fact]) -> Fact | None:
    """`table.astype("float32")`, `table.reshape(1, -1)`"""
    if not is_array(owner) or name not in METHODS:
        return None
    if name in ALIKE:
        return array(owner.shape)
    several = name == "reshape" and len(args) > 1
    return array((None,) * len(args) if several else None)


def part(owner: Fact, elements: Sequence[Any], new_axis: Callable[[Any], bool], fact: Callable[[Any], Fact]) -> Fact:
    """`table[:, None]`: slices keep an axis, numbers take one away; arrays and masks do more than that."""
    places = [e.value for e in elements if isinstance(e, cst.Index) and not new_axis(e)]
    if owner.shape is None or not all(is_number(fact(p)) or isinstance(fact(p).literal(), int) for p in places):
        return array()
    rank = len(owner.shape)
    for element in elements:
        if new_axis(element):
            rank += 1
        elif isinstance(element, cst.Index):
            rank -= 1
    return array((None,) * rank) if rank >= 0 else array()
