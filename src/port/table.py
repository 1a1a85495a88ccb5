"""Rows: one op, both directions, loaded from `mappings/*.yaml` and checked; see docs/rows.md for the grammar."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Param:
    name: str
    default: str | None = None  # source text of the default; None: required
    star: str = ""  # '', '*' or '**'
    keyword_only: bool = False


@dataclass(frozen=True)
class Signature:
    """A callable written as Python: canonical dotted name and parameters. `method`: called on its first parameter."""

    name: str
    params: tuple[Param, ...]
    method: bool = False
    attribute: bool = False  # an attribute or constant: written without parentheses


@dataclass(frozen=True)
class Arg:
    """How one parameter of one side becomes one of the other; see docs/rows.md."""

    to: str
    via: str | None = None
    with_: tuple[str, ...] = ()
    of: str | None = None


@dataclass(frozen=True)
class Row:
    name: str
    tf: tuple[Signature, ...] = ()
    torch: tuple[Signature, ...] = ()  # overloads: the first that can hold the given arguments is used
    call: Signature | None = None  # layers without weights: their form as a function of the input
    args: dict[str, Arg] = field(default_factory=dict)  # tf parameter -> torch parameter
    only: dict[str, tuple[Any, ...]] = field(default_factory=dict)  # tf parameter -> literal values that are allowed
    ignore: tuple[str, ...] = ()  # tf parameters that may be dropped
    ignore_torch: tuple[str, ...] = ()
    fill: dict[str, str] = field(default_factory=dict)  # torch parameter -> fact of the input ('channels', ...)
    facts: tuple[str, ...] = ()  # preconditions, by name
    layout: str = ""  # 'nchw': the op wants channels first in torch, channels last in TF
    expr: dict[str, str] = field(default_factory=dict)  # {'torch': 'x * torch.sigmoid({x})'}: template, see docs
    via: str | None = None  # adapter that builds the whole call
    weights: dict[str, Any] = field(default_factory=dict)
    init: dict[str, str] = field(default_factory=dict)  # tf initialiser parameter -> torch parameter it fills
    differs: str = ""  # the declared divergence, with its formula
    none: str = ""  # no equivalent: what to write instead
    kind: str = ""  # 'layer' | 'function' | 'method' | 'attribute' | 'constant'
    returns: str = ""  # name of the shape rule that inference uses for the result
    attr: str = ""  # layers: the attribute name when the source gives none ('conv')
    sample: tuple[dict[str, Any], ...] = ()
    file: str = ""


def load() -> dict[str, tuple[Row, ...]]:
    """All rows by name."""
    raise NotImplementedError
