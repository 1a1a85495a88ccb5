"""Layers whose `build` is spread over methods, and what such layers need beside."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

SOURCE = '''
import keras
from tensorflow.keras import backend as K


class Attend(keras.layers.Layer):
    def __init__(self, units, kind="add", activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kind = kind
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        if self.kind == "add":
            self._add(input_shape)
        else:
            self._multiply(input_shape)
        super().build(input_shape)

    def _add(self, input_shape):
        """Two maps."""
        width = int(input_shape[2])
        self.first = self.add_weight(shape=(width, self.units), name="first")
        # one for each side
        self.second = self.add_weight(shape=(width, self.units), name="second")

    def _multiply(self, input_shape):
        width = int(input_shape[2])
        self.first = self.add_weight(shape=(width, width), name="first")

    def call(self, inputs, mask=None):
        if self.kind == "add":
            e = K.batch_dot(K.dot(inputs, self.first), K.permute_dimensions(K.dot(inputs, self.second), (0, 2, 1)))
        else:
            e = K.batch_dot(K.dot(inputs, self.first), K.permute_dimensions(inputs, (0, 2, 1)))
        if self.activation is not None:
            e = self.activation(e)
        if mask is not None:
            mask = K.expand_dims(K.cast(mask, K.floatx()), axis=-1)
            e -= 1000.0 * ((1.0 - mask) * (1.0 - K.permute_dimensions(mask, (0, 2, 1))))
        return K.batch_dot(e, inputs)
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_they_are_part_of_the_constructor(tmp_path: Path) -> None:
    text = translate(SOURCE, "tf2torch").text
    assert not refused(SOURCE)
    assert "def _add" not in text and "# one for each side" in text and "'sigmoid': torch.sigmoid" in text
    agree(tmp_path, SOURCE, text, "tf2torch", [
        Case(f"Attend({given})", ("f32[2,7,5]",), "", f"Attend(5, {given})")
        for given in ('4, activation="sigmoid"', '4, kind="multiply"')])


@pytest.mark.parametrize(("old", "new"), [
    ('        """Two maps."""\n', "        if self.units > 9:\n            return\n"),
    ("        super().build(input_shape)\n", "        width = 3\n        super().build(input_shape)\n"),
    ("    def call", "    def again(self, input_shape):\n        self._add(input_shape)\n\n    def call"),
    ("self._add(input_shape)\n", "self._add(list(input_shape))\n")])
def test_what_cannot_stand_there_is_refused(old: str, new: str) -> None:
    text = SOURCE.replace(old, new, 1)
    assert text != SOURCE and refused(text)


def test_names_that_the_project_shows_are_the_only_ones() -> None:
    text = translate(SOURCE + "\n\ndef use():\n    return Attend(3, activation='tanh')\n", "tf2torch").text
    assert "'tanh': torch.tanh" in text and "'sigmoid'" not in text


@pytest.mark.parametrize("asks", [True, False])
def test_a_layers_shape_is_asked_for_by_its_own_call(asks: bool) -> None:
    """Only Keras called `compute_output_shape`, so it went, and the call was refused."""
    line = "        return tf.reshape(x, self.compute_output_shape(tf.shape(x)))" if asks else "        return x"
    size = "    def compute_output_shape(self, shape):\n        return (shape[0], shape[1] * shape[2])\n"
    text = ("import tensorflow as tf\n\n\nclass Flat(tf.keras.layers.Layer):\n"
            f"{size}\n    def call(self, x):\n{line}\n")
    result = translate(text, "tf2torch")
    assert (size in result.text) is asks
    assert ("torch.reshape(x, self.compute_output_shape(x.shape))" in result.text) is asks, result.text
    assert [f.code for f in result.findings] == ([] if asks else ["P001"])
