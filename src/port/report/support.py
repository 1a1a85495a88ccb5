"""`port ops --coverage`, and docs/ops.md: what the tables know of what published code calls."""

from __future__ import annotations

from collections.abc import Iterator

from port import coverage, table
from port.coverage import SIDES, Sum

TIERS = {
    "exact": "a row, proven equal by its samples", "differs": "a row with a declared, bounded divergence",
    "rule": "a rule of the translator", "none": "a row or rule that says why there is no equivalent",
    "unknown": "neither"}
MOST = 25


def text() -> str:
    """For the terminal."""
    out = []
    for side, held in coverage.sums().items():
        out.append(f"{SIDES[side]}: {held.covered():.1%} of {sum(held.sites.values())} call sites in model files, "
                   f"{held.translated():.1%} translated")
        out += [f"  {held.sites[kind]:7} sites  {held.symbols[kind]:5} symbols  {TIERS[kind]}" for kind in TIERS]
        out.append("  most used without: " + ", ".join(f"{u.name} ({u.sites})" for u in held.missing[:10]))
    return "\n".join(out)


def page() -> str:
    """docs/ops.md"""
    head = ("# What is supported\n\nWritten by `port ops --page` from `mappings/` and the frequency table beside it; "
            "`port ops NAME` shows a row with its signatures, what differs, and an example.\n")
    parts = [head, "## Rows\n", *_rows()]
    for side, held in coverage.sums().items():
        parts += [f"\n## {SIDES[side]}\n", *_side(held)]
    return "\n".join(parts) + "\n"


def _rows() -> Iterator[str]:
    every = [row for group in table.load().values() for row in group]
    yield "| rows | |\n|---|---|"
    told = [row for row in every if row.none]
    differs = [row for row in every if row.differs and not row.none]
    yield f"| {len(every) - len(told) - len(differs)} | exact: proven by their samples, forward and gradient |"
    yield f"| {len(differs)} | with a declared, bounded divergence, always reported |"
    yield f"| {len(told)} | no equivalent: they say what to write instead |"


def _side(held: Sum) -> Iterator[str]:
    total = sum(held.sites.values())
    yield (f"{held.covered():.1%} of {total} call sites in model files of published packages are known, "
           f"{held.translated():.1%} translated.\n")
    yield "| call sites | symbols | served by |\n|---|---|---|"
    for kind, meaning in TIERS.items():
        yield f"| {held.sites[kind]} | {held.symbols[kind]} | {meaning} |"
    yield f"\nThe most used of which nothing is known yet: {_names(held)}."


def _names(held: Sum) -> str:
    return ", ".join(f"`{use.name}` ({use.sites})" for use in held.missing[:MOST])
