"""What is set on layers and models after they were made: translated, or refused; never left as a mere attribute."""

from __future__ import annotations

import pytest

from port.findings import CATALOGUE, Outcome
from port.translate import translate

HEAD = '''import keras
import tensorflow as tf
from keras import layers


def trunk():
    inputs = keras.Input((8,))
    return keras.Model(inputs, layers.Dense(4, name="head")(inputs))


class Block(layers.Layer):
    def __init__(self, units, trainable=True, **kwargs):
        super().__init__(trainable=trainable, **kwargs)
        self.dense = layers.Dense(units)
        self.gain = 1.0

    def call(self, x):
        return self.dense(x) * self.gain


'''
REFUSED = {
    "element": "base.layers[1].trainable = False",
    "named": "base.get_layer('head').trainable = False",
    "slice": "for layer in base.layers[:-1]:\n    layer.trainable = False",
    "by its kind": "for at in base.layers:\n    if isinstance(at, layers.Dense):\n        at.trainable = False",
    "by its number": "for at, layer in enumerate(base.layers):\n    layer.trainable = at > 1",
    "by itself": "for layer in base.layers:\n    layer.trainable = layer.name != 'head'",
    "setattr": "setattr(base, 'trainable', False)",
    "rate": "drop = layers.Dropout(0.5)\ndrop.rate = 0.1",
    "activation": "base.layers[-1].activation = tf.nn.tanh",
    "momentum": "norm = layers.BatchNormalization()\nnorm.momentum = 0.5",
    "argument": "block = Block(4, trainable=False)",
    "position": "block = Block(4, False)",
    "two": "base.trainable = other.trainable = False",
}
WRITTEN = {
    "model": ("base.trainable = False", "set_trainable(base, False)"),
    "setting": ("base.trainable = not frozen", "set_trainable(base, not frozen)"),
    "loop": ("for layer in base.layers:\n    layer.trainable = False", "set_trainable(base, False)"),
    "own class": ("block = Block(4)\nblock.trainable = False", "set_trainable(block, False)"),
    "user's own attribute": ("block = Block(4)\nblock.gain = 2.0", "block.gain = 2.0"),
    "argument": ("block = Block(4, trainable=True, name='block')", "block = Block(4)"),
}


def translated(lines: str) -> tuple[str, list[str]]:
    body = "\n".join("    " + ln for ln in lines.split("\n"))
    made = translate(f"{HEAD}def use(frozen=False):\n    base = trunk()\n    other = trunk()\n{body}\n", "tf2torch")
    refused = [f.message for f in made.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    return made.text.partition("def use")[2], refused


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
def test_refused(lines: str) -> None:
    text, refused = translated(lines)
    assert refused
    assert "# port: P2" in text


@pytest.mark.parametrize(("lines", "wanted"), WRITTEN.values(), ids=WRITTEN)
def test_written(lines: str, wanted: str) -> None:
    text, refused = translated(lines)
    assert not refused
    assert wanted in text


def test_a_class_that_freezes_itself_is_refused() -> None:
    for line in ("super().__init__(trainable=False)", "super().__init__()\n        self.trainable = frozen"):
        made = translate(HEAD + "class Own(layers.Layer):\n    def __init__(self, frozen=True):\n        " + line
                         + "\n        self.dense = layers.Dense(3)\n\n    def call(self, x):\n"
                         "        return self.dense(x)\n", "tf2torch")
        assert "class Own(layers.Layer)" in made.text
        assert any(f.code == "P206" for f in made.findings)


def test_what_a_base_constructor_is_asked_for_is_told() -> None:
    made = translate(HEAD + "block = Block(4, dtype='float64', activity_regularizer='l2')\n", "tf2torch")
    assert {"P103", "P205"} <= {f.code for f in made.findings}


@pytest.mark.parametrize(("body", "dropped"), [
    ("return self.scale * tf.nn.relu(x)", True),
    ("return layers.Reshape((2, 4))(x)", True),
    ("return layers.Dense(4)(x)", False),
    ("return self.inner(x)", False),  # a layer that is handed in
])
def test_a_class_without_weights_has_nothing_to_freeze(body: str, dropped: bool) -> None:
    made = translate(f"import tensorflow as tf\nfrom keras import layers\n\n\nclass Scale(layers.Layer):\n"
                     "    def __init__(self, scale, inner=None, trainable=False, **kwargs):\n"
                     "        super().__init__(trainable=False, **kwargs)\n        self.scale = scale\n"
                     f"        self.inner = inner\n\n    def call(self, x):\n        {body}\n", "tf2torch")
    refused = [f.message for f in made.findings if "freezes its own weights" in f.message]
    assert bool(refused) is not dropped
    assert ("class Scale(nn.Module):" in made.text) is dropped
