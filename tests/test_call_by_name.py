"""`call` by its name: of `self`, of `super()`, of a base class and of objects. In PyTorch it is `forward`."""

from __future__ import annotations

from pathlib import Path

from port.translate import translate
from port.verify.parent import Case, verify
from port.verify.verdict import VERIFIED

SOURCE = '''
from functools import wraps

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def doubled(call):
    @wraps(call)
    def inner(inputs, **kwargs):
        return 2 * call(inputs, **kwargs)

    return inner


class Block(layers.Layer):
    def __init__(self, filters):
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, padding="same")

    def call(self, x):
        return tf.nn.relu(self.conv(x))


class Residual(Block):
    def call(self, x):
        y = super().call(x)
        return tf.concat([x, y], axis=-1)


class Gated(Residual):
    def __init__(self, filters):
        super().__init__(filters)
        self.gate = layers.Dense(1)

    def call(self, x):
        y = super(Gated, self).call(x)
        return y * self.gate(tf.reduce_mean(y, axis=[1, 2], keepdims=True))


class Score(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)
        self.call = doubled(self.call)

    def call(self, x):
        return self.dense(x)

    def twice(self, x):
        return self.call(self.call(x))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.gated = Gated(3)
        self.other = Residual(4)
        self.score = Score()

    def call(self, x):
        x = self.other.call(self.gated(x))
        return self.score.twice(tf.reduce_mean(x, axis=(1, 2))[:, :3])
'''


def test_call_is_forward_wherever_it_is_named(tmp_path: Path) -> None:
    port = translate(SOURCE, "tf2torch")
    assert ".call" not in port.text and "self.forward = doubled(self.forward)" in port.text
    assert "self.forward(self.forward(x))" in port.text
    assert not [f for f in port.findings if f.code.startswith("P2")]
    (tmp_path / "source.py").write_text(SOURCE)
    (tmp_path / "port.py").write_text(port.text)
    found = verify(tmp_path / "source.py", tmp_path / "port.py", "tf2torch", [Case("Net()", ("f32[2,7,5,3]",))])
    assert found[0].status == VERIFIED, found[0].message


def test_a_base_class_that_a_setting_chooses_is_refused() -> None:
    """Such a class was taken for one of Python: its `call` stayed, and the module had no `forward`."""
    text = ("import os\nfrom tensorflow.keras import layers\n\nflag = os.environ.get('FLAG')\n\n\n"
            "class A(object if flag else layers.Layer):\n    def call(self, x):\n        return x\n")
    port = translate(text, "tf2torch")
    assert [f.code for f in port.findings] == ["P206"] and "class A(object if flag else layers.Layer):" in port.text
