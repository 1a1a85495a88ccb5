"""How much of what published code calls the tables know, by `mappings/frequency.csv` (call sites in model files)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from port import table
from port.table import Row
from port.torch2tf.binds import names_of

SIDES = {"tf": "TensorFlow and Keras", "torch": "PyTorch", "method": "methods of PyTorch tensors"}
HOW = ("exact", "differs", "rule", "none", "unknown")  # of a symbol; see `how`


@dataclass(frozen=True)
class Use:
    """A symbol, and how often model files call it."""

    side: str
    name: str
    sites: int
    by: str = ""  # 'rule': it has no row, or one for what is left, and a rule serves it as code uses it


@dataclass
class Sum:
    """Call sites and symbols of one side, by how they are served."""

    sites: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOW, 0))
    symbols: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOW, 0))
    missing: list[Use] = field(default_factory=list)  # the most used first

    def covered(self) -> float:
        """The share of call sites that have a row or a rule; one that says why there is no equivalent counts."""
        total = sum(self.sites.values())
        return 1 - self.sites["unknown"] / total if total else 1.0

    def translated(self) -> float:
        """The share of call sites that become code of the other framework, where their arguments allow it."""
        total = sum(self.sites.values())
        return sum(self.sites[kind] for kind in ("exact", "differs", "rule")) / total if total else 1.0


def uses() -> Iterator[Use]:
    """The frequency table, the most used of each side first."""
    with (table.folder() / "frequency.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            yield Use(line["side"], line["name"], int(line["sites"]), line["by"])


def rows_of(side: str, name: str) -> tuple[Row, ...]:
    """The rows that serve a symbol of one side."""
    index = _index(side)
    spelled = [name] if side == "tf" else names_of(name)
    if side == "method" and name.endswith("_"):  # in place, which is what the method without `_` gives
        spelled += names_of(name.rstrip("_"))
    known = next((n for n in spelled if n in index), "")
    return index[known] if known else ()


def how(use: Use) -> str:
    """'exact', 'differs' (a declared divergence), 'rule', 'none' (told that there is no equivalent), or 'unknown'."""
    rows = rows_of(use.side, use.name)
    if not rows or (use.by and all(row.none for row in rows)):
        return use.by or "unknown"
    if all(row.none for row in rows):
        return "none"
    return "differs" if all(row.differs or row.none for row in rows) else "exact"


def sums() -> dict[str, Sum]:
    """By side."""
    out = {side: Sum() for side in SIDES}
    for use in uses():
        kind = how(use)
        out[use.side].sites[kind] += use.sites
        out[use.side].symbols[kind] += 1
        if kind == "unknown":
            out[use.side].missing.append(use)
    for held in out.values():
        held.missing.sort(key=lambda use: -use.sites)
    return out


@cache
def _index(side: str):  # type: ignore[no-untyped-def]
    return table.by_tf_name() if side == "tf" else table.by_torch_name()
