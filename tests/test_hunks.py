"""Diffs: whatever two texts are, the hunks lead from one to the other, and `align` loses no line."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from port.report.align import align
from port.report.hunks import Opcode, hunks, opcodes, split
from port.result import Edit, Result

LINES = st.lists(st.sampled_from(["\n", "x = f(1)\n", "x = g(1)\n", "return x\n", "def f(x):\n", "\x0c\n", "y\r\n",
                                  "__cell__ = 1\n"]),
                 max_size=25)


def applied(groups: list[list[Opcode]], before: list[str], after: list[str]) -> list[str]:
    out, at = [], 0
    for group in groups:
        for tag, i, i_end, j, j_end in group:
            assert at <= i
            out += before[at:i]
            assert tag != "equal" or before[i:i_end] == after[j:j_end]
            out += after[j:j_end]
            at = i_end
    return out + before[at:]


@settings(max_examples=300, deadline=None)
@given(LINES, LINES, st.sampled_from([0, 1, 3, 100]))
def test_the_groups_lead_from_one_text_to_the_other(before: list[str], after: list[str], context: int) -> None:
    groups = opcodes(before, after, context)
    assert applied(groups, before, after) == after
    assert bool(groups) == (before != after)
    ends = [(g[0][1], g[-1][2]) for g in groups]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(ends))
    for group in groups:  # a hunk of a notebook stays in its cell
        marks = [n for tag, i, i_end, *_ in group if tag == "equal" for n in range(i, i_end)
                 if before[n].startswith("__cell__")]
        assert all(n == group[0][1] for n in marks)


@settings(max_examples=200, deadline=None)
@given(LINES, LINES)
def test_align_keeps_every_line_in_order(before: list[str], after: list[str]) -> None:
    pairs = align(before, after)
    assert [i for i, _ in pairs if i is not None] == list(range(len(before)))
    assert [j for _, j in pairs if j is not None] == list(range(len(after)))
    assert all(i is not None or j is not None for i, j in pairs)


def test_lines_that_are_alike_stand_side_by_side() -> None:
    before = ["def conv_bn(x, filters, size):", "    x = layers.Conv2D(filters, size)(x)"]
    after = ["def helper(a, b):", "    return a", "class ConvBn:", "    def __init__(self, filters, size):",
             "        self.conv = nn.Conv2d(filters, size)"]
    assert (0, 3) in align(before, after) and (1, 4) in align(before, after)


def test_blank_lines_hold_nothing_together() -> None:
    before = split("def f(x):\n    a\n    b\n    c\n\n\ndef g(x):\n    d\n    e\n    f\n")
    after = split("class F:\n    1\n    2\n    3\n\n\nclass G:\n    4\n    5\n    6\n")
    assert [op[0] for op in opcodes(before, after)[0]] == ["replace"]
    assert [op[0] for op in opcodes(["a\n", "\n", "b\n"], ["c\n", "\n", "d\n"])[0]] == ["replace", "equal", "replace"]


def test_what_was_put_in_is_told_where_it_stands() -> None:
    result = Result("a\nb\n", "a\nnew\nb\n", edits=(Edit(1, 2, "rule classes"), Edit(2, 2, "row x"),
                                                     Edit(9, 9, "row y")))
    assert [h.by for h in hunks(result, ())] == [("rule classes", "row x")]
