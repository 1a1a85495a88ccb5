"""torch2tf: truth values that are multiplied: TensorFlow's `*` takes the other tensor for truth values as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.result import Options
from port.translate import translate
from port.verify.parent import Case, verify

NET = """import torch
from torch import nn


def half(x):
    return x / 2


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x, mask):
        y = self.fc(x)
        RESULT
"""


@pytest.mark.parametrize(("result", "written"), [
    ("return x * (x > 0) + y", "x * tf.cast(x > 0, x.dtype) + y"),  # what x holds is not known
    ("return (x > 0) * x + y", "tf.cast(x > 0, x.dtype) * x + y"),
    ("return x[:, 1:] * (y > 0)[:, 1:]", "x[:, 1:] * tf.cast((y > 0)[:, 1:], x.dtype)"),
    ("return half(x) * (y > 0)", "keras.ops.multiply(half(x), y > 0)"),
    ("return torch.mul(x, y > 0)", "x * tf.cast(y > 0, x.dtype)"),
    ("return x + (y > 0)", "x + tf.cast(y > 0, x.dtype)"),
    ("return y * mask", "y * tf.cast(mask, y.dtype)"),  # what a mask holds is not known
    ("return y * ~mask", "y * tf.cast(~mask, y.dtype)"),
    ("return x * mask.unsqueeze(0) + y", "keras.ops.multiply(x, tf.expand_dims(mask, 0)) + y"),
    ("y *= mask\n        return y", "y *= tf.cast(mask, y.dtype)"),
    ("z = x + 0\n        z *= mask\n        return z * y", "z *= tf.cast(mask, z.dtype)"),
    ("y[:, 1:] *= mask[:, 1:]\n        return y", "y[:, 1:] * tf.cast(mask[:, 1:], y.dtype)"),
])
def test_they_are_0_and_1(tmp_path: Path, result: str, written: str) -> None:
    source = NET.replace("RESULT", result)
    if "half(x)" not in result:
        source = source.replace("def half(x):\n    return x / 2\n\n\n", "")
    text = translate(source, "torch2tf").text
    assert written in text, text
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(text, encoding="utf-8")
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf",
                      [Case("Net()", ("f32[2,4]", "b[2,4]"))])
    assert verdict.status == "verified", verdict


def test_also_in_keras_alone() -> None:
    text = translate(NET.replace("RESULT", "return x * (y > 0)"), "torch2tf", Options(target="keras")).text
    assert "x * keras.ops.cast(y > 0, x.dtype)" in text


def test_numbers_that_are_known_are_left_alone() -> None:
    text = translate(NET.replace("RESULT", "return y * self.fc(y) * half(x)"), "torch2tf").text
    assert "return y * self.fc(y) * half(x)" in text
