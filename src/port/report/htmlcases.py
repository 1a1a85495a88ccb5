"""What verification said of each case: its verdict, the errors by layer, and how the weights were paired."""

from __future__ import annotations

from port.report.markup import Html, tag
from port.report.model import CaseVerdict, plural
from port.report.plot import Point, plot
from port.report.verdicts import called
from port.verify.compare import GROUPS, Row
from port.verify.verdict import Verdict


def case(said: CaseVerdict) -> Html:
    kind = said.status.replace(" ", "-")
    head = tag("h4", tag("span", said.status, class_=f"status {kind}"), " ", tag("code", said.case or "no case"))
    parts = [head]
    whole = said.whole
    if whole is not None and whole.case.inputs:
        parts.append(tag("p", "inputs ", tag("code", ", ".join(whole.case.inputs)), class_="inputs"))
    if said.text:
        parts.append(tag("p", said.text, class_="reason"))
    if whole is not None:
        parts += _place(whole)
        parts += [tag("p", f"Declared divergence, corrected for: {text}", class_="dim") for text in whole.divergences]
        if whole.rows:
            parts.append(_errors(whole))
        if whole.pairs:
            parts.append(_pairs(whole))
        if whole.notes:
            parts.append(_folded(plural(len(whole.notes), "note"), tag("ul", *[tag("li", n) for n in whole.notes])))
    return tag("article", *parts, class_=f"case {kind}")


def _place(found: Verdict) -> list[Html]:
    place = found.where
    if place is None or not (place.source_lines or place.ported_lines):
        return []
    sides = (("source", place.layer, place.source_lines), ("port", place.ported_layer, place.ported_lines))
    return [tag("p", f"Found in the {side}: ", tag("code", layer), f", {called(lines)}")
            for side, layer, lines in sides if lines]


def _folded(title: str, *inside: Html) -> Html:
    return tag("details", tag("summary", title), tag("div", *inside, class_="scroll", tabindex=0))


# ---------------------------------------------------------------- errors
def _errors(found: Verdict) -> Html:
    columns, points = by_layer(found)
    name = found.case.name or found.case.call
    dtypes = list(dict.fromkeys(p.dtype for p in points))
    worst = [f"{dtype} {max(p.error for p in points if p.dtype == dtype):.1e}" for dtype in dtypes]
    title = f"Largest relative error by layer of {name}: {', '.join(worst)}; bars are the limits"
    picture = tag("div", plot(title, columns, points), class_="scroll", tabindex=0, role="region",
                  aria_label="errors by layer")
    legend = tag("p", *[x for dtype in dtypes for x in (tag("span", dtype, class_=f"key {dtype}"), " ")],
                 "mark: largest error, bar: its limit. Worst of all: ", ", ".join(worst), class_="legend")
    heads = tag("tr", *[tag("th", h, scope="col") for h in ("layer", "dtype", "error", "limit", "of")])
    rows = [tag("tr", tag("td", columns[p.column]), tag("td", p.dtype), tag("td", f"{p.error:.1e}"),
                tag("td", f"{p.limit:.0e}"), tag("td", p.told), class_="bad" if p.bad else None) for p in points]
    return tag("div", legend, picture, _folded("These errors as a table", tag("table", tag("thead", heads),
                                                                             tag("tbody", *rows))), class_="errors")


def by_layer(found: Verdict) -> tuple[list[str], list[Point]]:
    """The layers in the order of the source, then what belongs to no layer; for each the worst array of a dtype."""
    places: dict[tuple[int, str], dict[str, Row]] = {}
    for row in found.rows:
        held = places.setdefault(_column(found, row), {})
        known = held.get(row.dtype)
        if known is None or row.error / row.limit > known.error / known.limit:
            held[row.dtype] = row
    order = sorted(places)
    points = [Point(n, dtype, row.error, row.limit, row.bad, _told(found, row))
              for n, place in enumerate(order) for dtype, row in places[place].items()]
    return [name for _, name in order], points


def _column(found: Verdict, row: Row) -> tuple[int, str]:
    layer, _, weight = row.name.partition("/")
    if weight and layer.isdecimal() and row.group != "graph":
        number = int(layer)
        return number, found.layers[number] if number < len(found.layers) else f"layer {number}"
    return len(found.layers) + list(GROUPS).index(row.group), GROUPS[row.group]


def _told(found: Verdict, row: Row) -> str:
    place, name = _column(found, row), row.name.partition("/")[2] or row.name
    note = f", {row.note}" if row.note else ""
    figures = f"{row.error:.1e}, limit {row.limit:.0e}"
    return f"{place[1]}: {row.dtype} {GROUPS[row.group]}, {name}, {row.mode}: {figures}{note}"


# ---------------------------------------------------------------- pairs
def _pairs(found: Verdict) -> Html:
    heads = tag("tr", *[tag("th", h, scope="col") for h in ("source", "port", "weights", "paired by")])
    rows = [tag("tr", tag("td", tag("code", p.source)), tag("td", tag("code", p.port)), tag("td", p.weights),
                tag("td", p.how)) for p in found.pairs]
    return _folded(f"{plural(len(rows), 'pair')} of parameters",
                   tag("table", tag("thead", heads), tag("tbody", *rows), class_="pairs"))
