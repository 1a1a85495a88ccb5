"""`trainable` given to the constructor of a class of the user's, all of whose weights are its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

SOURCE = '''import tensorflow as tf
from tensorflow.keras import layers


class Scale(layers.Layer):
    def __init__(self, start=1.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=input_shape[-1:], initializer="ones", name="gamma")

    def call(self, x):
        return x * self.gamma * self.start


class Bias(layers.Layer):
    def __init__(self, units, act="tanh", **kwargs):
        super().__init__(**kwargs)
        self.act = tf.keras.activations.get(act)
        self.bias = self.add_weight(shape=(units,), initializer="zeros", name="bias")

    def call(self, x):
        return self.act(x + self.bias)


class Net(tf.keras.Model):
    def __init__(self, flag=False):
        super().__init__()
        self.first = layers.Dense(4)
        self.scale = Scale(2.0, trainable=flag)
        self.bias = Bias(4, trainable=flag)

    def call(self, x):
        return self.bias(self.scale(self.first(x)))
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_weights_that_are_frozen_have_no_gradients(tmp_path: Path) -> None:
    assert not refused(SOURCE)
    cases = [Case(f"Net({flag})", ("f32[3,5]",)) for flag in (True, False)]
    agree(tmp_path, SOURCE, translate(SOURCE, "tf2torch").text, "tf2torch", cases)


def test_those_that_are_made_at_the_first_call_too(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(translate(SOURCE.replace("self.first(x)", "x"), "tf2torch").text)
    assert "set_trainable(Scale(2.0), flag)" in path.read_text()
    scope: dict[str, object] = {}
    exec("import torch\n" + path.read_text(), scope)
    for flag in (True, False):
        net = scope["Net"](flag)  # type: ignore[operator]
        net(scope["torch"].rand(2, 4))  # type: ignore[attr-defined]
        assert net.scale.gamma.requires_grad is flag
        assert net.bias.bias.requires_grad is flag


@pytest.mark.parametrize("held", ["self.inner = layers.Dense(3)", "self.inner = [layers.Dense(3)]"])
def test_layers_inside_keep_training_so_it_is_refused(held: str) -> None:
    text = SOURCE.replace("self.start = start", f"self.start = start\n        {held}")
    assert refused(text)
