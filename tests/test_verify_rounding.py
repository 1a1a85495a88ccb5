"""Gradients that rounding alone parts: the source is run again to see by how much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from port.translate import translate
from port.verify import compare, kinks, verdict
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
