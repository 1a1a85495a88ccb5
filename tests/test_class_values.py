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
