"""Layers of a list that one line applies in turn: the line is right for all of them, or refused."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = """from tensorflow import keras
from tensorflow.keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
"""
LOOP = """
    def call(self, x):
        for layer in self.stack:
            x = layer(x)
        return x
"""
DIFFERENT = [
    "[layers.Dense(4), layers.LSTM(3, return_sequences=True)]",
    "[layers.Conv2D(4, 3), layers.Flatten()]",
    "[layers.Lambda(lambda x: x * 2), layers.Lambda(lambda x: x + 1)]"]
STANDING = [
    ("[layers.Dense(4, activation='relu'), layers.Dense(3)]",
     "[nn.Sequential(nn.LazyLinear(4), nn.ReLU()), nn.Linear(4, 3)]"),
    ("[layers.Dense(4), layers.ReLU(), layers.Dense(3)]", "[nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 3)]"),
    ("[layers.ReLU(), layers.Dense(3, activation='tanh')]", "[nn.ReLU(), nn.Sequential(nn.LazyLinear(3), nn.Tanh())]")]
ALIKE = [
    ("[layers.Dense(4, activation='relu'), layers.Dense(3, activation='relu')]", "x = F.relu(layer(x))"),
    ("[layers.Conv2D(4, 3), layers.MaxPooling2D(), layers.BatchNormalization()]", "x = layer(x)"),
    ("[layers.ReLU(), layers.Dense(3), layers.Dropout(0.1)]", "x = layer(x)"),
    ("[layers.ReLU(), layers.ReLU()]", "x = layer(x)")]


def refused(stack: str, loop: str = LOOP) -> bool:
    found = translate(f"{HEAD}        self.stack = {stack}\n{loop}", "tf2torch")
    return any(f.code == "P206" and "one of several layers" in f.message for f in found.findings)


@pytest.mark.parametrize("stack", DIFFERENT)
def test_layers_that_pytorch_applies_in_different_ways_are_refused(stack: str) -> None:
    assert refused(stack)


@pytest.mark.parametrize(("stack", "modules"), STANDING)
def test_layers_that_are_applied_in_different_ways_become_modules_that_do_all(stack: str, modules: str) -> None:
    found = translate(f"{HEAD}        self.stack = {stack}\n{LOOP}", "tf2torch")
    assert f"nn.ModuleList({modules})" in found.text and "            x = layer(x)\n" in found.text
    assert not any(f.code.startswith("P2") for f in found.findings)


def test_their_initial_values_and_direct_calls() -> None:
    one = "layers.Dense(4, activation='relu', kernel_initializer='he_normal')"
    found = translate(f"""{HEAD}        self.one = {one}
        self.act = layers.ReLU()
        self.two = layers.Dense(4)

    def call(self, x):
        for layer in (self.one, self.act, self.two):
            x = layer(x)
        return self.act(self.one(x))
""", "tf2torch")
    assert "self.one = nn.Sequential(nn.Linear(4, 4), nn.ReLU())" in found.text
    assert "return self.act(self.one(x))" in found.text and "self.act = nn.ReLU()" in found.text
    assert "he_normal_(self.one[0].weight)" in found.text


@pytest.mark.parametrize(("stack", "line"), ALIKE)
def test_layers_that_are_applied_alike(stack: str, line: str) -> None:
    found = translate(f"{HEAD}        self.stack = {stack}\n{LOOP}", "tf2torch")
    assert line in found.text and not any(f.code.startswith("P2") for f in found.findings)


@pytest.mark.parametrize("body", [
    "for i in range(2):\n            x = self.stack[i](x)",
    "for i, layer in enumerate(self.stack):\n            x = layer(x)",
    "for layer, n in zip(self.stack, (1, 2)):\n            x = n * layer(x)",
    "x = [layer(x) for layer in reversed(self.stack)][0]"])
def test_all_ways_to_go_through_a_list(body: str) -> None:
    loop = f"\n    def call(self, x):\n        {body}\n        return x\n"
    assert refused("[layers.Dense(4), layers.Lambda(lambda x: x + 1)]", loop)
    assert not refused("[layers.Dense(4), layers.Dense(4)]", loop)


def test_functions_of_a_list() -> None:
    text = """import tensorflow as tf


def double(x):
    return x * 2


def half(x):
    return x / 2


def f(x):
    for g in {}:
        x = g(x)
    return x
"""
    for many in ("(tf.nn.relu, tf.nn.tanh)", "[tf.nn.relu, double]"):
        found = translate(text.format(many), "tf2torch").findings
        assert [(f.code, f.message[:27]) for f in found] == [("P206", "`g` is one of several funct")]
    for alike in ("(double, half, double)", "[tf.nn.relu, tf.nn.relu]"):
        assert not translate(text.format(alike), "tf2torch").findings


def test_a_tensor_that_a_container_has_hidden_has_the_source_s_axes() -> None:
    text = """import keras
from keras import layers


def build(n=2):
    ids = keras.Input((7,), dtype="int32")
    found = {{}}
    for i in range(n):
        found[i] = layers.Embedding(9, 4{})(ids)
    return keras.Model(ids, layers.GlobalAveragePooling1D()(found[0]))
"""
    assert "self.found[0].transpose(1, 2).mean(2)" in translate(text.format(""), "tf2torch").text
    masked = translate(text.format(", mask_zero=True"), "tf2torch")
    assert any(f.code == "P206" and "a mask reaches this layer" in f.message for f in masked.findings)
