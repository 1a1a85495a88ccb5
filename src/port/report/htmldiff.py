"""A file's two versions side by side, with its findings in the margin."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from port.findings import CATALOGUE, Finding
from port.report.align import align
from port.report.hunks import CONTEXT, Opcode, behind, opcodes, split
from port.report.markup import Html, join, tag
from port.report.model import FileReport

_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
_ALIKE = 0.4  # lines less alike than this are shown as wholly new


def diff(file: FileReport, mark: str) -> Html:
    """The table of a file with a result; `mark` makes the ids of its lines unique."""
    assert file.result is not None
    before, after = split(file.result.source), split(file.result.text)
    margin = _margin(file)
    parts: list[Html] = []
    at = at_after = 0
    for group in opcodes(before, after):
        parts.append(_gap(before, (at, group[0][1]), at_after, margin, mark))
        chips = [_chip(by) for by in behind(group, file.result)]
        heading = tag("tr", tag("th", _place(group), " ", *chips, colspan=5, scope="rowgroup"), class_="head")
        rows = [_row(row, margin, mark) for opcode in group for row in _rows(opcode, before, after)]
        parts.append(tag("tbody", heading, *rows, class_="hunk"))
        at, at_after = group[-1][2], group[-1][4]
    parts.append(_gap(before, (at, len(before)), at_after, margin, mark))
    names = ("line", "source", "line", "translation", "findings")
    head = tag("thead", tag("tr", *[tag("th", name, scope="col") for name in names]))
    columns = [tag("col", class_=name) for name in ("n", "code", "n", "code", "margin")]
    return tag("table", tag("caption", f"{file.path}: source and translation"), tag("colgroup", *columns), head, *parts,
               class_="diff")


Row = tuple[str, int | None, Html, int | None, Html]  # kind, line and text before, line and text after; from 1


def _rows(opcode: Opcode, before: Sequence[str], after: Sequence[str]) -> Iterator[Row]:
    kind, i, i_end, j, j_end = opcode
    pairs = align(before[i:i_end], after[j:j_end]) if kind == "replace" else zip_longest(range(i_end - i),
                                                                                         range(j_end - j))
    for old, new in pairs:
        left = before[i + old].rstrip("\r\n") if old is not None else ""
        right = after[j + new].rstrip("\r\n") if new is not None else ""
        sides = (tag("code", left), tag("code", right))
        if kind == "replace" and old is not None and new is not None:
            sides = _changed(left, right)
        yield (kind, None if old is None else i + old + 1, sides[0], None if new is None else j + new + 1, sides[1])


def _changed(left: str, right: str) -> tuple[Html, Html]:
    """Both lines, what differs marked, where they have enough in common."""
    a, b = _TOKEN.findall(left), _TOKEN.findall(right)
    match = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if match.ratio() < _ALIKE:
        return tag("code", left), tag("code", right)
    old: list[object] = []
    new: list[object] = []
    for kind, i, i_end, j, j_end in match.get_opcodes():
        was, is_ = "".join(a[i:i_end]), "".join(b[j:j_end])
        old.append(was if kind == "equal" or not was.strip() else tag("del", was))
        new.append(is_ if kind == "equal" or not is_.strip() else tag("ins", is_))
    return tag("code", *old), tag("code", *new)


def _row(row: Row, margin: dict[int, list[Html]], mark: str) -> Html:
    kind, line, left, new_line, right = row
    notes = margin.get(line or 0, [])
    cells = (
        tag("td", "" if line is None else line, class_="n"),
        tag("td", left if line is not None else "", class_="code old" if line is not None else "code none"),
        tag("td", "" if new_line is None else new_line, class_="n"),
        tag("td", right if new_line is not None else "", class_="code new" if new_line is not None else "code none"),
        tag("td", *notes, class_="margin"),
    )
    return tag("tr", *cells, class_=kind, id=f"{mark}-{line}" if line is not None else None)


def _gap(before: Sequence[str], span: tuple[int, int], at: int, margin: dict[int, list[Html]], mark: str) -> Html:
    """Lines that stay, between two hunks: folded by the page's script where they are many and nothing is said there."""
    start, end = span
    if start == end:
        return Html("")
    rows = [_row(("equal", n + 1, tag("code", before[n].rstrip("\r\n")), at + n - start + 1,
                  tag("code", before[n].rstrip("\r\n"))), margin, mark) for n in range(start, end)]
    quiet = end - start > CONTEXT and not any(n + 1 in margin for n in range(start, end))
    return tag("tbody", *rows, class_="fold" if quiet else "same")


def _place(group: Sequence[Opcode]) -> str:
    first, last = group[0], group[-1]
    return f"lines {first[1] + 1} to {last[2]}" if last[2] > first[1] else f"after line {first[1]}"


def _chip(by: str) -> Html:
    kind, _, name = by.partition(" ")
    return tag("span", tag("b", kind), " ", name, class_="by")


# ---------------------------------------------------------------- findings
def _margin(file: FileReport) -> dict[int, list[Html]]:
    lines: dict[int, list[Html]] = {}
    for finding, accepted in _all(file):
        lines.setdefault(max(finding.line, 1), []).append(note(file, finding, accepted))
    return lines


def _all(file: FileReport) -> Iterable[tuple[Finding, bool]]:
    return sorted([(f, False) for f in file.findings] + [(f, True) for f in file.accepted])


def note(file: FileReport, finding: Finding, accepted: bool) -> Html:
    """One finding: a line that opens to the whole message, what it means and what to do."""
    code = CATALOGUE[finding.code]
    outcome = code.outcome.value
    label = tag("span", finding.code, class_="id")
    summary = tag("summary", label, " ", tag("span", outcome, class_="outcome"), " ",
                  tag("span", finding.message, class_="brief"))
    told = [tag("p", finding.message, class_="message")]
    if accepted:
        told.append(tag("p", "Accepted by a comment in the source."))
    if finding.symbol:
        told.append(tag("p", "It is about ", tag("code", finding.symbol), "."))
    told += [tag("p", tag("b", f"{code.title}. "), code.what), tag("p", tag("b", "What to do: "), code.do)]
    cell, line = file.place(finding.line)
    place = (f"cell {cell}, " if cell else "") + f"line {line}, column {finding.column + 1}"
    return tag("details", summary, tag("div", tag("p", place, class_="place"), *told),
               class_=f"finding {outcome}" + (" accepted" if accepted else ""), data_outcome=outcome,
               data_code=finding.code)


def notes(file: FileReport) -> Html:
    """The findings of a file that has no table to stand beside."""
    return join(note(file, finding, accepted) for finding, accepted in _all(file))
