"""PyTorch takes no negative steps: the axis is flipped first."""

from __future__ import annotations

from pathlib import Path

from port.translate import translate
from port.verify.parent import Case, Settings, verify

SOURCE = """import keras
import tensorflow as tf
from keras import layers


class Steps(keras.Model):
    def call(self, x):
        return (x[..., ::-1], x[:, ::-1, 1:], x[:, 1, ::-1], x[0, ::-1], x[:, tf.newaxis, ::-2], x[::-1, ..., ::-2],
                x[..., 0, tf.newaxis, ::-1], x[:, ::-1, -1], x[:, ::-1, None, ::-3])


class Images(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, padding="same")

    def call(self, x):
        x = self.conv(x)
        return self.conv(x[..., ::-1]), x[:, ::-1, ::-1], x[:, :, ::-1, :2], x[..., 1, ::-1], x[:, ::-1, 0]
"""


def refused(index: str) -> bool:
    result = translate(SOURCE.replace("x[..., ::-1], x[:, ::-1, 1:]", index), "tf2torch")
    return any("negative step" in f.message for f in result.findings)


def test_steps_backwards(tmp_path: Path) -> None:
    result = translate(SOURCE, "tf2torch")
    assert not [f for f in result.findings if f.code >= "P2"], result.findings
    assert "x.flip(-1), x[:, :, 1:].flip(1), x.flip(2)[:, 1, :]" in result.text
    (tmp_path / "source.py").write_text(SOURCE)
    (tmp_path / "port.py").write_text(result.text)
    cases = [Case("Steps()", ("f32[2,5,4]",)), Case("Images()", ("f32[2,5,6,4]",))]
    for verdict in verify(tmp_path / "source.py", tmp_path / "port.py", "tf2torch", cases, Settings(timeout=300)):
        assert verdict.status == "verified", (verdict.case.call, verdict.message)


def test_what_is_not_certain_is_refused() -> None:
    assert refused("x[:, -1:0:-1]")
    assert refused("x[tf.constant([0, 1]), ::-1]")
    assert not refused("x[:, ::-1]")
