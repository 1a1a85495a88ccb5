"""A variable that is known to hold None is still a variable where it is bound."""

from __future__ import annotations

from port.translate import translate


def test_the_target_of_an_assignment_keeps_its_name() -> None:
    result = translate('''import keras


class Base(keras.layers.Layer):
    def pick(self, name):
        return None

    def call(self, x, name="a"):
        chosen = self.pick(name)
        if chosen is None:
            return keras.ops.abs(x)
        return x
''', "tf2torch")
    assert not any(f.code == "P901" for f in result.findings), result.findings
    assert "chosen = self.pick(name)" in result.text and "torch.abs(x)" in result.text


def test_a_total_that_is_none_before_the_first_turn() -> None:
    """A number has no size that could be marked as missing; it ended in an internal error."""
    result = translate('''import tensorflow as tf


def f(xs):
    total = None
    for x in xs:
        x = tf.abs(x)
        if total is None:
            total = tf.reduce_sum(x)
        else:
            total = total + tf.reduce_sum(x)
    return total
''', "tf2torch")
    assert not result.findings and "            total = total + torch.sum(x)\n" in result.text


def test_a_number_is_squeezed_into_itself() -> None:
    result = translate('''import torch


def f(x):
    y = torch.tensor(3.0)
    return torch.squeeze(y, dim=0) + torch.squeeze(y, -1) + x
''', "torch2tf")
    assert not result.findings and "    return y + y + x\n" in result.text
