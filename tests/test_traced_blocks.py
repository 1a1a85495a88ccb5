"""Functional models that are noted while they are built: their inputs, and blocks that functions return."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

HEAD = """import keras
from keras import layers


def block(width):
    def f(x):
        return layers.Conv2D(width, 3, padding="same")(x)
    return f


"""
BUILD = """

def build(depth=2):
    inputs = keras.Input((8, 8, 3))
    return {made}
"""
GROW = """def grow(inputs, depth):
    x = layers.Conv2D(6, 3)(inputs)
    while depth > 0:
        x = {block}
        x = layers.Conv2D(x.shape[-1] * 2, 3, padding="same")(x)
        depth -= 1
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.MaxPooling2D()({last})))
"""
NET = """class Net(keras.Model):
    def __init__(self, inputs, depth, block, *args):
        x = layers.Conv2D(8, 3)(inputs)
        for _ in range(depth):
            x = block(8)(x)
        super().__init__(inputs, x, *args)
"""
TWICE = """def twice(f, x):
    return f(f(x))


def skip(f):
    def g(x):
        return layers.Concatenate()([x, f(x)])
    return g


def made(inputs):
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    x = twice(block(2), x)
    return keras.Model(inputs, skip(block(4))(x))
"""
PARTIAL = """def plain(x, width):
    return layers.Conv2D(width, 3, padding="same")(x)


def grow(inputs, depth):
    x = layers.Conv2D(4, 3, padding="same")(inputs)
    while depth > 0:
        x = layers.Dense(3)(x)
        f = functools.partial(plain, width=5)
        x = f(x)
        depth -= 1
    return keras.Model(inputs, x)
"""
CASES = {
    "blocks that functions are given": HEAD + TWICE + BUILD.format(made="made(inputs)"),
    "sizes behind what is not followed": "import functools\n\n" + HEAD + PARTIAL + BUILD.format(
        made="grow(inputs, depth)"),
    "a function": HEAD + GROW.format(block="x", last="x") + BUILD.format(made="grow(inputs, depth)"),
    "blocks": HEAD + GROW.format(block="block(x.shape[-1] + 2)(x)", last="block(5)(x)") + BUILD.format(
        made="grow(inputs, depth)"),
    "a block": HEAD + GROW.format(block="x", last="block(5)(x)") + BUILD.format(made="grow(inputs, depth)"),
    "a class": HEAD + NET + BUILD.format(made="Net(inputs, depth, block)").replace(
        "    return Net", "    block(3)(inputs)  # shows what it is given\n    return Net"),
}


@pytest.mark.parametrize("name", CASES)
def test_models_of_inputs_that_are_handed_over(tmp_path: Path, name: str) -> None:
    """The model was made of a permute of its input; of what a block gives the axes were taken for turned; a block that
    is handed over was made as a class without its sizes; sizes of the first turn stood for all.
    """
    port = translate(CASES[name], "tf2torch")
    assert {f.code for f in port.findings} <= {"P102"}
    agree(tmp_path, CASES[name], port.text, "tf2torch", [Case("build()", ["f32[2,8,8,3]"])])
