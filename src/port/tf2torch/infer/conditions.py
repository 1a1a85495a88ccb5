"""Does a row hold for a call: its `only` and its `facts`, each about the effective value of a parameter."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

import libcst as cst

from port.binding import Bound, literal_text
from port.facts import Fact, Kind, dim_value
from port.names import canonical
from port.table import Row
from port.tf2torch.infer.values import Items, ShapeOf, Size
from port.tree import code

# `Fact.dtype` of a Python value: a number for sure; by the default of a parameter; a setting of a model
EXACT, USUAL, SETTING, LIST = ("int", "float"), ("int?", "float?"), "setting", "list"
Facts = Callable[[str], Fact]
Reaching = Callable[[str], Collection[Any]]


def default_fact(bound: Bound, name: str) -> Fact:
    """The fact of a parameter that is not given: its default, a literal or a symbol such as `tf.float32`."""
    return _default(bound.default(name))


@lru_cache(1 << 12)
def _default(text: str | None) -> Fact:
    try:
        return Fact(Kind.PLAIN, values=frozenset([literal_text(text)]))
    except LookupError:
        return Fact(Kind.FUNCTION, symbol=canonical(text)) if text else Fact()


def unmet(row: Row, bound: Bound, fact: Facts, reaching: Reaching | None = None) -> tuple[str, str]:
    """('', '') if the row holds for this call, else the code of a finding and what does not hold."""
    for name, values in row.only.items():
        if name not in bound.args and bound.default(name) is None:
            continue
        if name == "noise_shape" and None in values and _whole(bound, name, fact(name)):
            continue
        if not _allowed(fact(name), values, reaching(name) if reaching is not None else ()):
            return "P202", f"`{name}{{}}` is not one of {', '.join(map(repr, values))}"
    for text in row.facts:
        if not _holds(text, bound, fact):
            return "P208", f"{_MEANING.get(text.partition('(')[0], '{}').format(text)}"
    return "", ""


_MEANING = {"number": "it is not known that this is a Python number: `{}`",
            "plain": "it is not known that this is a Python value: `{}`",
            "sequence": "it is not known that this is a list: `{}`",
            "rank": "ranks that are not known, or other ones, are needed: `{}`",
            "takes": "another rank is needed: `{}`",
            "dtype": "another dtype, or one that is known, is needed: `{}`",
            "present": "an argument is missing: `{}`"}


def _whole(bound: Bound, name: str, fact: Fact) -> bool:
    """`K.dropout(h, rate, K.shape(h))`: noise of the shape that the input has, as without `noise_shape`."""
    node, of = bound.args.get(name), bound.args.get(bound.signature.params[0].name)
    return isinstance(fact.payload, ShapeOf) and isinstance(node, cst.Call) and of is not None and (
        [code(a.value) for a in node.args] == [code(of)])


def _allowed(fact: Fact, values: tuple[Any, ...], reached: Collection[Any]) -> bool:
    value = fact.literal(...)
    if value is not ...:
        return any(same(value, v) for v in values)
    if fact.kind is Kind.FUNCTION:
        return any(isinstance(v, str) and "." in v and canonical(v) == fact.symbol for v in values)
    return bool(reached) and all(any(same(r, v) for v in values) for r in reached)


def same(a: Any, b: Any) -> bool:
    b = tuple(b) if isinstance(b, list) else b
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _holds(text: str, bound: Bound, fact: Facts) -> bool:
    kind, names, wanted = re.fullmatch(r"(\w+)\(([\w, ]+)\)=?(.*)", text).groups()  # type: ignore[union-attr]
    facts = [fact(name.strip()) for name in names.split(",")]
    first = facts[0]
    if kind == "plain":
        return first.kind is Kind.PLAIN and (first.values is not None or is_number(first))
    if kind == "number":
        return is_number(first)
    if kind == "sequence":
        return is_sequence(first)
    if kind == "present":
        given = names.strip() in bound.args or bound.default(names.strip()) not in (None, "None")
        return given and first.literal(...) is not None
    if kind == "rank":
        ranks = {f.rank for f in facts}
        return len(ranks) == 1 and None not in ranks and (not wanted or ranks == {int(wanted)})
    if kind == "takes":
        return first.kind in (Kind.TENSOR, Kind.UNKNOWN) and first.rank in (None, int(wanted))
    if kind == "dtype":
        return first.dtype == wanted
    if kind == "channels":
        size = dim_value(first.shape[-1]) if first.shape else None
        return size is not None and size == _amount(wanted, fact)
    raise ValueError(f"no such fact: {text}")


def taken_ranks(row: Row) -> list[tuple[str, int]]:
    """Parameters for which the source's function takes tensors of one rank only: `takes(images)=4`."""
    return [(name, int(rank)) for text in row.facts if text.startswith("takes(")
            for name, rank in [text.removeprefix("takes(").split(")=")]]


def _amount(text: str, fact: Facts) -> int | None:
    """`block_size**2`."""
    name, _, power = text.partition("**")
    base = fact(name).literal(None)
    return base ** int(power or 1) if isinstance(base, int) else None


def is_number(fact: Fact) -> bool:
    """A Python number: a literal, a size, or a setting whose default is one."""
    if fact.kind is not Kind.PLAIN:
        return False
    if fact.values is not None:
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in fact.values)
    return isinstance(fact.payload, Size) or fact.dtype in EXACT + USUAL


def is_exact_number(fact: Fact) -> bool:
    """A number that cannot be a tensor, whoever calls: not only by the default of a parameter."""
    return is_number(fact) and (fact.values is not None or isinstance(fact.payload, Size) or fact.dtype in EXACT)


def is_sequence(fact: Fact) -> bool:
    if isinstance(fact.payload, ShapeOf | Items) or fact.dtype == LIST:
        return True
    return bool(fact.values) and all(isinstance(v, tuple) for v in fact.values or ())


def joined_number(a: Fact, b: Fact) -> str | None:
    """`Fact.dtype` of what is one number or another: as sure as the less sure of the two."""
    kinds = [_number_dtype(a), _number_dtype(b)]
    if None in kinds:
        return None
    if SETTING in kinds:
        return SETTING
    word = "int" if all(str(k).startswith("int") for k in kinds) else "float"
    return word if all(k in EXACT for k in kinds) else word + "?"


def _number_dtype(fact: Fact) -> str | None:
    if fact.dtype == SETTING:
        return SETTING
    if not is_number(fact):
        return None
    if fact.values is None:
        return "int" if isinstance(fact.payload, Size) else fact.dtype
    return "int" if all(isinstance(v, int) for v in fact.values) else "float"
