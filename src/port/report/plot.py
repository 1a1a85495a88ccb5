"""Errors by layer on a logarithmic scale, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from port.report.markup import Html, tag

STEP, LEFT, TOP, HEIGHT = 16, 54, 14, 200
LABEL = 24  # characters of a layer's name below its column


@dataclass(frozen=True)
class Point:
    """The worst array of one dtype in one column."""

    column: int
    dtype: str
    error: float  # inf where shapes differ or one side has no such array
    limit: float
    bad: bool
    told: str


def plot(title: str, columns: Sequence[str], points: Sequence[Point]) -> Html:
    """One column for each layer, a mark for each dtype, and its limit as a bar; zero stands at the foot."""
    low, high = _decades(points)
    width = LEFT + STEP * len(columns) + 20
    bottom = 24 + 5.3 * min(LABEL, max(map(len, columns), default=0))

    def y(value: float) -> float:
        if value <= 0:
            return TOP + HEIGHT
        if math.isinf(value):
            return TOP
        return TOP + HEIGHT * (1 - (math.log10(value) - low) / (high - low))

    parts = [tag("title", title), *_axis(low, high, y, width)]
    for n, name in enumerate(columns):
        short = name if len(name) <= LABEL else f"{name[:LABEL - 1]}…"
        x = LEFT + STEP * (n + 0.5)
        parts.append(tag("text", tag("title", name), short, class_="label", text_anchor="end", x=0, y=0,
                         transform=f"translate({x + 3:g} {TOP + HEIGHT + 10}) rotate(-60)"))
    if any(math.isinf(point.error) for point in points):
        parts.append(tag("text", "inf", x=LEFT - 6, y=TOP, text_anchor="end", dominant_baseline="middle"))
    parts += [mark for point in points for mark in _marks(point, y)]
    return tag("svg", *parts, role="img", aria_label=title, viewBox=f"0 0 {width:g} {TOP + HEIGHT + bottom:g}",
               width=f"{width:g}", height=f"{TOP + HEIGHT + bottom:g}", class_="plot")


def _decades(points: Sequence[Point]) -> tuple[int, int]:
    """Whole decades that hold every error and limit, with room for 0 below and infinity above."""
    known = [math.log10(v) for p in points for v in (p.error, p.limit) if v > 0 and math.isfinite(v)] or [-9.0]
    return math.floor(min(known)) - 1, math.ceil(max(known)) + 1


def _axis(low: int, high: int, y: object, width: float) -> list[Html]:
    assert callable(y)
    out = []
    every = 1 if high - low <= 10 else 2
    for decade in range(low + 1, high):
        at = f"{y(10.0 ** decade):.1f}"
        out.append(tag("line", x1=LEFT, x2=f"{width - 10:g}", y1=at, y2=at, class_="grid"))
        if (high - 1 - decade) % every == 0:
            out.append(tag("text", f"1e{decade}", x=LEFT - 6, y=at, text_anchor="end", dominant_baseline="middle"))
    foot = TOP + HEIGHT
    out.append(tag("line", x1=LEFT, x2=f"{width - 10:g}", y1=foot, y2=foot, class_="foot"))
    out.append(tag("text", "0", x=LEFT - 6, y=foot, text_anchor="end", dominant_baseline="middle"))
    return out


def _marks(point: Point, y: object) -> list[Html]:
    assert callable(y)
    shift = -3 if point.dtype == "float64" else 3
    x, at, limit = LEFT + STEP * (point.column + 0.5) + shift, y(point.error), y(point.limit)
    kind = f"{point.dtype}{' bad' if point.bad else ''}"
    bar = tag("line", x1=f"{x - 3:g}", x2=f"{x + 3:g}", y1=f"{limit:.1f}", y2=f"{limit:.1f}", class_=f"limit {kind}")
    told = tag("title", point.told)
    if point.dtype == "float64":
        return [bar, tag("circle", told, cx=f"{x:g}", cy=f"{at:.1f}", r=4.5 if point.bad else 3, class_=f"mark {kind}")]
    corners = f"{x:g},{at - 4:.1f} {x + 4:g},{at:.1f} {x:g},{at + 4:.1f} {x - 4:g},{at:.1f}"
    return [bar, tag("polygon", told, points=corners, class_=f"mark {kind}")]
