"""Functions that are handed on (tf.map_fn, tf.nest.map_structure) get tensors with their axes as in the source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

MODEL = """
import keras
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(4, 3)
        self.again = keras.layers.Conv2D(4, 3)
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        y = self.conv(x)
        return HERE
"""


def port(here: str) -> tuple[str, list[str]]:
    result = translate(MODEL.replace("HERE", here), "tf2torch")
    return result.text, [f.code for f in result.findings]


@pytest.mark.parametrize("here", ["tf.map_fn(self.again, tf.stack([y, y]))", "tf.map_fn(lambda t: self.again(t), y)",
                                  "tf.vectorized_map(self.again, tf.stack([y, y]))",
                                  "tf.nest.map_structure(self.again, [y, y])",
                                  "tf.nest.map_structure(lambda t: self.again(t), [y, y])"])
def test_what_works_on_channels_first_is_not_handed_on(here: str) -> None:
    text, codes = port(here)
    assert "P209" in codes and here in text


def test_a_class_whose_axes_cannot_be_told_keeps_those_of_the_source() -> None:
    text, codes = port("tf.map_fn(lambda t: t + y, y)")
    assert "P209" not in codes and "return torch.stack([t + y for t in y])" in text
    assert "y = self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)" in text


def test_rows_of_an_image_are_rows_as_in_the_source() -> None:
    assert "self.dense(row) for row in y.permute(0, 2, 3, 1)" in port("tf.map_fn(self.dense, y)")[0]
    text, codes = port("tf.nest.map_structure(lambda t: tf.reduce_mean(t, axis=1), [y, y])")
    assert "tree_map(lambda t: torch.mean(t, dim=1), [y.permute(0, 2, 3, 1)," in re.sub(r"\s*\n\s*", "", text)
    assert "P209" not in codes


BOTH = '''
import tensorflow as tf
from tensorflow.keras import layers


def rows(x, scale=1.0):
    return scale * tf.reshape(x, [tf.shape(x)[0], -1, tf.shape(x)[-1]])


class Block(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 1)

    def rows(self, x):
        return rows(x)

    def call(self, x):
        def inner(t):
            return rows(t)
        flat = lambda t: rows(t)
        y = tf.matmul(self.conv(x), tf.ones((4, 4)))
        return rows(self.conv(x)) + rows(y, scale=2.0) + self.rows(self.conv(x)) + self.rows(x=y) + inner(
            self.conv(x)) + inner(y) + flat(self.conv(x)) + flat(y)
'''


def test_what_is_not_channels_first_is_made_so_where_a_function_takes_it_so(tmp_path: Path) -> None:
    """The product of matrices has the source's axes: functions had got it as it was, without a finding."""
    result = translate(BOTH, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert result.text.count("y.permute(0, 3, 1, 2)") == 4
    agree(tmp_path, BOTH, result.text, "tf2torch", [Case("Block()", ("f32[2,4,4,4]",))])
