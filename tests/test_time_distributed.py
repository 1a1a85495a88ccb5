"""TimeDistributed gives a layer one step at a time: a batch norm in training sees each step alone."""

from __future__ import annotations

from pathlib import Path

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case, Settings, verify

SOURCE = '''import keras
import tensorflow as tf
from keras import layers


class Block(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, strides=2, padding="same")
        self.norm = layers.BatchNormalization()

    def call(self, x, training=False):
        return tf.nn.relu(self.norm(self.conv(x), training=training))

    def compute_output_shape(self, shape):
        return (shape[0], shape[1] // 2, shape[2] // 2, self.conv.filters)


def frames():
    steps = keras.Input((3, 6, 6, 3))
    image = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, padding="same")(image)
    x = layers.BatchNormalization()(x)
    network = keras.Model(image, layers.GlobalAveragePooling2D()(x))
    y = layers.TimeDistributed(network)(steps)
    y = layers.TimeDistributed(layers.BatchNormalization())(y)
    y = layers.TimeDistributed(layers.Dense(3))(y)
    return keras.Model(steps, layers.LSTM(4)(y))


def blocks():
    x = inputs = keras.Input((3, 6, 6, 3))
    x = layers.TimeDistributed(Block(4))(x)
    x = layers.TimeDistributed(layers.BatchNormalization())(x)
    x = layers.TimeDistributed(layers.Conv2D(2, 2))(x)
    return keras.Model(inputs, x)
'''


def test_steps_are_normalised_by_themselves(tmp_path: Path) -> None:
    result = translate(SOURCE, "tf2torch")
    assert not [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED], result.findings
    assert result.text.count("= TimeDistributed(nn.Conv2d") == 1 and "return FramesModel(network)" in result.text
    (tmp_path / "source.py").write_text(SOURCE)
    (tmp_path / "port.py").write_text(result.text)
    cases = [Case(f"{name}()", ("f32[2,3,6,6,3]",)) for name in ("frames", "blocks")]
    for verdict in verify(tmp_path / "source.py", tmp_path / "port.py", "tf2torch", cases, Settings(timeout=300)):
        assert verdict.status == "verified", (verdict.case.call, verdict.message)
