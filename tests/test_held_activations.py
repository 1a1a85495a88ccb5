"""Activations that a constructor hands to its layers and keeps nowhere (rules/held_activations.py)."""

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

HEAD = "import keras\nfrom keras import layers\n\n\n"
BLOCK = HEAD + '''class Block(layers.Layer):
    """Two layers."""

    def __init__(self, units, activation="gelu", **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dense(units, activation=activation)
        self.second = layers.Dense(units, activation=keras.activations.get(activation))

    def call(self, x):
        return self.second(self.first(x))
'''
MODEL = BLOCK + '''

def model(name="tanh"):
    inputs = keras.Input((5, 4))
    return keras.Model(inputs, Block(3)(Block(6, name)(inputs)))
'''


def test_numbers(tmp_path: Path) -> None:
    result = translate(MODEL, "tf2torch")
    assert not [f for f in result.findings if f.code[:2] == "P2"]
    assert result.text.count("self.activation = activation") == 1
    agree(tmp_path, MODEL, result.text, "tf2torch", [Case("model()", ("f32[2,5,4]",)),
                                                     Case("model('gelu')", ("f32[2,5,4]",))])


def test_one_that_no_call_shows() -> None:
    text = BLOCK.replace('activation="gelu"', "activation")
    assert text != BLOCK
    result = translate(text, "tf2torch")
    assert not [f for f in result.findings if f.code[:2] == "P2"] and "callable(self.activation)" in result.text


def test_the_attribute_that_the_source_keeps_it_in() -> None:
    line = "        self.act = keras.activations.get(activation)\n"
    text = BLOCK.replace("        self.first =", f"{line}        self.first =")
    result = translate(text, "tf2torch")
    assert "self.activation" not in result.text and "self.act(self.first(x))" in result.text


def test_an_attribute_of_the_base_is_not_overwritten() -> None:
    base = ("class Base(layers.Layer):\n    def __init__(self):\n        super().__init__()\n"
            "        self.activation = 2\n\n\n")
    text = BLOCK.replace(HEAD, HEAD + base).replace("Block(layers.Layer)", "Block(Base)").replace("(**kwargs)", "()")
    assert "class Block(Base)" in text and "self.activation = activation" not in translate(text, "tf2torch").text


@pytest.mark.parametrize("change", [
    ("        self.first =", "        self.activation = units\n        self.first ="),
    ("        self.first =", "        activation = activation or 'relu'\n        self.first =")])
def test_a_name_that_means_something_else_is_not_touched(change: tuple[str, str]) -> None:
    text = BLOCK.replace(*change)
    assert text != BLOCK
    result = translate(text, "tf2torch")
    assert "self.activation = activation" not in result.text and [f for f in result.findings if f.code[:2] == "P2"]
