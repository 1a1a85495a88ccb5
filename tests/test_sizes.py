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


def test_sizes_that_a_constructor_does_not_know_are_open() -> None:
    """A base class does not know the sizes of derived ones, nor a constructor those that `call` takes apart: names of
    theirs stood in it."""
    result = translate("""
import tensorflow as tf
from tensorflow.keras import layers


class Base(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = layers.Dense(units)
        self.mha = layers.MultiHeadAttention(2, units)


class One(Base):
    def call(self, x, context):
        return self.dense(self.mha(x, context))


class Merge(layers.Layer):
    def __init__(self, dim):
        super().__init__()
        self.linear = layers.Dense(2 * dim, use_bias=False)

    def call(self, x):
        B, H, W, C = x.get_shape().as_list()
        return self.linear(tf.reshape(x, (-1, H * W // 4, 4 * C)))
""", "tf2torch")
    assert "self.linear = nn.LazyLinear(2 * dim, bias=False)" in result.text
    assert "context_features" not in result.text
    assert [f.line for f in result.findings if f.code == "P208"]


def test_a_layer_made_before_the_loop_that_gives_its_size_is_made_behind_it() -> None:
    result = translate("""
import tensorflow as tf
from tensorflow.keras import layers


def up(filters, size):
    initializer = tf.random_normal_initializer(0., 0.02)
    result = tf.keras.Sequential()
    result.add(layers.Conv2DTranspose(filters, size, strides=2, padding='same', kernel_initializer=initializer))
    return result


def stack(shape):
    initializer = tf.random_normal_initializer(0., 0.02)
    inputs = tf.keras.Input(shape)
    last = layers.Conv2D(3, 4, kernel_initializer=initializer)
    x = inputs
    for n in (4, 5):
        x = layers.Conv2D(n, 3, padding="same")(x)
    return tf.keras.Model(inputs, last(x))


up(4, 4)
""", "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    text = " ".join(result.text.split())
    assert "in_channels = n self.last = nn.Conv2d(in_channels, 3, 4)" in text
    assert "def stack(shape): return Stack(shape)" in text  # the initialiser goes, without a trace
    assert "nn.LazyConvTranspose2d(filters, size, stride=2, padding=(size - 2) // 2)" in text
    assert "`size` minus the stride is even" in str(result.findings)


SHAPES = """
import tensorflow as tf


class Pool(tf.keras.layers.Layer):
    def build(self, input_shape):
        '''What it holds.'''
        self.w = self.add_weight(shape=(input_shape[-1],))

    def call(self, frames):
        frames.shape.assert_has_rank(3)
        return tf.reduce_sum(frames * self.w, axis=1){more}
"""


def test_what_a_shape_is_asked_for_is_translated_or_told() -> None:
    result = translate(SHAPES.replace("{more}", ""), "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert "        assert len(frames.shape) == 3\n" in result.text
    assert "What it holds" not in result.text  # a docstring of `build` documents no constructor
    result = translate(SHAPES.replace("{more}", ", frames.shape.is_fully_defined()"), "tf2torch")
    assert [f.code for f in result.findings if f.outcome.needs_person] == ["P201"]
    assert "is_fully_defined" in str(result.findings)
