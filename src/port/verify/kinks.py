"""What several draws of a case say together, where float32 gradients alone were off in the first one.

A unit at the kink of its activation is on or off by rounding, and with it the gradients before it are off: which unit
it is hangs on the weights and inputs that were drawn. A fault of the port hangs on neither. So an array is at fault
if it is off in every draw. (Measured on InceptionV3, whose last batch norms have two values per channel: of 1188
arrays 1, 1 and 2 were off in three draws, by 0.06 to 0.29, none of them twice; float64 agrees to 4e-11.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from . import verdict
from .compare import MOST, Row
from .verdict import Verdict

Array = tuple[str, int, str, str]  # of a float32 run: group, variant, mode, name


def may_be_rounding(found: Verdict) -> bool:
    """Are gradients off, and nothing else, and in float64 by no more than a bad condition can make of rounding?"""
    return found.status == verdict.MISMATCH and found.stage == "numeric" and all(
        r.group in ("dx", "dw") and (r.dtype == "float32" or r.error <= MOST) for r in found.rows if r.bad)


def only(found: Verdict) -> bool:
    """Is a float32 gradient off, and nothing else?"""
    return found.status == verdict.MISMATCH and found.stage == "numeric" and all(
        _is_gradient(r) for r in found.rows if r.bad)


def off(found: Verdict) -> frozenset[Array]:
    return frozenset(_array(r) for r in found.rows if r.bad)


def by_chance(draws: Sequence[Verdict]) -> bool:
    """Is no array off in every draw, and nothing else in any?"""
    if any(v.status != verdict.VERIFIED and not only(v) for v in draws):
        return False
    return not frozenset.intersection(*(off(v) for v in draws))


def excuse(row: Row, excused: frozenset[Array]) -> Row:
    if row.bad and _is_gradient(row) and _array(row) in excused:
        return replace(row, limit=row.error, note="not off with another seed")
    return row


def told(last: Verdict, draws: Mapping[int, Verdict]) -> Verdict:
    """The verdict of the last draw, with what the others showed."""
    by = {seed: max((r.error for r in v.rows if r.bad), default=0.0) for seed, v in draws.items()}
    were = " and ".join(f"with seed {seed} by {error:.1e}" for seed, error in by.items() if error)
    end = "none of them with every seed" if all(by.values()) else f"with seed {list(by)[-1]} they agree"
    note = f"float32 gradients were off {were}, {end}: a unit at the kink of its activation, on or off by rounding"
    return replace(last, worst=max(v.worst for v in draws.values()), notes=(*last.notes, note))


def _is_gradient(row: Row) -> bool:
    return row.dtype == "float32" and row.group in ("dx", "dw")


def _array(row: Row) -> Array:
    return row.group, row.variant, row.mode, row.name
