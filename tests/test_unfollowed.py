"""Tensors that no fact follows, in Keras code: they have the source's axes, and any size."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

CALLED = """import keras
from keras import layers


class Block(layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.conv = layers.Conv2D(width, 3, padding="same")

    def call(self, x):
        return self.conv(x)


class Net(keras.Model):
    def __init__(self, f=None):
        super().__init__()
        self.f = f or (lambda t: t * 2.0)
        self.stem = layers.Conv2D(4, 3, padding="same")
        self.block = Block(4)
        self.conv = layers.Conv2D(4, 1)
        self.seq = keras.Sequential([layers.Conv2D(4, 1), layers.ReLU()])

    def call(self, x):
        x = self.f(self.stem(x))
        x = self.block(x)
        x = self.f(x)
        x = self.seq(x)
        x = self.f(x)
        return self.conv(x)
"""
FILLED = """import keras
import tensorflow as tf
from keras import layers


def fill(x, outs):
    for i in range(2):
        outs.append(x * float(i + 1))


def scaled(x, n, m=1):
    n += 1
    m *= 2
    return x * float(n * m)


def put(x, found):
    found["k"] = x * 3.0


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(4, 3, padding="same")

    def call(self, x):
        x = self.stem(x)
        {body}
"""
SKIPS = """import functools

import keras
from keras import layers


def down(x, width, skips):
    x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    skips.append(x)
    return layers.MaxPooling2D()(x)


def plain(x, width):
    return layers.Conv2D(width, 3, padding="same")(x)


def unet():
    inputs = keras.Input((8, 8, 3))
    skips = []
    x = down(inputs, 4, skips)
    x = down(x, 8, skips)
    for _ in range(2):
        x = layers.Concatenate()([layers.UpSampling2D()(x), skips.pop()])
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))


def mixed():
    inputs = keras.Input((6, 6, 3))
    x = layers.Dense(5)(layers.Conv2D(4, 3, padding="same")(inputs))
    skips = [x]
    for _ in range(2):
        x = plain(x, 6)
        skips.append(x)
    return keras.Model(inputs, layers.Concatenate()(skips))


def partial():
    inputs = keras.Input((6, 6, 3))
    f = functools.partial(plain, width=6)
    x = f(layers.Conv2D(4, 3, padding="same")(inputs))
    x = keras.Sequential([layers.Conv2D(3, 1), layers.ReLU()])(x)
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))
"""


def check(folder: Path, source: str, calls: list[str], shape: str) -> None:
    port = translate(source, "tf2torch")
    assert {f.code for f in port.findings} <= {"P001", "P102"}
    agree(folder, source, port.text, "tf2torch", [Case(call, [shape]) for call in calls])


def test_layers_of_images_behind_what_is_handed_over(tmp_path: Path) -> None:
    """The user's own layer and the Sequential were given channels last, without a finding."""
    check(tmp_path, CALLED, ["Net()"], "f32[2,6,6,3]")


@pytest.mark.parametrize("body", [
    "outs = []\n        fill(x, outs)\n        return tf.concat(outs, -1)[..., 2:6]",
    "outs = [x]\n        fill(x, outs)\n        return tf.reduce_max(tf.stack(outs, 1), 1)",
    "found = {}\n        put(x, found)\n        return x - tf.reduce_mean(found['k'], axis=-1, keepdims=True)",
    "k = int(x.shape[-1])\n        return tf.reduce_max(scaled(x, k, m=k), axis=-1)",
])
def test_lists_and_dicts_that_functions_fill(tmp_path: Path, body: str) -> None:
    """The caller took what a function puts into them for tensors with the source's axes."""
    check(tmp_path, FILLED.replace("{body}", body), ["Net()"], "f32[2,6,6,3]")


@pytest.mark.parametrize(("call", "shape"), [
    ("unet()", "f32[2,8,8,3]"), ("mixed()", "f32[2,6,6,3]"), ("partial()", "f32[2,6,6,3]")])
def test_lists_of_skips(tmp_path: Path, call: str, shape: str) -> None:
    """Sizes that are not known were left out of a sum; tensors of both orders were put together along one axis."""
    names = {"unet": ("mixed", "partial"), "mixed": ("unet", "partial"), "partial": ("unet", "mixed")}[call[:-2]]
    source = SKIPS
    for name in names:
        head, _, rest = source.partition(f"def {name}():")
        source = head + rest.partition("\n\n\n")[2]
    check(tmp_path, source.rstrip() + "\n", [call], shape)
