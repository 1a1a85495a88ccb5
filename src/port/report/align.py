"""Which line stands beside which, where a block of lines became another one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

_WORD = re.compile(r"\w\w+")
_LIKE = 0.25  # lines that share less of their words are not set beside each other
_LARGE = 250_000  # pairs of lines; beyond that lines stand side by side as they come

Pair = tuple[int | None, int | None]


def align(before: Sequence[str], after: Sequence[str]) -> list[Pair]:
    """Every line of both once, in order: pairs of lines that are alike, and None beside those that have no partner."""
    if len(before) * len(after) > _LARGE:
        return list(zip_longest(range(len(before)), range(len(after))))
    words = [[frozenset(w.lower() for w in _WORD.findall(line)) for line in side] for side in (before, after)]
    likeness = [[_likeness(a, b) for b in words[1]] for a in words[0]]
    best = _best(likeness, len(after))
    pairs: list[Pair] = []
    i, j = 0, 0
    while i < len(before) and j < len(after):
        if likeness[i][j] and best[i][j] == likeness[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return _closed([*pairs, *((n, None) for n in range(i, len(before))), *((None, n) for n in range(j, len(after)))])


def _likeness(a: frozenset[str], b: frozenset[str]) -> float:
    common = len(a & b)
    value = common / (len(a) + len(b) - common) if common else 0.0
    return value if value >= _LIKE else 0.0


def _best(likeness: list[list[float]], width: int) -> list[list[float]]:
    """The most that the lines from i and j on can have in common."""
    best = [[0.0] * (width + 1) for _ in range(len(likeness) + 1)]
    for i in range(len(likeness) - 1, -1, -1):
        row, below, own = best[i], best[i + 1], likeness[i]
        for j in range(width - 1, -1, -1):
            together = own[j] + below[j + 1] if own[j] else 0.0
            row[j] = max(together, below[j], row[j + 1])
    return best


def _closed(pairs: list[Pair]) -> list[Pair]:
    """Lines without a partner between two pairs stand beside each other, to save room."""
    out: list[Pair] = []
    old: list[int | None] = []
    new: list[int | None] = []
    for i, j in [*pairs, (-1, -1)]:
        if i is not None and j is not None:
            out += zip_longest(old, new)
            old, new = [], []
            out.append((i, j))
        elif i is not None:
            old.append(i)
        else:
            new.append(j)
    return out[:-1]
