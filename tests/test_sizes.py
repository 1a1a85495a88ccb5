"""Sizes that a caller writes: never a parameter's argument where the body binds that parameter anew."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from port.translate import translate

SOURCE = """\
from keras import Input, Model, layers


def block(x, filters, alpha):
    {}
    return layers.Conv2D(filters, 3)(x)


def net(alpha=0.5, classes=3):
    i = Input((28, 20, 3))
    x = block(i, 32, alpha)
    x = layers.Conv2D(classes, 3)(x)
    return Model(i, x)
"""


@pytest.mark.parametrize("line", ["filters = int(filters * alpha)", "filters *= 2", "filters = max(filters, 64)",
                                  "if alpha:\n        filters = 7", "for filters in (1, 2):\n        pass",
                                  "filters, alpha = 2 * filters, 1"])
def test_a_parameter_that_is_bound_anew_is_not_the_argument(line: str) -> None:
    result = translate(SOURCE.format(line), "tf2torch")
    refused = [f for f in result.findings if f.outcome.needs_person]
    assert refused or ("nn.Conv2d(32, classes, 3)" not in result.text and "Conv2d(" in result.text), result.text


def test_a_parameter_that_is_not_is() -> None:
    assert "nn.Conv2d(32, classes, 3)" in translate(SOURCE.format("alpha = 2 * alpha"), "tf2torch").text


def test_turns_of_a_loop_come_to_an_end() -> None:
    """A layer that shows the rank of a tensor whose end no turn knows: ConvNeXt was read for ever."""
    spec = importlib.util.find_spec("keras")
    assert spec is not None and spec.origin is not None
    path = Path(spec.origin).parent / "src" / "applications" / "convnext.py"
    assert "class ConvNeXtBlockModel" in translate(path.read_text(), "tf2torch", path=str(path)).text


@pytest.mark.parametrize("call", [
    "tf.concat([a, a], axis=0)", "tf.reduce_sum(a, axis=-1)", "tf.squeeze(a, axis=0)", "tf.unstack(a)",
    "tf.nn.moments(a, axes=[0])", "tf.split(a, 2, axis=1)", "keras.layers.PReLU(shared_axes=[1])(a)",
    "keras.layers.Permute((1,))(a)", "keras.layers.Flatten()(a)", "keras.layers.Dot(axes=1)([a, a])"])
def test_axes_of_a_number_are_no_crash(call: str) -> None:
    head = "import tensorflow as tf\nfrom tensorflow import keras\n\n\ndef f(x):\n    a = tf.reduce_sum(x)\n"
    found = translate(f"{head}    return {call}\n", "tf2torch").findings
    assert not [f for f in found if f.code == "P901"]
