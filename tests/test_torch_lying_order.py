"""torch2tf: functions that depend on the order in which an image's numbers lie, or on an axis that is not written."""

from __future__ import annotations

from pathlib import Path

from port.translate import translate
from port.verify.parent import Case, verify

NET = """import torch
from torch import nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        x = self.conv(x)
        RESULT
"""
RESULTS = {
    "x.fliplr()": "Net", "torch.flipud(x)": "Up", "x.roll(3)": "Roll", "x.roll(1, 1)": "RollOne",
    "x.argmax()": "Max", "torch.argmin(x)": "Min", "x.argmax(1)": "MaxOne",
    "x.kthvalue(2, dim=1)[0]": "Kth", "x.kthvalue(2)[0]": "KthLast",
    "F.one_hot((x > 0).long(), 2).float()": "Hot", "F.one_hot(x.argmax(1), 4).float()": "HotOne",
}


def test_images_give_what_they_give_channels_first(tmp_path: Path) -> None:
    start, net = NET.split("class Net", 1)
    source = start + "\n\n".join("class " + name + net.replace("RESULT", f"return {result}")
                                 for result, name in RESULTS.items())
    text = translate(source, "torch2tf").text
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(text, encoding="utf-8")
    verdicts = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf",
                      [Case(f"{name}()", ("f32[2,4,3,5]",)) for name in RESULTS.values()])
    assert [v.case.call for v in verdicts if v.status != "verified"] == [], verdicts


def test_so_it_is_of_what_is_drawn() -> None:
    text = translate(NET.replace("RESULT", "return F.gumbel_softmax(x, dim=1)"), "torch2tf").text
    assert "gumbel_softmax(x, tau=1, dim=-1)" in text, text
