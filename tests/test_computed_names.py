"""`getattr(self, f"stage{i}")(x)`: what a module holds under a name that code computes.

Silent before: in tf2torch it was given images with the source's axes, in torch2tf where the name was no f-string.
"""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.namepatterns import meet, pattern
from port.result import Result
from port.translate import translate
from port.verify.parent import Case

KERAS = '''import operator

import keras
import tensorflow as tf
from keras import layers


class Block(layers.Layer):
    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(filters, 3, padding="same")

    def call(self, x):
        return self.conv(x)


class Net(keras.Model):
    def __init__(self, mode="mean", **kwargs):
        super().__init__(**kwargs)
        for i in range(2):
            setattr(self, "conv%d" % i, layers.Conv2D(4, 3, padding="same", activation="relu"))
            setattr(self, "norm" + str(i), layers.BatchNormalization())
            setattr(self, f"block{i}", Block(4))
            setattr(self, f"stack{i}", keras.Sequential([layers.Conv2D(4, 1), layers.ReLU()]))
        self.drop_a = layers.Conv2D(4, 1)
        self.drop_b = layers.Conv2D(4, 1)
        self.pool = layers.AveragePooling2D(2)
        self.mode = mode

    def call(self, x):
        for i in range(2):
            x = getattr(self, "conv%d" % i)(x)
            x = getattr(self, "norm{}".format(i))(x)
            x = getattr(self, f"block{i}")(x)
            x = getattr(self, f"stack{i}")(x)
        for name in ("drop_a", "drop_b"):
            x = getattr(self, name)(x)
        return getattr(self, f"end_{self.mode}")(getattr(self, "pool")(self.block1(x)))

    def end_mean(self, x):
        return tf.reduce_mean(x, axis=-1)

    def end_max(self, x):
        return tf.reduce_max(x, axis=-1)
'''
TORCH = '''import operator

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, mode="mean", count=2):
        super().__init__()
        self.conv0 = nn.Conv2d(4, 4, 3, padding=1)
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1)
        self.drop_a = nn.Conv2d(4, 4, 1)
        self.drop_b = nn.Conv2d(4, 4, 1)
        self.pool = nn.AvgPool2d(2)
        self.mode = mode
        self.count = count

    def forward(self, x):
        for i in range(self.count):
            x = getattr(self, "conv" + str(i))(x)
        for name in ("drop_a", "drop_b"):
            x = getattr(self, name)(x)
        return getattr(self, f"end_{self.mode}")(getattr(self, "pool")(x))

    def end_mean(self, x):
        return torch.mean(x, dim=1)

    def end_max(self, x):
        return torch.amax(x, dim=1)
'''


@pytest.mark.parametrize("source, direction, shape", [(KERAS, "tf2torch", "f32[2,8,6,4]"),
                                                      (TORCH, "torch2tf", "f32[2,4,8,6]")])
def test_layers_and_methods_of_computed_names(source: str, direction: str, shape: str, tmp_path: Path) -> None:
    port = translate(source, direction)
    assert not _refused(port)
    agree(tmp_path, source, port.text, direction, [Case(f"Net({mode!r})", [shape]) for mode in ("mean", "max")])


@pytest.mark.parametrize("source, direction", [(KERAS, "tf2torch"), (TORCH, "torch2tf")])
@pytest.mark.parametrize("callee", ['operator.attrgetter("pool")(self)', 'vars(self)["pool"]',
                                    "getattr(self, self.mode)", 'self.__dict__["pool"]'])
def test_what_other_calls_find_in_a_module_is_not_guessed(source: str, direction: str, callee: str) -> None:
    found = _refused(translate(source.replace('getattr(self, "pool")', callee), direction))
    assert found and set(found) <= {"P203", "P204", "P206"}


def test_layers_of_two_kinds_under_one_name_are_told() -> None:
    source = KERAS.replace("self.drop_b = layers.Conv2D(4, 1)", "self.drop_b = layers.Dense(4)")
    assert _refused(translate(source, "tf2torch")) == ["P206"]


def _refused(port: Result) -> list[str]:
    return [f.code for f in port.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


@pytest.mark.parametrize("one, other, same", [
    ('f"conv{i}"', '"conv" + str(i)', True), ('"conv%d" % i', '"conv{}".format(i)', True), ("name", 'f"conv{i}"', True),
    ('f"conv{i}"', 'f"norm{i}"', False), ('f"{kind}_a"', '"conv_a"', True), ('f"{kind}_a"', '"conv_b"', False),
    ('"conv"', '"conv"', True), ('"conv"', '"conv1"', False), ('"a.b"', 'f"a.{i}"', True), ('"axb"', 'f"a.{i}"', False),
])
def test_patterns_of_names(one: str, other: str, same: bool) -> None:
    a, b = (pattern(cst.parse_expression(e)) for e in (one, other))
    assert meet(a, b) is meet(b, a) is same
