"""Rows of random numbers: what tests/test_rows.py cannot see, that both frameworks draw from one distribution."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch_row_cases
from test_rows import last_line, torch_text
from test_torch_rows import translated

from port.prove import numbers
from port.prove.cases import Case, tf_cases

TIMES = 400  # calls of each case, whose numbers are put together
CERTAIN = 3.0  # Kolmogorov-Smirnov: of 10**7 pairs of samples of one distribution, less than one is further apart
ANY_MEMORY = ("torch.empty", "x.new_empty", "torch.Tensor(", "torch.FloatTensor(")  # any numbers at all
AGAIN = '''


def _f(**given):
    import numpy

    drawn = numpy.stack([numpy.asarray(once(**given)) for _ in range({times})])
    return drawn if drawn.dtype.kind in "fiub" else None  # a generator, a name


once, f = f, _f
'''


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """The largest distance of the distribution functions of two samples, in units of what chance makes of it."""
    a, b = np.sort(a.ravel()), np.sort(b.ravel())
    at = np.concatenate([a, b])
    gap = np.abs(np.searchsorted(a, at, "right") / a.size - np.searchsorted(b, at, "right") / b.size).max()
    return float(gap / np.sqrt(1 / a.size + 1 / b.size))


def written(direction: str) -> Iterator[tuple[Case, str, str]]:
    """Cases of rows that draw, as TensorFlow and as PyTorch; one with a seed draws the same each time."""
    found = tf_cases() if direction == "tf2torch" else torch_row_cases.cases()
    for case in found:
        if case.row.draws and not any(text in case.source for text in ("seed=", "stateless", *ANY_MEMORY)):
            text, fault = torch_text(case) if direction == "tf2torch" else translated(case, "tf")
            if not fault:  # tests of rows say which may have one
                yield (case, case.source, text) if direction == "tf2torch" else (case, text, case.source)


@pytest.mark.parametrize("direction", ["tf2torch", "torch2tf"])
def test_both_frameworks_draw_from_one_distribution(direction: str, tmp_path: Path) -> None:
    cases = list(written(direction))
    again = AGAIN.format(times=TIMES)
    texts = {"tf": {c.id: tf + again for c, tf, _ in cases}, "torch": {c.id: torch + again for c, _, torch in cases}}
    done = numbers.run_both([c for c, _, _ in cases], texts, tmp_path, {}, once=True)
    wrong, seen = [], set()
    for case, tf, torch in cases:
        run = f"{case.id}|{(case.row.dtypes or numbers.DTYPES)[0]}"
        if errors := [outcome.errors[run] for outcome in done.values() if run in outcome.errors]:
            wrong.append(f"{case.id}: {errors}")
            continue
        ours, theirs = (done[side].arrays.get(run, {}).get("result 0") for side in ("tf", "torch"))
        if ours is None and theirs is None:
            continue
        if ours is None or theirs is None or (gap := apart(ours, theirs)) > CERTAIN:
            wrong.append(f"{case.id}: {0 if ours is None or theirs is None else gap:.1f} of {CERTAIN}\n"
                         f"    {last_line(tf)}\n    {last_line(torch)}")
        seen.add(case.row.name)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
    assert len(seen) > 10
