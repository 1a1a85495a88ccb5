"""A Dropout of the user's that only fills in the sizes which `noise_shape` leaves open, as Keras' own does."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port import names
from port.findings import CATALOGUE, Outcome
from port.tf2torch.rules import dropout_class
from port.translate import translate
from port.verify.parent import Case

SOURCE = '''import keras
import tensorflow as tf
from keras import backend, layers


def get_dropout(**kwargs):
    """Keras' own knew no None once."""

    class FixedDropout(layers.Dropout):
        def _get_noise_shape(self, inputs):
            if self.noise_shape is None:
                return self.noise_shape
            sizes = tf.shape(inputs)
            noise_shape = [sizes[axis] if shape is None else shape
                           for axis, shape in enumerate(self.noise_shape)]
            return tuple(noise_shape)

    return FixedDropout


def block(x, rate, filters):
    Dropout = get_dropout(backend=backend)
    y = layers.Conv2D(filters, 3, padding="same")(x)
    if rate:
        y = Dropout(rate, noise_shape=(None, 1, 1, 1), name="drop")(y)
    return layers.add([x, y])


def net(rate=0.3):
    inputs = keras.Input((8, 6, 4))
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(block(inputs, rate, 4)))
'''


def test_it_is_keras_own(tmp_path: Path) -> None:
    found = translate(SOURCE, "tf2torch")
    refused = [f.message for f in found.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    assert all("held as a value" in message for message in refused)  # of what `get_dropout` gives to others
    assert "class FixedDropout" not in found.text and "self.drop = Dropout(rate, noise_shape=" in found.text
    cases = [Case(call, ("f32[2,8,6,4]",)) for call in ("net()", "net(0)")]
    agree(tmp_path, SOURCE, found.text, "tf2torch", cases)


@pytest.mark.parametrize(("old", "new"), [
    ("if shape is None else shape", "if shape == 1 else shape"),
    ("is None:\n                return self.noise_shape", "is None:\n                return (None, 1)"),
    ("tf.shape(inputs)", "tf.shape(self.inputs)"),
    ("            return tuple(noise_shape)\n", "            return tuple(noise_shape)\n\n        def call(self, x):\n"
     "            return x\n"),
    ("(layers.Dropout)", "(layers.SpatialDropout2D)"),
    ("    return FixedDropout", "    FixedDropout = other\n    return FixedDropout"),
])
def test_another_class_stays(old: str, new: str) -> None:
    module = cst.parse_module(SOURCE.replace(old, new))
    assert "Dropout = get_dropout(" in dropout_class.rewrite(module, names.collect(module)).code
