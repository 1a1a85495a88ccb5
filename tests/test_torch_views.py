"""torch2tf: views with -1 in them, whose size a later line must know."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, verify

START = """import torch
from torch import nn
import torch.nn.functional as F


"""
SPLITS = START + """class Gates(nn.Module):
    def __init__(self, radix):
        super().__init__()
        self.radix = radix

    def forward(self, x):
        batch = x.size(0)
        x = x.view(batch, self.radix, -1)
        x = F.softmax(x, dim=1)
        return x.reshape(batch, -1)


class Net(nn.Module):
    def __init__(self, channels=6, radix=2):
        super().__init__()
        self.radix = radix
        self.fc = nn.Linear(channels, channels * radix)
        self.gates = Gates(radix)

    def forward(self, x):
        batch, channels = x.shape[:2]
        gates = self.gates(self.fc(x))
        gates = gates.view(batch, -1, 1)
        parts = torch.split(gates, channels, dim=1)
        rest = x.view(batch, -1)
        return sum([part.view(batch, channels) * x ** i for i, part in enumerate(parts)]) + rest
"""


def ported(tmp_path: Path, source: str) -> str:
    result = translate(source, "torch2tf")
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(result.text, encoding="utf-8")
    return result.text


def test_what_a_split_divides_keeps_its_size_when_the_batch_is_open(tmp_path: Path) -> None:
    text = ported(tmp_path, SPLITS)
    assert "x = view(x, (batch, self.radix, -1))" in text and "return view(x, (batch, -1))" in text
    assert "gates = view(gates, (batch, -1, 1))" in text
    assert "rest = tf.reshape(x, (batch, -1))" in text  # no split divides it
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[3,6]",))])
    assert verdict.status == "verified" and "traced" not in str(verdict.notes), verdict


@pytest.mark.parametrize(("size", "written"), [("x.size(0)", "12"), ("x.size(1)", "-1"), ("x.size(0) * 2", "-1")])
def test_the_number_is_written_out_behind_the_batch_only(tmp_path: Path, size: str, written: str) -> None:
    source = START + f"""class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        y = self.conv(x).reshape(x.size(0), 2, 2, 3)
        return y.reshape({size.replace("x.", "y.")}, -1)
"""
    assert f", {written}))" in ported(tmp_path, source).rpartition("return")[2]
