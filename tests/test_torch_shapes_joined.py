"""torch2tf: shapes that are put together, `x.shape[:1] + (1, 1, 1)`, and tensors of such shapes beside images."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, verify

NET = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.flag = True

    def noise(self, x, shape):
        return x + torch.ones(shape)

    def forward(self, x):
        x = self.conv(x)
        RESULT
"""


@pytest.mark.parametrize("result", [
    "return (x * torch.ones(x.shape[:1] + (1, 1, 1))).mean(1)",  # of one axis, it had been said: broadcast against it
    "return x * x.new_full((x.size(0),) + (1,) * (x.ndim - 1), 2.0)",
    "return self.noise(x, x.shape[:2] + (1, 1)).sum((2, 3))",
    "y = self.flag and x\n        return y",
])
def test_they_have_as_many_axes_as_their_parts(tmp_path: Path, result: str) -> None:
    source = NET.replace("RESULT", result)
    if "noise" not in result:
        source = source.replace("    def noise(self, x, shape):\n        return x + torch.ones(shape)\n\n", "")
    text = translate(source, "torch2tf").text
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(text, encoding="utf-8")
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[2,4,3,5]",))])
    assert verdict.status == "verified", (verdict, text)


def test_a_size_that_is_one_number_makes_one_axis() -> None:
    text = translate(NET.replace("RESULT", "return x * torch.ones(x.shape[3])"), "torch2tf").text
    assert "tf.ones([keras.ops.shape(x)[2]], self.compute_dtype)[..., None]" in text, text
