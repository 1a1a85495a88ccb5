"""Layers that are made more than once where they stand: as many modules, in one class or a traced model."""

from __future__ import annotations

from typing import Any

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
TRACED = {
    "dict": (3, 'ys = {k: layers.Dense(3)(x) for k in "abc"}\n    ys = list(ys.values())'),
    "map": (2, "ys = list(map(block, [x, x]))"),
    "map of a lambda": (2, "ys = list(map(lambda u: layers.Dense(u)(x), range(1, n)))"),
    "reduce": (2, "ys = [functools.reduce(lambda h, u: layers.Dense(u)(h), (3, 4), x)]"),
    "lambda": (2, "make = lambda h: layers.Dense(3)(h)\n    ys = [make(x), make(x)]"),
    "nested": (4, "ys = [layers.add([layers.Dense(i + j)(x) for i in (1, 1)]) for j in (1, 2)]"),
    "name used outside": (2, "ys = [layers.Dense(3)(y) for y in [x, x]]\n    for y in ys:\n        print(y)"),
    "walrus": (3, "y = x\n    ys = [y := layers.Dense(3)(y) for _ in range(n)]"),
}


@pytest.mark.parametrize(("count", "body"), TRACED.values(), ids=TRACED)
def test_one_module_for_each_call(count: int, body: str) -> None:
    made = translate(f"{HEAD}    {body}\n    return keras.Model(x, ys)\n", "tf2torch")
    assert not [f for f in made.findings if f.outcome.needs_person]
    pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(made.text, "port", "exec"), names)
    assert len(names["build"]().layers) == count


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
