"""Gradients that rounding alone parts: the source is run again to see by how much."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from port.translate import translate
from port.verify import compare, kinks, parent, passes, rounding, store, verdict
from port.verify.parent import Case, verify

# Batch norms that see two numbers per channel: what is left of a gradient behind them is a small difference.
GATES = '''import torch
from torch import nn


class Gate(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Conv2d(width, 12, 1)
        self.bn = nn.BatchNorm2d(12, eps=1e-6)
        self.fc2 = nn.Conv2d(12, width, 1)

    def forward(self, x):
        gate = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.fc2(torch.relu(self.bn(self.fc1(gate)))))


class Net(nn.Module):
    def __init__(self, depth=6, width=24):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*[Gate(width) for _ in range(depth)])

    def forward(self, x):
        return self.blocks(self.conv(x))
'''


@pytest.mark.parametrize(("epsilon", "status"), [("1e-6", verdict.VERIFIED), ("1.001e-6", verdict.MISMATCH)])
def test_float64_gradients_may_lose_what_the_source_itself_loses(tmp_path: Path, epsilon: str, status: str) -> None:
    (tmp_path / "net.py").write_text(GATES)
    ported = translate(GATES, "torch2tf").text
    assert "epsilon=1e-6" in ported
    (tmp_path / "ported.py").write_text(ported.replace("epsilon=1e-6", f"epsilon={epsilon}"))
    found = verify(tmp_path / "net.py", tmp_path / "ported.py", "torch2tf", [Case("Net()", ("f32[2,3,8,8]",))])[0]
    assert found.status == status, found.message
    raised = [r for r in found.rows if r.dtype == "float64" and r.limit > compare.EXACT]
    assert raised or status == verdict.MISMATCH
    assert all(r.group in ("dx", "dw") and r.limit <= compare.MOST for r in raised)


def test_only_gradients_that_are_off_by_little_are_asked_about() -> None:
    def found(dtype: str, group: str, error: float) -> verdict.Verdict:
        row = compare.Row(dtype, group, 0, "train", "0/weight", error, 1e-9, 1.0)
        return verdict.Verdict(Case("Net()"), verdict.MISMATCH, "numeric", "", error, (row,))

    assert kinks.may_be_rounding(found("float64", "dw", 5e-8)) and kinks.may_be_rounding(found("float32", "dx", 0.1))
    assert not kinks.may_be_rounding(found("float64", "dw", 2e-7))
    assert not kinks.may_be_rounding(found("float64", "y", 5e-9))


def test_losses_are_told_for_each_dtype() -> None:
    source = {"float64/dw/0/train/0/weight": np.array([1.0, 2.0]), "float64/y/0/train/0": np.ones(2)}
    again = {"float64/dw/0/train/0/weight": np.array([1.0, 2.0 + 2e-8]), "float64/y/0/train/0": np.zeros(2),
             "float32/dw/0/train/0/weight": np.array([1.0, 2.2])}
    assert compare.losses(source, again) == {"float64/dw/0/train/0/weight": pytest.approx(1e-8),
                                             "float32/dw/0/train/0/weight": pytest.approx(0.1)}


def test_a_run_that_ends_early_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PolyNet was a mismatch: the runs that show what its gradients lose took longer than `--timeout`, in silence."""
    (tmp_path / "net.py").write_text(GATES)
    (tmp_path / "ported.py").write_text(translate(GATES, "torch2tf").text)
    asked = []

    def late(first: dict[str, Any], target: dict[str, Any], role: str, *rest: Any) -> str:
        asked.append((role, first.get("rounded")))
        return "timed out after 5 s"

    monkeypatch.setattr(parent, "_again", late)
    case = Case("Net()", ("f32[2,3,8,8]",))
    (found,) = verify(tmp_path / "net.py", tmp_path / "ported.py", "torch2tf", [case])
    assert found.status == verdict.MISMATCH
    assert found.notes[-1] == (
        "what gradients lose to rounding was not found out in full: another run of the source timed out after 5 s")
    off = {(r.dtype, r.variant, r.mode) for r in found.rows if r.bad}
    assert asked[-1] == ("rounding", {"0": sorted(off)}) and all(mode == "train" for _, _, mode in off)


def test_what_the_runs_showed_so_far_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run is there before the next one starts, and only what is off is run."""
    ran = []

    def run(backend: Any, obj: Any, handles: Any, meta: Any, given: Any, which: Any, number: int, out: Any) -> None:
        ran.append(which)
        out["float64/dw/0/train/0/weight"] = np.array([1.0, 2.0 + 1e-8 * len(ran)])

    class Backend:
        def assign(self, handles: Any, weights: Any) -> None:
            pass

    monkeypatch.setattr(passes, "run", run)
    given = {"w/0/weight": np.ones(2), "float64/dw/0/train/0/weight": np.array([1.0, 2.0])}
    runs = rounding.samples(Backend(), None, None, {}, given, "float64", [(0, "train")])
    losses = [next(runs)["float64/dw/0/train/0/weight"] for _ in range(rounding.RUNS["float64"])]
    assert losses == pytest.approx([0.5e-8, 1e-8, 1.5e-8, 2e-8])
    assert ran == [("float64", 0, "train")] * rounding.RUNS["float64"]


def test_a_case_is_run_in_the_dtypes_in_which_it_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All passes of the other dtype were run where another case was off in that."""
    ran = []

    def samples(backend: Any, obj: Any, handles: Any, meta: Any, given: Any, dtype: str, which: Any) -> Any:
        ran.append((obj, dtype, which))
        yield {f"{dtype}/dw": 0.5}

    class Backend:
        def load(self, job: Any, dtype: str) -> None:
            pass

        def dtype(self, name: str) -> None:
            pass

        def evaluate(self, module: Any, call: str) -> str:
            return call

        def start(self, obj: Any, feed: Any, first: bool) -> None:
            pass

        def units(self, obj: Any) -> tuple[None, None]:
            return None, None

    monkeypatch.setattr(rounding, "samples", samples)
    monkeypatch.setattr(rounding.inputs, "feed", lambda *_: None)
    store.bundle(tmp_path / "source.npz", [({"call": "one"}, {}), ({"call": "two"}, {})], {})
    off = {"0": [("float64", 0, "train")], "1": [("float32", 0, "train"), ("float64", 1, "train")]}
    rounding.run(Backend(), {"rounded": off, "name": "rounding", "path": "net.py"}, tmp_path)
    assert ran == [("two", "float32", [(0, "train")]), ("one", "float64", [(0, "train")]),
                   ("two", "float64", [(1, "train")])]
    assert store.read(tmp_path / "rounding.npz")[0]["found"] == {
        "0": {"float64/dw": 0.5}, "1": {"float32/dw": 0.5, "float64/dw": 0.5}}
