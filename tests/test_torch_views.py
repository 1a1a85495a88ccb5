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


def test_what_a_layer_norm_takes_along_its_last_axis_keeps_its_size(tmp_path: Path) -> None:
    source = START + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(6)
        self.flat = nn.LayerNorm(12)

    def forward(self, x: torch.Tensor):
        b = x.size(0)
        y = self.norm(x.view(b, 2, -1))
        return y.reshape(b, -1, 6), self.flat(x.flatten(1))
"""
    text = ported(tmp_path, source)
    assert "self.norm(view(x, (b, 2, -1)))" in text and "self.flat(flatten(x, 1))" in text
    assert "tf.reshape(y, (b, -1, 6))" in text  # the last size is given
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[3,2,3,2]",))])
    assert verdict.status == "verified" and "traced" not in str(verdict.notes), verdict


GATES = START + """class Net(nn.Module):
    def __init__(self, c=4):
        super().__init__()
        self.conv = nn.Conv2d(3, c, 1)
        self.fc = nn.Linear(c, c)
        self.at = nn.Linear(15, 15)
        self.scale = nn.Parameter(torch.randn(c))

    def forward(self, x):
        x = self.conv(x)
        b, c, h, w = x.size()
        y = x.mean((2, 3))
        GATE
        return GATED
"""


@pytest.mark.parametrize(("gate", "gated", "written"), [
    ("y = self.fc(y).view(b, c, 1, 1)", "x * y.expand_as(x)", "x * tf.broadcast_to(y, tf.shape(x))"),
    ("y = self.fc(y).view(b, c, 1, 1)", "x * y.sigmoid()", "y = tf.reshape(self.fc(y), (b, 1, 1, c))"),
    ("y = torch.reshape(self.fc(y), (b, -1, 1, 1))", "x + y", "y = tf.reshape(self.fc(y), (b, 1, 1, -1))"),
    ("y = self.fc(y)[:, :, None, None]", "torch.where(y > 0, x, y)", "y = self.fc(y)[:, None, None]"),
    ("y = self.fc(y)[:, :1, None, None]", "x * y", "y = self.fc(y)[:, None, None, :1]"),
    ("y = self.fc(y)[:1, :, None, None]", "x * y", "y = self.fc(y)[:1, None, None]"),
    ("y = self.fc(y)[:, ..., None, None]", "x * y", "y = self.fc(y)[:, None, None]"),
    ("y = self.fc(y)[..., None, None]", "x - torch.relu(y)", "y = self.fc(y)[:, None, None]"),
    ("y = self.fc(y)", "x * y.unsqueeze(-1).unsqueeze(-1)", "x * y[:, None, None]"),
    ("y = self.fc(y)", "x * y.unsqueeze(2).unsqueeze(3)", "x * y[:, None, None]"),
    ("y = self.scale.view(1, -1, 1, 1)", "x * y", "y = tf.reshape(self.scale, (1, 1, 1, -1))"),
    ("y = self.at(x.mean(1).flatten(1)).view(b, 1, h, w)", "x * y", ", (b, h, w, 1))"),
    ("one = 1; y = self.fc(y).view(b, c, one, one)", "x * y", "x * tf.transpose(y, [0, 2, 3, 1])"),
    ("y = self.fc(y).view(b, c, 1, 1)", "x.flatten(2) * y.flatten(2)", "y = tf.reshape(self.fc(y), (b, c, 1, 1))"),
    ("y = self.fc(y).view(b, c, 1, 1); z = y.squeeze(-1) + 1", "x * y + z.unsqueeze(-1)", "(b, 1, 1, c)"),
    ("y = self.fc(y).view(b, 2, -1, 1)", "x.view(b, 2, -1, h * w) * y", "y = tf.reshape(self.fc(y), (b, 2, -1, 1))"),
])
def test_views_over_the_channels_are_written_where_images_have_them(tmp_path: Path, gate: str, gated: str,
                                                                    written: str) -> None:
    text = ported(tmp_path, GATES.replace("GATED", gated).replace("GATE", gate))
    assert written in text, text
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[2,3,5,3]",))])
    assert verdict.status == "verified", verdict
