"""Rates of random draws are switched off in layers; numbers that only look like such are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify import verdict
from port.verify.parent import Case, verify

RATED = '''import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self, rate=0.5):
        super().__init__()
        self.rate = rate
        self.drop_prob = 0.1

    def forward(self, x):
        if self.training and self.drop_prob > 0:
            x = x * (torch.rand(x.shape[0], 1) > self.drop_prob)
        return x * self.rate


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.scaled = Scaled()

    def forward(self, x):
        return self.fc(x) + self.scaled(self.fc(x))
'''


@pytest.mark.parametrize(("rate", "status"), [("0.5", verdict.VERIFIED), ("0.25", verdict.MISMATCH)])
def test_a_number_that_inference_reads_is_no_rate_of_draws(tmp_path: Path, rate: str, status: str) -> None:
    """It was set to zero on both sides: a port with another number was verified."""
    (tmp_path / "net.py").write_text(RATED)
    (tmp_path / "ported.py").write_text(translate(RATED, "torch2tf").text.replace("rate=0.5", f"rate={rate}"))
    (found,) = verify(tmp_path / "net.py", tmp_path / "ported.py", "torch2tf", [Case("Net()", ("f32[2,4]",))])
    assert found.status == status, found.message
    assert "dropout switched off in Scaled" in found.notes
