"""Float32 gradients that only one draw of weights and inputs has off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from port.verify import kinks, parent, verdict
from port.verify.cases import Case, Settings
from port.verify.compare import Row
from port.verify.draws import Log

CASE = Case("Net()", ("f32[2,3]",))


def found(error: float, name: str = "0/kernel", dtype: str = "float32") -> verdict.Verdict:
    return judged(Row(dtype, "dw", 0, "train", name, error, 1e-4, 1.0))


def judged(*rows: Row) -> verdict.Verdict:
    status = verdict.MISMATCH if any(r.bad for r in rows) else verdict.VERIFIED
    return verdict.Verdict(CASE, status, "numeric", "", 1e-12, rows)


@pytest.mark.parametrize(("draws", "status", "seeds"), [
    ((found(0.6), found(1e-6)), verdict.VERIFIED, [0, 1]),
    ((found(0.6), found(0.5), found(1e-6)), verdict.VERIFIED, [0, 1, 2]),
    ((found(0.6), found(0.5), found(0.4)), verdict.MISMATCH, [0, 1, 2]),
    ((found(0.6), found(0.5, "1/kernel")), verdict.VERIFIED, [0, 1]),
    ((found(0.6), found(0.6), found(0.5, "1/kernel")), verdict.VERIFIED, [0, 1, 2]),
    ((found(0.6), found(0.5, "1/kernel", "float64"), found(1e-6)), verdict.MISMATCH, [0, 1, 2]),
    ((found(0.6, dtype="float64"), found(1e-6)), verdict.MISMATCH, [0]),
    ((found(1e-6), found(0.6)), verdict.VERIFIED, [0])])
def test_a_fault_shows_in_any_draw(draws: Any, status: str, seeds: list[int], monkeypatch: pytest.MonkeyPatch,
                                   tmp_path: Path) -> None:
    """What rounding did is gone, or elsewhere, with other numbers; only float32 gradients are tried again."""
    asked: list[int] = []

    def run(jobs: list[dict[str, Any]], *_: Any) -> dict[str, str]:
        asked.extend(j["seed"] for j in jobs if j["role"] == "source" and j["seed"] not in asked)
        return {}

    monkeypatch.setattr(parent, "_run", run)
    def verdicts(*given: Any) -> list[verdict.Verdict]:
        excused = given[5] if len(given) > 5 else frozenset()
        return [judged(*(kinks.excuse(r, excused) for r in draws[asked[-1]].rows))]

    monkeypatch.setattr(parent, "_verdicts", verdicts)
    settings = Settings()
    jobs = parent._jobs([tmp_path, tmp_path], ("", ""), ["tf", "torch"], [CASE], settings, tmp_path)
    run(jobs)
    result = parent._judged(jobs[0], jobs[1], {}, [CASE], settings, tmp_path)[0]
    assert (result.status, asked) == (status, seeds)
    told = [n for n in result.notes if "a unit at the kink of its activation" in n]
    assert len(told) == (len(seeds) > 1 and status == verdict.VERIFIED)


def test_numbers_of_images_lie_at_the_same_places_in_either_order_of_axes() -> None:
    log = Log()
    with log.shared():
        last = log.numbers("uniform", (2, 16, 12, 4))
    with log.shared():
        first = log.numbers("uniform", (2, 4, 16, 12))
        assert log.numbers("uniform", (2, 16, 16, 4)) is None  # which axis is which?
    assert last is not None and first is not None
    assert np.array_equal(last.transpose(0, 3, 1, 2), first)
    assert len(np.unique(first)) == first.size
