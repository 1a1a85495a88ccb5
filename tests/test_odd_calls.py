"""Calls that would not run, and numbers in odd places: each is told or left; none ends the translation of the file."""

from __future__ import annotations

import pytest

from port.translate import translate

MODEL = "class M(keras.Model):\n    def call(self, x):\n        {}\n        return x\n"
GRAPH = "def build():\n    x = keras.Input((8, 6, 3))\n    y = x\n    {}\n    return keras.Model(x, y)\n"
MODULE = "class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n        {}\n"
UNKNOWN = """class Scale(layers.Layer):
    def __init__(self):
        super().__init__()
        self.held = self.default()

    def default(self):
        raise NotImplementedError

    def call(self, x, by=None):
        return keras.ops.relu(x), by or self.held
"""
KERAS = (
    UNKNOWN,
    MODEL.format("if isinstance(x):\n            x = x + 1"),
    MODEL.format("x = tf.reduce_mean(0, axis=[1, 2])"),
    MODEL.format("x = tf.nn.moments(1.0, axes=[0])[0]"),
    GRAPH.format("y = layers.Conv2D(4, 'x')(y)"),
    GRAPH.format("y = layers.Flatten()(0)"),
    GRAPH.format("y = layers.Lambda(lambda t: t * 2)()"),
    GRAPH.format("y = layers.BatchNormalization()(layers.Reshape((2, 2, 2, 2, 9))(y))"),
    GRAPH.format("for n in range(y.shape[0]):\n        y = layers.Dense(n)(y)"),
    "def reset(layer):\n    if isinstance(layer):\n        layer.kernel_initializer = 'zeros'\n",
)
TORCH = (
    MODULE.format("self.w = nn.Parameter(torch.zeros())"),
    MODULE.format("self.net = nn.Sequential()\n        self.net.append()"),
    MODULE.format("self.l = nn.Linear(2, 3)\n        nn.init.constant_(self.l.weight)"),
    MODULE.format("self.l = nn.Linear(2, 3)\n        self.apply(self.start)\n\n    def start(self, m):\n"
                  "        if isinstance(m):\n            nn.init.zeros_(m.bias)"),
    "def f(x: torch.Tensor):\n    y = x.reshape(2, 3)\n    return y.expand(-1, -1, -1, 4)\n",
    "def f(x: torch.Tensor):\n    return x.expand(4, -1)\n",
)


@pytest.mark.parametrize("lines", KERAS)
def test_of_keras(lines: str) -> None:
    found = translate(f"import keras\nimport tensorflow as tf\nfrom keras import layers\n\n\n{lines}", "tf2torch")
    assert not [f for f in found.findings if f.code.startswith("P9")]


@pytest.mark.parametrize("lines", TORCH)
def test_of_pytorch(lines: str) -> None:
    found = translate(f"import torch\nfrom torch import nn\n\n\n{lines}", "torch2tf")
    assert not [f for f in found.findings if f.code.startswith("P9")]
