"""Functions as activations, of the user's or chosen by a name: those that look at axes get them as in the source."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = '''import tensorflow as tf
from tensorflow.keras import layers


def spread(x):
    return tf.nn.softmax(x)


def bend(x, slope=0.1):
    return tf.nn.relu(x) - slope * tf.nn.relu(-x)


'''
OWN = HEAD + '''class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.one = layers.Conv2D(4, 3, activation=spread)
        self.two = layers.Conv2D(4, 3, activation=lambda x: x / tf.reduce_sum(tf.exp(x), -1, keepdims=True))
        self.three = layers.Conv2D(4, 3, activation=bend)
        self.four = layers.Dense(5, activation=spread)

    def call(self, x):
        return self.four(self.three(self.two(self.one(x))))
'''
NAMED = HEAD + '''class Block(layers.Layer):
    def __init__(self, act="softmax"):
        super().__init__()
        self.act = tf.keras.activations.get(act)
        self.one = layers.Conv2D(4, 3, activation=self.act)
        self.two = layers.Conv2D(4, 3)

    def call(self, x):
        return self.act(self.two(self.one(x)))
'''
OPEN = HEAD + '''class Block(layers.Layer):
    def __init__(self, first, act):
        super().__init__()
        self.first = first
        self.act = tf.keras.activations.get(act)
        self.one = layers.Conv2D(4, 3, activation=self.first)
        self.two = layers.Dense(4, activation=self.first)

    def call(self, x):
        return self.act(self.two(self.one(x)))
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


@pytest.mark.parametrize(("text", "calls"), [
    (OWN, ["Block()"]), (NAMED, ["Block()"]),
    (OPEN, ["Block('softmax', 'gelu')", "Block(None, 'relu')", "Block(bend, spread)"])])
def test_numbers(tmp_path: Path, text: str, calls: list[str]) -> None:
    """Softmax had been taken along the last axis of what is channels first, without a finding."""
    assert not refused(text)
    cases = [Case(c, ("f32[2,12,9,3]",)) for c in calls]
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


def test_what_acts_by_element_is_called_as_it_is() -> None:
    assert "bend(self.three(" in "".join(translate(OWN, "tf2torch").text.split())
    assert "self.act(self.one(x))" in translate(NAMED.replace('"softmax"', '"relu"'), "tf2torch").text


def test_an_open_setting_is_a_function_or_a_usual_name() -> None:
    assert "self.act = act if callable(act) else ACTIVATIONS[act]" in translate(OPEN, "tf2torch").text
