"""Loops in loops whose turns make some layers on a condition: each turn has a dict of its own."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.translate import translate
from port.verify.parent import Case

SOURCE = '''
from keras.layers import Conv2D, Input, BatchNormalization, Activation, add
from keras.models import Model


def rr(x, filters, depth=2, turns=2, norm=False, name="rr"):
    skip = Conv2D(filters, 1, name="{}_conv".format(name))(x)
    main = skip
    for i in range(depth):
        res = Conv2D(filters, 3, padding="same", name="{}_conv{}".format(name, i))(main)
        if norm:
            res = BatchNormalization()(res)
        res = Activation("relu")(res)
        for j in range(turns):
            both = add([res, main])
            res = Conv2D(filters, 3, padding="same")(both)
            if norm:
                res = BatchNormalization()(res)
            res = Activation("relu")(res)
        for j in range(turns):
            res = Conv2D(filters, 1)(res)
        main = res
    return add([main, skip])


def net(size):
    inputs = Input(size)
    x = rr(inputs, 4, norm=True)
    return Model(inputs, rr(x, 5, name="last"))
'''


def test_each_turn_has_its_own_modules(tmp_path: Path) -> None:
    text = translate(SOURCE, "tf2torch").text
    assert "inner_block['conv']" in text and "block['blocks'].append(inner_block)" in text
    assert "block['convs'].append(" in text and "for conv in block['convs']:" in text
    agree(tmp_path, SOURCE, text, "tf2torch", [Case("net((8, 6, 3))", ("f32[2,8,6,3]",))])


GATED = '''
from keras import Input, Model, layers


def gate(x, kind):
    width = x.shape[-1]
    if kind == "wide":
        y = layers.Dense(2 * width)(x)
    else:
        y = layers.Dense(width)(x)
    return layers.ReLU()(y)


def net(kind="wide", depth=2):
    x = inputs = Input((6,))
    outs = []
    for i in range(depth):
        for j in range(i + 1):
            x = layers.LayerNormalization()(x)
            x = gate(x, kind)
        outs.append(x)
    for i in range(depth):
        x = layers.Dense(5)(x)
        x = gate(x, kind)
    return Model(inputs, [layers.Dense(3)(x), *outs])
'''


def test_the_width_that_a_loop_hands_on_is_read_of_a_module_by_its_name(tmp_path: Path) -> None:
    """What settings decide is read of the module, which needs a name in the loop."""
    result = translate(GATED, "tf2torch")
    assert not result.findings
    assert "in_features = gate.out_channels" in result.text and "self.blocks1.append(blocks)" in result.text
    agree(tmp_path, GATED, result.text, "tf2torch", [Case("net()", ("f32[2,6]",))])


EMPTY = '''
import keras
from keras import layers


def net(n=2, m=3):
    inputs = keras.Input((4,))
    x = layers.Dense(4)(inputs)
    for i in range(n):
        for j in range(m):
            x = x * 1.5 + 1.0
    for i in range(n):
        for j in range(m):
            x = x - 0.5
        x = layers.Dense(4, activation="tanh")(x)
    return keras.Model(inputs, layers.Dense(3)(x))
'''


def test_a_loop_in_a_loop_may_make_no_layer(tmp_path: Path) -> None:
    text = translate(EMPTY, "tf2torch").text
    assert "for i in range(self.n):\n            for j in range(self.m):" in text
    assert "for dense in self." in text
    agree(tmp_path, EMPTY, text, "tf2torch", [Case("net()", ("f32[2,4]",))])
