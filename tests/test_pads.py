"""Amounts of padding that the line above writes."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

SHIFTED = '''import tensorflow as tf
from keras import layers


class Shifted(layers.Layer):
    def __init__(self, shifts):
        super().__init__()
        self.shifts = shifts
        self.conv = layers.Conv2D(2, 1)

    def call(self, x):
        x = self.conv(x)
        out = []
        for shift in self.shifts:
            if shift > 0:
                paddings = tf.constant([[0, 0], [0, 0], [0, shift], [0, 0]])
                padded = tf.pad(x[:, :, shift:, :], paddings)
            else:
                amounts = [[0, 0], [0, 0], [-shift, 0], [0, 0]]
                padded = tf.pad(x[:, :, :shift, :], amounts)
            out.append(padded)
        return tf.concat(out, axis=-1)
'''
LATE = '''import tensorflow as tf


def late(x, n):
    pads = [[0, 0], [n, n]]
    {between}
    return tf.pad(x, pads)
'''


def refused(text: str) -> list[str]:
    return [f.code for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_amounts_of_the_line_above(tmp_path: Path) -> None:
    assert refused(SHIFTED) == []
    agree(tmp_path, SHIFTED, translate(SHIFTED, "tf2torch").text, "tf2torch", [Case("Shifted((1, -2))", (
        "f32[2,5,7,3]",))])


def test_amounts_of_an_earlier_line_may_be_others() -> None:
    assert refused(LATE.format(between="n = 3")) == ["P208"]
    assert refused(LATE.replace("    {between}\n", "")) == []
