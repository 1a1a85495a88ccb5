"""`x // y` of floats: TensorFlow rounds x / y down, PyTorch divides what is left of x without a rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, verify

TF = """import keras
import tensorflow as tf


class Net(keras.Model):
    def call(self, x):
        y = tf.zeros_like(x) + 1.0
        return RESULT
"""
TORCH = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(6)

    def forward(self, x):
        y = self.norm(x).detach() * 0 + 1.0
        return RESULT
"""


def check(folder: Path, source: str, port: str, direction: str) -> None:
    (folder / "source.py").write_text(source, encoding="utf-8")
    (folder / "port.py").write_text(port, encoding="utf-8")
    verdict, = verify(folder / "source.py", folder / "port.py", direction, [Case("Net()", ("f32[2,6]",))])
    assert verdict.status == "verified", verdict


@pytest.mark.parametrize(("source", "direction", "result", "written"), [
    (TF, "tf2torch", "y // 0.1", "torch.floor(y / 0.1)"),
    (TF, "tf2torch", "tf.math.floordiv(tf.cast(y, tf.float32), 0.1)", "torch.floor(y.to(torch.float32) / 0.1)"),
    (TORCH, "torch2tf", "y // 0.1", "tf.round((y - tf.math.floormod(y, 0.1)) / 0.1)"),
    (TORCH, "torch2tf", "torch.floor_divide(y, 0.1)", "tf.round((y - tf.math.floormod(y, 0.1)) / 0.1)"),
    (TORCH, "torch2tf", "torch.div(y, 0.1, rounding_mode='floor')", "tf.round((y - tf.math.floormod(y, 0.1)) / 0.1)"),
])
def test_it_gives_what_the_source_gives(tmp_path: Path, source: str, direction: str, result: str, written: str) -> None:
    source = source.replace("RESULT", result)
    text = translate(source, direction).text
    assert written in text, text
    check(tmp_path, source, text, direction)


@pytest.mark.parametrize(("source", "direction", "written"), [
    (TF, "tf2torch", "y = torch.floor(y / 0.1)"),
    (TORCH, "torch2tf", "y = tf.round((y - tf.math.floormod(y, 0.1)) / 0.1)"),
])
def test_so_it_is_of_what_is_divided_in_place(tmp_path: Path, source: str, direction: str, written: str) -> None:
    source = source.replace("return RESULT", "y //= 0.1\n        return y")
    text = translate(source, direction).text
    assert written in text, text
    check(tmp_path, source, text, direction)


@pytest.mark.parametrize(("line", "written"), [
    ("y[:, 1:] //= 0.1", ""), ("x = y.clone()\n        y[0] //= x[1]", ""), ("y[:, 1:] //= 0.5", "y[:, 1:] // 0.5")])
def test_parts_that_are_divided_in_place_are_told(line: str, written: str) -> None:
    result = translate(TORCH.replace("return RESULT", f"{line}\n        return y"), "torch2tf")
    assert [f.code for f in result.findings] == ([] if written else ["P101"]), result.text
    assert written in result.text


def test_so_it_is_of_images() -> None:
    source = """import keras
from keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 1)

    def call(self, x):
        return self.conv(x) // 0.1
"""
    assert "torch.floor(self.conv(x) / 0.1).permute(0, 2, 3, 1)" in translate(source, "tf2torch").text


@pytest.mark.parametrize(("source", "direction"), [(TF, "tf2torch"), (TORCH, "torch2tf")])
@pytest.mark.parametrize(("result", "told"), [("x // 3", True), ("x // 2", False), ("x // 0.5", False)])
def test_a_finding_says_so_where_it_is_not_known_what_is_divided(source: str, direction: str, result: str,
                                                                 told: bool) -> None:
    found = [f for f in translate(source.replace("RESULT", result), direction).findings if "1 // 0.1" in f.message]
    assert [f.code for f in found] == ["P101"] * told
