"""Float32 gradients that only one draw of weights and inputs has off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from port.verify import parent, verdict
from port.verify.cases import Case, Settings
from port.verify.compare import Row

CASE = Case("Net()", ("f32[2,3]",))


def found(error: float, dtype: str = "float32") -> verdict.Verdict:
    row = Row(dtype, "dw", 0, "train", "0/kernel", error, 1e-4, 1.0)
    return verdict.Verdict(CASE, verdict.MISMATCH if row.bad else verdict.VERIFIED, "numeric", "", 1e-12, (row,))


@pytest.mark.parametrize(("draws", "status", "seeds"), [
    ((found(0.6), found(1e-6)), verdict.VERIFIED, [0, 1]),
    ((found(0.6), found(0.5), found(1e-6)), verdict.VERIFIED, [0, 1, 2]),
    ((found(0.6), found(0.5), found(0.4)), verdict.MISMATCH, [0, 1, 2]),
    ((found(0.6, "float64"), found(1e-6)), verdict.MISMATCH, [0]),
    ((found(1e-6), found(0.6)), verdict.VERIFIED, [0])])
def test_a_fault_shows_in_any_draw(draws: Any, status: str, seeds: list[int], monkeypatch: pytest.MonkeyPatch,
                                   tmp_path: Path) -> None:
    """What rounding did once is gone with other numbers; anything but float32 gradients is not tried again."""
    asked: list[int] = []

    def run(jobs: list[dict[str, Any]], *_: Any) -> dict[str, str]:
        asked.extend(j["seed"] for j in jobs if j["role"] == "source" and j["seed"] not in asked)
        return {}

    monkeypatch.setattr(parent, "_run", run)
    monkeypatch.setattr(parent, "_verdicts", lambda *_: [draws[asked[-1]]])
    settings = Settings()
    jobs = parent._jobs([tmp_path, tmp_path], ("", ""), ["tf", "torch"], [CASE], settings, tmp_path)
    run(jobs)
    result = parent._judged(jobs[0], jobs[1], {}, [CASE], settings, tmp_path)[0]
    assert (result.status, asked) == (status, seeds)
    told = [n for n in result.notes if f"with seed {seeds[-1]} they agree" in n]
    assert len(told) == (len(seeds) > 1 and status == verdict.VERIFIED)
