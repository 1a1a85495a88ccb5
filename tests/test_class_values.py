"""Layers' classes that attributes hold: `self._norm = layers.BatchNormalization`."""

from __future__ import annotations

import pytest

from port.translate import translate

CLASS = '''import tensorflow as tf
from tensorflow.keras import layers


class Block(layers.Layer):
    def __init__(self, units, sync=False, **kwargs):
        super().__init__(**kwargs)
        self._units = units
        self._sync = sync
        self._norm = layers.BatchNormalization

    def build(self, input_shape):
        self._conv = layers.Conv2D(self._units, 3, padding="same")
        self._norm0 = self._norm(epsilon=1e-5)
        super().build(input_shape)

    def call(self, x):
        return self._norm0(self._conv(x))
'''
HELD = "        self._norm = layers.BatchNormalization\n"
CHOSEN = ("        if sync:\n            self._norm = layers.experimental.SyncBatchNormalization\n"
          "        else:\n            self._norm = layers.BatchNormalization\n")


def ported(text: str) -> tuple[str, set[str]]:
    result = translate(text, "tf2torch")
    return result.text, {f.code for f in result.findings if f.code not in ("P101", "P102")}


@pytest.mark.parametrize("held", [HELD, CHOSEN])
def test_a_held_class_is_called_by_its_own_name(held: str) -> None:
    """The class was refused: nothing in PyTorch could be held for it."""
    text, codes = ported(CLASS.replace(HELD, held))
    assert "class Block(nn.Module):" in text and "self._norm0 = nn.BatchNorm2d(units, eps=1e-5, momentum=0.01)" in text
    assert "_norm =" not in text and "if sync" not in text
    assert codes == ({"P103"} if held is CHOSEN else set())  # of several devices, told


def test_statistics_over_devices_are_told() -> None:
    text, codes = ported(CLASS.replace("epsilon=1e-5", "epsilon=1e-5, synchronized=self._sync"))
    assert "self._norm0 = nn.BatchNorm2d(units, eps=1e-5, momentum=0.01)" in text and codes == {"P103"}


@pytest.mark.parametrize("change", [
    ("layers.BatchNormalization\n", "layers.BatchNormalization if sync else layers.LayerNormalization\n"),
    ("        super().build(input_shape)\n", "        self.kinds = [self._norm]\n"),
    ("    def build(self, input_shape):\n", "    def build(self, input_shape):\n        layers = self.parts\n"),
    ("\n    def call", "\n    def other(self):\n        self._norm = layers.LayerNormalization\n\n    def call"),
])
def test_a_class_that_may_be_another_one_is_left(change: tuple[str, str]) -> None:
    text, codes = ported(CLASS.replace(*change))
    assert "P206" in codes and "self._norm0 = self._norm(epsilon=1e-5)" in text


def test_a_class_that_derives_may_hold_another_one() -> None:
    text, codes = ported(CLASS + "\n\nclass Other(Block):\n    def __init__(self, units):\n"
                         "        super().__init__(units)\n        self._norm = layers.LayerNormalization\n")
    assert "P206" in codes and "self._norm0 = self._norm(epsilon=1e-5)" in text


@pytest.mark.parametrize(("held", "made"), [
    ("layers.BatchNormalization", "nn.BatchNorm2d(3, eps=1e-5, momentum=0.01)"),
    ("functools.partial(layers.BatchNormalization, momentum=m)", "nn.BatchNorm2d(3, eps=1e-5, momentum=1 - m)"),
    ("functools.partial(layers.BatchNormalization, epsilon=m)", "nn.BatchNorm2d(3, eps=1e-5, momentum=0.01)"),
])
def test_a_variable_may_hold_the_class_or_a_partial_one(held: str, made: str) -> None:
    text, codes = ported("import functools\nimport keras\nfrom keras import layers\n\n\n"
                         f"def build(m):\n    norm = {held}\n"
                         "    i = keras.Input((16, 16, 3))\n    return keras.Model(i, norm(epsilon=1e-5)(i))\n")
    assert made in text and not codes and "norm =" not in text, text


@pytest.mark.parametrize("change", [
    ("    norm =", "    m = 2 * m\n    norm ="),
    ("    i = keras", "    if m > 1:\n        norm = other\n    i = keras"),
    ("    i = keras", "    keep(norm)\n    i = keras"),
])
def test_a_variable_that_may_hold_another_class_is_left(change: tuple[str, str]) -> None:
    text = ("import functools\nimport keras\nfrom keras import layers\n\n\ndef build(m):\n"
            "    norm = functools.partial(layers.BatchNormalization, momentum=m)\n"
            "    i = keras.Input((16, 16, 3))\n    return keras.Model(i, norm(epsilon=1e-5)(i))\n")
    new, codes = ported(text.replace(*change))
    assert codes and "functools.partial(layers.BatchNormalization, momentum=m)" in new


def test_attributes_of_the_class_and_partial_ones() -> None:
    text = ("from functools import partial\nfrom keras import layers\n\n\nclass Block(layers.Layer):\n"
            "    kind = layers.Conv2D\n\n    def __init__(self, n):\n        super().__init__()\n"
            "        self.m = 0.9\n        self.norm = partial(layers.BatchNormalization, momentum=self.m)\n"
            "        self.conv = self.kind(n, 3)\n        self.bn = self.norm()\n\n"
            "    def call(self, x):\n        return self.bn(self.conv(x))\n")
    new, codes = ported(text)
    assert not codes and "kind" not in new and "partial(layers" not in new
    assert "self.bn = nn.BatchNorm2d(n, momentum=1 - self.m, eps=0.001)" in new
    new, codes = ported(text + "\n\nBlock.kind = layers.SeparableConv2D\n")
    assert "P206" in codes and "    kind = layers.Conv2D\n" in new
