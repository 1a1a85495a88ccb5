"""Functions that take tensors of one rank only, or no whole numbers: what is not known of an argument is known then."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.translate import translate
from port.verify.parent import Case

PATCHES = '''import keras
import tensorflow as tf


class Patches(keras.layers.Layer):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def call(self, images):
        patches = tf.image.extract_patches(images, (1, self.size, self.size, 1), (1, self.size, self.size, 1),
                                           (1, 1, 1, 1), "VALID")
        return tf.reshape(patches, (tf.shape(images)[0], patches.shape[1] * patches.shape[2], patches.shape[-1]))


def net(shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Dense(3)(Patches(2)(inputs)))
'''


def test_an_argument_of_unknown_rank_has_the_only_one(tmp_path: Path) -> None:
    text = translate(PATCHES, "tf2torch").text
    assert "tensorflow" not in text and "images.unfold(1, self.size, self.size)" in text
    agree(tmp_path, PATCHES, text, "tf2torch", [Case("net((6, 8, 5))", ("f32[2,6,8,5]",))])


def test_another_rank_is_told() -> None:
    text = PATCHES.replace("call(self, images)", "call(self, x)").replace(
        "        patches =", "        images = tf.reshape(x, (-1, 4))\n        patches =")
    assert any("another rank is needed: `takes(images)=4`" in f.message for f in translate(text, "tf2torch").findings)


def test_a_dtype_that_is_taken_from_a_tensor() -> None:
    text = "import tensorflow as tf\n\n\ndef f(x):\n    return x * tf.random.uniform((3, 1), dtype=x.dtype)\n"
    assert "torch.rand((3, 1), dtype=x.dtype" in translate(text, "tf2torch").text
