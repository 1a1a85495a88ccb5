"""tf2torch: Keras as libraries of models write it: versions, classes that are registered, numbers of `math`."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

SOURCE = '''import math
from typing import List, Union

import keras
import numpy as np
import tensorflow as tf
from packaging.version import parse

Inputs = Union[List[tf.Tensor], tf.Tensor]

if parse(tf.version.VERSION) >= parse("2.4"):

    def wide(x):
        return tf.nn.relu(x) * 2

    act = keras.activations.gelu
else:
    act = wide = tf.nn.relu

ACTS = {"act": act, "wide": wide}


def registered(cls):
    if not hasattr(cls, "get_config"):
        raise TypeError("a layer")
    return keras.saving.register_keras_serializable()(cls)


@registered
class Scale(keras.layers.Layer):
    def __init__(self, size=6, heads=2, act="act"):
        super().__init__()
        self.size = size
        self.heads = heads
        self.act = ACTS[act]
        self.half = float(size) / 2

    def call(self, x: Inputs):
        if isinstance(x, (list, tuple)):
            x = x[0]
        if isinstance(x, tf.Tensor):
            x = x * 3
        each = int(self.size / self.heads)
        each = tf.cast(each, dtype=tf.int64)
        turn = tf.cast(math.pi, x.dtype) / tf.cast(np.e, x.dtype)
        x = x * tf.math.rsqrt(tf.cast(each, x.dtype)) + turn * math.sqrt(2.0 / math.pi) + tf.cast(self.half, x.dtype)
        if tf.__version__ >= "2.10":
            x = x + 1
        return self.act(x)
'''


def test_numbers(tmp_path: Path) -> None:
    result = translate(SOURCE, "tf2torch")
    assert [f.code for f in result.findings] == ["P203", "P101"] and "saving" in result.findings[1].message
    assert "# port: P203" in result.text  # the function stays as it is, and decorates nothing
    assert "@registered" not in result.text and "Union[List[torch.Tensor], torch.Tensor]" in result.text
    assert "tf." not in result.text.partition("class Scale")[2]
    assert "        x = x + 1\n" in result.text and "parse(" not in result.text
    calls = ("Scale()", "Scale(act='wide')")
    agree(tmp_path, SOURCE, result.text, "tf2torch", [Case(call, ("f32[2,3]",)) for call in calls])


@pytest.mark.parametrize("test", ['tf.__version__ >= "2.12"', 'parse(tf.__version__) < parse("2.10")',
                                  'tf.__version__ > "2.4"', 'parse(tf.__version__) > parse("2.4")',
                                  'keras.__version__ >= "3"'])
def test_a_version_that_may_be_either_is_refused(test: str) -> None:
    text = SOURCE.replace('tf.__version__ >= "2.10"', test)
    assert text != SOURCE and any(f.code in ("P201", "P203") for f in translate(text, "tf2torch").findings)


@pytest.mark.parametrize("lines", [
    "def f(x):\n    return [x] if isinstance(x, tf.Tensor) else x\n",
    "class Builder:\n    def f(self, x):\n        return [x] if isinstance(x, tf.Tensor) else x\n"])
def test_what_asks_for_a_tensor_may_mean_what_keras_builds_a_graph_from(lines: str) -> None:
    found = translate(f"import tensorflow as tf\n\n\n{lines}", "tf2torch").findings
    assert [f.code for f in found] == ["P103"]


def test_what_keras_is_told_for_saving_is_dropped() -> None:
    text = SOURCE.replace("        self.size = size\n", "        self.size = size\n        self._set_save_spec(None)\n")
    result = translate(text, "tf2torch")
    assert "_set_save_spec" not in result.text and "P001" in {f.code for f in result.findings}


@pytest.mark.parametrize(("source", "port"), [
    ("        self,\n        x,\n        scale=2,\n        training: bool = False,\n    )",
     "        self,\n        x,\n        scale=2,\n    )"),
    ("        self, x, scale=2, training=False)", "        self, x, scale=2)"),
    ("        self,\n        x,\n        scale=2,\n        **kwargs,\n    )",
     "        self,\n        x,\n        scale=2)")])
def test_the_closing_parenthesis_stays_where_it_was(source: str, port: str) -> None:
    text = translate(f"import keras\n\n\nclass Net(keras.Model):\n    def call(\n{source} -> float:\n"
                     "        return keras.ops.relu(x * scale)\n", "tf2torch").text
    assert f"    def forward(\n{port} -> float:\n" in text
