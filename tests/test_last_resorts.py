"""What a class is made of where no call shows how wide its input is, and paths of several ranks meet."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

BLOCKS = '''import keras
import tensorflow as tf
from keras import layers


class Mix(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.first = layers.Dense(units)
        self.last = layers.Dense(units)

    def call(self, x):
        return self.last(self.first(x))


class Block(layers.Layer):
    def __init__(self, size, units):
        super().__init__()
        self.size = size
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        self.plain = layers.LayerNormalization(center=False, scale=False)
        self.mix = Mix(units)
        self.spare = layers.Dense(3)

    def call(self, x):
        height, width = self.size
        _, steps, C = x.get_shape().as_list()
        x = tf.reshape(self.norm(x), (-1, height, width, C))
        parts = tf.reshape(x, (-1, steps, C))
        return self.mix(self.plain(parts)) + 0.0


class Expand(layers.Layer):
    def __init__(self, size, flat=True):
        super().__init__()
        self.size = size
        self.flat = flat
        self.conv = layers.Conv2D(5, 1)

    def call(self, x):
        height, width = self.size
        _, steps, C = x.get_shape().as_list()
        x = tf.reshape(x, (-1, height, width, C))
        x = self.conv(x)
        if self.flat:
            x = tf.reshape(x, (-1, steps, 5))
        return x


class Net(keras.Model):
    def __init__(self, flat=True):
        super().__init__()
        self.block = Block((2, 3), 4)
        self.expand = Expand((2, 3), flat)

    def call(self, x):
        first = [i for i in range(x.shape[-1]) if i >= 0]
        return self.expand(self.block(tf.gather(x, first, axis=-1)))
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_a_normalisation_of_unknown_width_is_lazy(tmp_path: Path) -> None:
    text = translate(BLOCKS, "tf2torch").text
    assert not refused(BLOCKS)
    assert "LazyLayerNorm(eps=1e-5)" in text and "self.mix = Mix(units)" in text
    cases = [Case(call, ("f32[2,6,7]",)) for call in ("Net()", "Net(False)")]
    agree(tmp_path, BLOCKS, text, "tf2torch", cases)


@pytest.mark.parametrize("argument", ["gamma_initializer='zeros'", "axis=1"])
def test_other_normalisations_of_unknown_width_are_told(argument: str) -> None:
    assert refused(BLOCKS.replace("epsilon=1e-5", argument))


def test_paths_of_several_ranks_have_the_axes_of_the_source() -> None:
    text = translate(BLOCKS, "tf2torch").text.partition("class Expand")[2]
    assert "        else:\n            x = x.permute(0, 2, 3, 1)  # NCHW -> NHWC\n        return x\n" in text


def test_a_layer_that_is_never_applied_is_dropped() -> None:
    found = translate(BLOCKS, "tf2torch")
    assert "self.spare" not in found.text
    assert any("`self.spare` is never applied" in f.message for f in found.findings)
    read = BLOCKS + "\n\ndef head(block):\n    return block.spare\n"
    assert "self.spare = nn.LazyLinear(3)" in translate(read, "tf2torch").text
    seen = BLOCKS.replace("+ 0.0", "+ 0.0 * len(self.layers)")
    assert "self.spare = " in translate(seen, "tf2torch").text


CROSS = '''import keras
from keras import layers


class Cross(layers.Layer):
    def __init__(self, projection_dim=None):
        super().__init__()
        self.projection_dim = projection_dim

    def build(self, input_shape):
        last_dim = input_shape[-1]
        if self.projection_dim is not None:
            self.down = layers.Dense(self.projection_dim, use_bias=False)
        self.dense = layers.Dense(last_dim)

    def call(self, x):
        if self.projection_dim is None:
            output = x
        else:
            output = self.down(x)
        return self.dense(output)
'''


def test_paths_of_different_widths_give_none(tmp_path: Path) -> None:
    """The rank is not known; the width of the first path was taken for that of both."""
    text = translate(CROSS, "tf2torch").text
    assert "self.dense = nn.LazyLinear(last_dim)" in text
    agree(tmp_path, CROSS, text, "tf2torch", [Case("Cross(3)", ("f32[4,6]",)), Case("Cross()", ("f32[4,6]",))])
