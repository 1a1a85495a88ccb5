"""The changes of one file as hunks: lines of a diff, with the findings and the rows and rules that stand there."""

from __future__ import annotations

import difflib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from port import cells
from port.findings import Finding
from port.result import Result

Opcode = tuple[str, int, int, int, int]
CONTEXT = 3


@dataclass(frozen=True)
class Hunk:
    """Lines before and after, as `slice(*before)` of the source's lines and `slice(*after)` of the translation's."""

    before: tuple[int, int]
    after: tuple[int, int]
    lines: tuple[tuple[str, str], ...]  # ' ', '-' or '+', and the line with its line break
    findings: tuple[Finding, ...] = ()
    by: tuple[str, ...] = ()  # rows and rules, in the order of their lines

    @property
    def head(self) -> str:
        """`@@ -1,4 +1,5 @@ row conv2d`; what follows the second @@ is left to the writer by `patch` and git."""
        place = f"@@ -{_range(*self.before)} +{_range(*self.after)} @@"
        return f"{place} {'; '.join(self.by)}" if self.by else place


def split(text: str) -> list[str]:
    """Lines as Python counts them: a form feed ends none."""
    return io.StringIO(text, newline="").readlines()


def opcodes(before: Sequence[str], after: Sequence[str], context: int = CONTEXT) -> list[list[Opcode]]:
    """Groups of changes, each with so many lines around it."""
    match = difflib.SequenceMatcher(_blank, before, after, autojunk=False)
    refined = [part for op in match.get_opcodes() for part in _refined(op, before, after)]
    return _grouped([part for op in refined for part in _by_cells(op, before)], before, context)


def _blank(line: str) -> bool:
    return not line.strip()


def _by_cells(op: Opcode, before: Sequence[str]) -> list[Opcode]:
    """Lines that stay are parted where a cell of a notebook begins: no hunk goes over that."""
    tag, i, i_end, j, _ = op
    if tag != "equal":
        return [op]
    cuts = [i, *(n for n in range(i + 1, i_end) if _begins_cell(before[n])), i_end]
    return [(tag, a, b, j + a - i, j + b - i) for a, b in pairwise(cuts)]


def _begins_cell(line: str) -> bool:
    return line.startswith(f"{cells.MARK} = ")


def _grouped(found: list[Opcode], before: Sequence[str], context: int) -> list[list[Opcode]]:
    """Changes with `context` lines around them; those nearer than twice that are one group."""
    groups: list[list[Opcode]] = [[]]
    for n, (tag, i, i_end, j, j_end) in enumerate(found):
        if tag == "equal" and n and _begins_cell(before[i]):
            groups.append([])
        if tag != "equal":
            groups[-1].append((tag, i, i_end, j, j_end))
            continue
        near, last = min(context, i_end - i), n == len(found) - 1
        if n and not last and i_end - i <= 2 * context:
            groups[-1].append((tag, i, i_end, j, j_end))
            continue
        if n:
            groups[-1].append((tag, i, i + near, j, j + near))
            groups.append([])
        if not last:
            groups[-1].append((tag, i_end - near, i_end, j_end - near, j_end))
    kept = [[op for op in group if op[1] < op[2] or op[3] < op[4]] for group in groups]
    return [group for group in kept if any(op[0] != "equal" for op in group)]


def _refined(op: Opcode, before: Sequence[str], after: Sequence[str]) -> list[Opcode]:
    """Blank lines are everywhere, and no sign that two places belong together; but they part small changes."""
    tag, i, i_end, j, j_end = op
    if tag != "replace":
        return [op]
    inner = difflib.SequenceMatcher(None, before[i:i_end], after[j:j_end], autojunk=False).get_opcodes()
    sizes = [max(b - a, d - c) for _, a, b, c, d in inner]
    joins = any(op[0] == "equal" and sizes[n] < max(sizes[max(n - 1, 0)], *sizes[n + 1:n + 2], 0)
                for n, op in enumerate(inner))
    return [op] if joins else [(tag, i + a, i + b, j + c, j + d) for tag, a, b, c, d in inner]


def hunks(result: Result, findings: Iterable[Finding], context: int = CONTEXT) -> tuple[Hunk, ...]:
    """The hunks in order; a finding is in the hunk whose lines of the source hold its first line."""
    if not result.changed:
        return ()
    before, after = split(result.source), split(result.text)
    found = sorted(findings)
    return tuple(_hunk(group, before, after, result, found) for group in opcodes(before, after, context))


def _hunk(group: list[Opcode], before: list[str], after: list[str], result: Result, findings: list[Finding]) -> Hunk:
    first, last = group[0], group[-1]
    lines: list[tuple[str, str]] = []
    for tag, i, i_end, j, j_end in group:
        if tag == "equal":
            lines += [(" ", line) for line in before[i:i_end]]
        else:
            lines += [("-", line) for line in before[i:i_end]]
            lines += [("+", line) for line in after[j:j_end]]
    span = first[1], last[2]
    here = tuple(f for f in findings if span[0] < f.line <= span[1])
    return Hunk(span, (first[3], last[4]), tuple(lines), here, behind(group, result))


def behind(group: Iterable[Opcode], result: Result) -> tuple[str, ...]:
    """Rows and rules that rewrote a line which changes here, or a place where lines were put in."""
    changes = [(i + 1, i_end) if i < i_end else (i, i + 1) for tag, i, i_end, _, _ in group if tag != "equal"]
    names = [e.by for e in result.edits if any(e.line <= end and e.end_line >= start for start, end in changes)]
    return tuple(dict.fromkeys(names))


def unified(path: str, found: Iterable[Hunk]) -> list[list[str]]:
    """A diff that `patch` understands: first the two lines of the file, then the lines of each hunk."""
    parts = [_unified(hunk) for hunk in found]
    return [[f"--- {path}", f"+++ {path}"], *parts] if parts else []


def _unified(hunk: Hunk) -> list[str]:
    out = [hunk.head]
    for mark, line in hunk.lines:
        out.append(mark + line.rstrip("\r\n"))
        if not line.endswith(("\n", "\r")):
            out.append("\\ No newline at end of file")
    return out


def _range(start: int, end: int) -> str:
    length = end - start
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"
