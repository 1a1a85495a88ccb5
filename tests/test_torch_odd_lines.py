"""torch2tf: shifts, parts that are swapped, sizes that are joined, suites on one line."""

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
        self.norm = nn.LayerNorm(5)

    def forward(self, x, i):
        x = self.norm(x)
        RESULT
"""


@pytest.mark.parametrize(("lines", "written"), [
    ("return x * (i >> 1).float()", "keras.ops.right_shift(i, 1)"),
    ("i = i + 1\n        i <<= 2\n        return x * (1 << i).float()", "i = keras.ops.left_shift(i, 2)"),
    ("j = i + 1\n        j[0] >>= 1\n        return x * j.float()", "np.s_[0], keras.ops.right_shift(j[0], 1))"),
    ("return torch.cat([x, x.new_zeros((x.shape[0],) + tuple(x.shape[1:]))])",
     "tf.zeros((keras.ops.shape(x)[0],) + tuple(keras.ops.shape(x)[1:]), x.dtype)"),
    ("return x + torch.zeros([x.size(0)] + [1])", "tf.zeros([keras.ops.shape(x)[0]] + [1], self.compute_dtype)"),
    ("with torch.no_grad(): s = x.std(); s = s + 1\n        return x / s", "s = tf.stop_gradient(s)"),
])
def test_they_give_what_they_give_in_pytorch(tmp_path: Path, lines: str, written: str) -> None:
    source = NET.replace("RESULT", lines)
    result = translate(source, "torch2tf")
    assert written in result.text, (result.findings, result.text)
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(result.text, encoding="utf-8")
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf",
                      [Case("Net()", ("f32[2,5]", "i64[2,5]<7"))])
    assert verdict.status == "verified", verdict


@pytest.mark.parametrize("lines", ["y[0], y[1] = x[1], x[0]", "z = y[0] = x[1]", "(a, y[0]), b = (1, x[0]), 2"])
def test_parts_that_are_written_together_are_refused(lines: str) -> None:
    result = translate(NET.replace("RESULT", f"y = x * 1\n        {lines}\n        return y"), "torch2tf")
    assert [f.code for f in result.findings if f.code >= "P2"] == ["P206"], result.text
