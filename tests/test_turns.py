"""Layers that are made more than once where they stand: as many modules, or a refusal; never one for all."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = """import functools

import keras
from keras import layers


def block(x, units=3):
    return layers.Dense(units)(x)


def build(n=3):
    x = keras.Input((4,))
"""
REFUSED = {
    "dict": 'ys = {k: layers.Dense(3)(x) for k in "abc"}\n    ys = list(ys.values())',
    "map": "ys = list(map(block, [x, x]))",
    "map of a lambda": "ys = list(map(lambda u: layers.Dense(u)(x), range(1, n)))",
    "reduce": "ys = [functools.reduce(lambda h, u: layers.Dense(u)(h), (3, 4), x)]",
    "lambda": "make = lambda h: layers.Dense(3)(h)\n    ys = [make(x), make(x)]",
    "nested": "ys = [layers.add([layers.Dense(i + j)(x) for i in (1, 1)]) for j in (1, 2)]",
    "name used outside": "ys = [layers.Dense(3)(y) for y in [x, x]]\n    for y in ys:\n        print(y)",
    "walrus": "y = x\n    ys = [y := layers.Dense(3)(y) for _ in range(n)]",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refused(body: str) -> None:
    made = translate(f"{HEAD}    {body}\n    return keras.Model(x, ys)\n", "tf2torch")
    assert any(f.code.startswith("P2") for f in made.findings)
    assert "return keras.Model(x, ys)" in made.text


@pytest.mark.parametrize("body", ["ys = [layers.Dense(3)(x) for _ in range(n)]", "ys = [block(x) for _ in range(n)]",
                                  "ys = list(layers.Dense(3)(x) for _ in range(n))"])
def test_one_module_for_each_turn(body: str) -> None:
    made = translate(f"{HEAD}    {body}\n    return keras.Model(x, ys)\n", "tf2torch")
    assert not made.findings
    assert "nn.ModuleList()" in made.text and "for _ in range(n):" in made.text


def test_layers_made_before_are_shared_by_all_turns() -> None:
    made = translate(f"{HEAD}    dense = layers.Dense(3)\n    ys = [dense(h) for h in [x, x]]\n"
                     "    return keras.Model(x, ys)\n", "tf2torch")
    assert not made.findings and "self.dense = nn.Linear(4, 3)" in made.text
