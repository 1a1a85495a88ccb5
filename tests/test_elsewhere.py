"""Layers and functions of packages that are not read, in Keras code."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = """import math
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
import tensorflow_addons as tfa
from mypkg import Attention, Base, make_divisible, mix
from .parts import CFG

"""


def net(made: str = "self.k = 2", used: str = "self.fc(x)", bases: str = "layers.Layer", params: str = "") -> str:
    return f"""
class Net({bases}):
    def __init__(self{params}):
        super().__init__()
        self.fc = layers.Dense(make_divisible(3) * CFG.width)
        {made}

    def call(self, x):
        return {used}
"""


@pytest.mark.parametrize(("source", "name"), [
    (net("self.part = Attention(8)", "self.part(self.fc(x))"), "mypkg.Attention"),
    (net("self.part = tfa.layers.GELU()", "self.part(self.fc(x))"), "tensorflow_addons.layers.GELU"),
    (net("self.part = norm(4)", "self.part(self.fc(x))", params=", norm=Attention"), "mypkg.Attention"),
    (net("self.part = Attention(8) if CFG.on else None", "self.part(self.fc(x))"), "mypkg.Attention"),
    (net("self.net = Base()", "self.net.features(self.fc(x))"), "mypkg.Base"),
    (net(used="tf.nn.relu(mix(self.fc(x), 3))"), "mypkg.mix"),
    (net(bases="Base"), "mypkg.Base"),
    ("\ndef build():\n    i = keras.Input((4,))\n    return keras.Model(i, Attention(8)(i))\n", "mypkg.Attention"),
    ("\ndef build():\n    i = keras.Input((4,))\n    a = Attention(8)\n    return keras.Model(i, a(i))\n",
     "mypkg.Attention"),
    ("\ndef double(x: tf.Tensor):\n    return mix(x)\n", "mypkg.mix"),
])
def test_what_is_of_another_package_is_not_left_in_a_module(source: str, name: str) -> None:
    result = translate(HEAD + source, "tf2torch")
    home, _, name = name.rpartition(".")
    reasons = [f.message for f in result.findings if f.code == "P201"]
    assert len(reasons) == 1 and reasons[0].startswith(f"`{name}` comes from `{home}`"), result.findings
    assert f"# port: P201 {reasons[0]}\n" in result.text


def test_a_class_beside_the_base_of_layers_is_told() -> None:
    result = translate(HEAD + net(bases="layers.Layer, Base"), "tf2torch")
    assert {f.code for f in result.findings} == {"P102", "P103"} and "class Net(nn.Module, Base)" in result.text


def test_what_gives_numbers_and_settings_stays() -> None:
    made = "self.k = make_divisible(9)\n        self.cfg = CFG(3)\n        self.kind = Attention"
    source = net(made, "self.fc(x) * self.k * CFG.scale * math.sqrt(2)")
    result = translate(HEAD + source + "\n\nclass Settings(Base):\n    width = 3\n", "tf2torch")
    assert not [f for f in result.findings if f.code != "P102"] and "class Net(nn.Module)" in result.text
