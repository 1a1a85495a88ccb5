"""Functions that are handed on (tf.map_fn, tf.nest.map_structure) get tensors with their axes as in the source."""

from __future__ import annotations

import re

import pytest

from port.translate import translate

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
                                  "tf.map_fn(lambda t: t + y, y)", "tf.vectorized_map(self.again, tf.stack([y, y]))",
                                  "tf.nest.map_structure(self.again, [y, y])",
                                  "tf.nest.map_structure(lambda t: self.again(t), [y, y])"])
def test_what_works_on_channels_first_is_not_handed_on(here: str) -> None:
    text, codes = port(here)
    assert "P209" in codes and here in text


def test_rows_of_an_image_are_rows_as_in_the_source() -> None:
    assert "self.dense(row) for row in y.permute(0, 2, 3, 1)" in port("tf.map_fn(self.dense, y)")[0]
    text, codes = port("tf.nest.map_structure(lambda t: tf.reduce_mean(t, axis=1), [y, y])")
    assert "tree_map(lambda t: torch.mean(t, dim=1), [y.permute(0, 2, 3, 1)," in re.sub(r"\s*\n\s*", "", text)
    assert "P209" not in codes
