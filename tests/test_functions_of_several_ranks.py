"""tf2torch: a function of the user's that gets images here and features there."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, verify

SOURCE = """import keras
import tensorflow as tf
from keras import layers

MEAN = [0.1, 0.2, 0.3, 0.4]
HALF = 0.5


def act(x):
    return BODY


class Images(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Conv2D(4, 2)
        self.b = layers.Conv2D(4, 2)

    def call(self, x):
        x = act(self.a(x))
        return act(self.b(x))


class Rest(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Conv2D(4, 2)
        self.fc = layers.Dense(4)

    def call(self, x):
        x = self.a(x)
        LINES
"""
FEATURES = "return act(self.fc(tf.reduce_mean(x, axis=[1, 2])))"
ROWS = "return act(tf.reduce_max(x, axis=1))"


@pytest.mark.parametrize("lines", [FEATURES, ROWS, f"y = act(x)\n        {FEATURES}, y"])
@pytest.mark.parametrize(("body", "inside"), [
    ("x * tf.sigmoid(x)", "act(self.a(x))"),
    ("tf.nn.relu6(x + HALF) / 6", "act(self.a(x))"),
    ("x - MEAN", "act(self.a(x).permute(0, 2, 3, 1))"),
    ("x * 0.5 + tf.reverse(x, [1])", "act(self.a(x).permute(0, 2, 3, 1))"),
    ("tf.nn.softmax(x)", "act(self.a(x).permute(0, 2, 3, 1))"),
    ("x * tf.reduce_mean(x, axis=-1, keepdims=True)", "act(self.a(x).permute(0, 2, 3, 1))"),
])
def test_callers_bring_the_axes_that_it_takes(tmp_path: Path, body: str, inside: str, lines: str) -> None:
    """Channels first came where it, or what follows, took the source's axes: other numbers without a finding."""
    source = SOURCE.replace("BODY", body).replace("LINES", lines)
    text = translate(source, "tf2torch").text
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(text, encoding="utf-8")
    assert inside in text, text
    for verdict in verify(tmp_path / "source.py", tmp_path / "port.py", "tf2torch",
                          [Case(f"{name}()", ("f32[2,5,4,3]",)) for name in ("Images", "Rest")]):
        assert verdict.status == "verified", verdict
