"""`x += y`: TensorFlow makes a new tensor; PyTorch would change all that share it, and axes must meet as in `x + y`."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

SOURCE = '''import keras
import tensorflow as tf
from keras import layers


def argument(x):
    y = tf.nn.relu(x)
    x += 1.0
    return x + y


def alias(x):
    y = tf.exp(x)
    z = y
    z *= 2.0
    return y, z


def view(x):
    y = tf.reshape(x, [-1])
    y -= 1.0
    return x, y


def part(x):
    x = tf.exp(x)
    y = x[:, 0]
    y /= 3.0 - 1.0
    return x + y[:, None]


class Residual(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3, padding="same")
        self.again = layers.Conv2D(4, 3, padding="same")

    def build(self, shape):
        self.pos = self.add_weight(shape=(1, 8, 6, 4), initializer="glorot_uniform", name="pos")

    def call(self, x):
        x = self.conv(x)
        kept = x
        x += self.pos
        y = tf.nn.relu(x)
        y += x
        x += self.again(y)
        x *= tf.reduce_mean(x, axis=[1, 2], keepdims=True) + 1.0
        x -= tf.reduce_mean(x, axis=-1)[..., None]
        return x + kept
'''
CASES = [*(Case(f, ("f32[4,6]",)) for f in ("argument", "alias", "view", "part")),
         Case("Residual()", ("f32[2,8,6,3]",))]
LEFT = ["count = 0\n    count += 1", "names = []\n    names += ['a']", "parts = [tf.exp(x)]\n    parts += [x]",
        "text = 'a'\n    text += 'b'"]


def test_numbers(tmp_path: Path) -> None:
    made = translate(SOURCE, "tf2torch")
    assert "+=" not in made.text and "x = x + self.pos.permute(0, 3, 1, 2)" in made.text
    agree(tmp_path, SOURCE, made.text, "tf2torch", CASES)


@pytest.mark.parametrize("lines", LEFT)
def test_what_is_no_tensor_stays(lines: str) -> None:
    text = translate(f"import tensorflow as tf\n\n\ndef f(x):\n    y = tf.exp(x)\n    {lines}\n    return y\n",
                     "tf2torch").text
    assert lines.splitlines()[1].strip() in text


@pytest.mark.parametrize("lines", [
    "total = parts[0]\n    for each in parts[1:]:\n        total += each",
    "total = parts\n    total += x",
    "first, *rest = parts\n    total = first\n    total += x",
    "for total in parts:\n        total += x",
    "for i, (total, other) in enumerate(parts):\n        total += other",
    "total = parts[0] if x is None else x\n    total += x",
    "total = parts.best\n    total += x",
])
def test_a_part_of_an_argument_may_be_a_tensor(lines: str) -> None:
    text = translate(f"import tensorflow as tf\n\n\ndef f(parts, x):\n    {lines}\n    return tf.exp(total)\n",
                     "tf2torch").text
    assert "+=" not in text and "total = total + " in text


@pytest.mark.parametrize("lines", ["total = len(parts)\n    total += 1", "total = [p for p in parts]\n    total += x",
                                   "total = parts[0]\n    total += ['a']", "total = ''\n    total += x"])
def test_what_was_made_here_is_no_part(lines: str) -> None:
    text = translate(f"import tensorflow as tf\n\n\ndef f(parts, x):\n    {lines}\n    return tf.constant(total)\n",
                     "tf2torch").text
    assert lines.splitlines()[1].strip() in text
