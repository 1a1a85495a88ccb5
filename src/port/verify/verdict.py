"""What a verification says about one case."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from .cases import Case
from .compare import Row

VERIFIED, MISMATCH, UNVERIFIED, ERROR = "verified", "mismatch", "not verified", "error"
NOTHING = "no model or builder was found in the source; say --call 'Model(...)' --input 'f32[...]'"


@dataclass(frozen=True)
class PairLine:
    """One paired layer, as shown."""

    source: str
    port: str
    weights: str
    how: str


@dataclass(frozen=True)
class Place:
    """Where the port first leaves the source; lines are those of the call, innermost first.

    Those of a notebook are text: 'cell 3 line 2'.
    """

    text: str
    layer: str = ""
    ported_layer: str = ""
    source_lines: tuple[int | str, ...] = ()
    ported_lines: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    case: Case
    status: str  # verified | mismatch | not verified | error
    stage: str = ""  # the last stage reached: load | pairing | interface | numeric | graph | behaviour
    message: str = ""
    worst: float = math.nan  # worst float64 error (float32 if nothing else ran)
    rows: tuple[Row, ...] = ()
    pairs: tuple[PairLine, ...] = ()
    where: Place | None = None
    attributed: tuple[str, ...] = ()  # constants that the source's framework rounds to float32
    divergences: tuple[str, ...] = ()  # declared ones that were found and corrected for
    notes: tuple[str, ...] = field(default=())
    layers: tuple[str, ...] = ()  # of the source: a row named 'i/kernel' speaks of the i-th
    backend: str = ""  # of a Keras port, where several were asked for

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: infinities and NaN become text."""
        return _plain(asdict(self))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
