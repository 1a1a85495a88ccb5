"""Layers that a layer's `build` builds by hand (rules/explicit_builds.py), as Keras 3 code does throughout."""

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port.tf2torch.rules import explicit_builds
from port.translate import translate
from port.tree import code
from port.verify.parent import Case

BLOCK = '''import keras


class Block(keras.layers.Layer):
    def __init__(self, dim, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.dim = dim
        self.depth = depth

    def build(self, input_shape):
        hidden = input_shape[-1]
        self.wide = keras.layers.Dense(self.dim, activation="relu", dtype=self.dtype_policy)
        self.wide.build(input_shape)
        shape = list(input_shape)
        shape[-1] = self.dim
        self.others = []
        for i in range(self.depth):
            self.others.append(keras.layers.Dense(self.dim, activation="tanh"))
        for layer in self.others:
            layer.build(shape)
        self.narrow = keras.layers.Dense(hidden, dtype=self.dtype_policy)
        self.narrow.build(tuple(shape))
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self.norm.build(input_shape)
        self.built = True

    def compute_output_shape(self, input_shape):
        return input_shape

    def call(self, inputs):
        x = self.wide(inputs)
        for layer in self.others:
            x = layer(x)
        return self.norm(self.narrow(x) + inputs)


class Outer(keras.layers.Layer):
    def build(self, input_shape):
        self.block = Block(5)
        if hasattr(self.block, "_build_from_signature"):
            self.block._build_from_signature(query=input_shape)
        else:
            self.block.build(self.block.compute_output_shape(input_shape))
        self.built = True

    def call(self, x):
        return self.block(x)
'''
MODEL = BLOCK + '''

def model():
    inputs = keras.Input((7, 6))
    return keras.Model(inputs, Outer()(inputs))
'''


def test_numbers(tmp_path: Path) -> None:
    result = translate(MODEL, "tf2torch")
    assert not [f for f in result.findings if f.code[:2] == "P2"]
    assert "build" not in result.text.partition("def model")[0] and "shape" not in result.text
    agree(tmp_path, MODEL, result.text, "tf2torch", [Case("model()", ("f32[3,7,6]",))])


def test_the_width_of_a_class_that_nothing_calls_is_a_parameter() -> None:
    text = translate(BLOCK, "tf2torch").text
    assert "self.wide = nn.Linear(in_features, self.dim)" in text and "Lazy" not in text


@pytest.mark.parametrize("change", [
    ("self.wide.build(input_shape)", "self.wide.build(self.find(input_shape))"),
    ("self.wide = keras.layers.Dense(self.dim, activation", "self.wide = Maker(self.dim, activation"),
    ("self.wide.build(input_shape)", "self.wide = Maker()\n        self.wide.build(input_shape)")])
def test_what_may_do_more_stays(change: tuple[str, str]) -> None:
    text = BLOCK.replace(*change)
    assert text != BLOCK
    is_layer = {"keras.layers.Dense", "keras.layers.LayerNormalization"}
    module = explicit_builds.rewrite(cst.parse_module(text), lambda func: code(func) in is_layer)
    assert "self.wide.build(" in module.code and "self.narrow.build(" not in module.code


def test_what_another_class_builds_stays() -> None:
    """It has `call` and `build` as layers have, and is none."""
    text = BLOCK.replace("class Block(keras.layers.Layer)", "class Block")
    text = text.replace("        super().__init__(**kwargs)\n", "")
    assert text != BLOCK and "self.block.build(" in translate(text, "tf2torch").text


def test_a_class_that_stays_in_keras_stays_as_written() -> None:
    text = BLOCK.replace("class Block(keras.layers.Layer)", "class Block(keras.layers.LSTM)")
    block = text[text.index("class Block"):text.index("\n\n\nclass Outer")]
    assert block.partition("\n")[2] in translate(text, "tf2torch").text


def test_a_constructor_may_build_as_well(tmp_path: Path) -> None:
    text = ("import keras\n\n\nclass Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
            "        self.dense = keras.layers.Dense(3)\n        self.dense.build((None, 6))\n\n"
            "    def call(self, x):\n        return self.dense(x)\n")
    result = translate(text, "tf2torch")
    assert "build" not in result.text.partition("class Net")[2]
    agree(tmp_path, text, result.text, "tf2torch", [Case("Net()", ("f32[2,6]",))])


def test_a_shape_that_is_read_elsewhere_stays() -> None:
    text = MODEL.replace("        self.built = True\n\n    def compute_output_shape",
                         "        self.rows = shape[1]\n        self.built = True\n\n    def compute_output_shape")
    assert text != MODEL
    module = explicit_builds.rewrite(cst.parse_module(text), lambda func: True)
    assert "shape[-1] = self.dim" in module.code and ".build(" not in module.code


ATTENTION = '''import keras
from keras import ops


class Attention(keras.layers.Layer):
    def __init__(self, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, inputs_shape):
        batch, length, dim = inputs_shape
        self.inverse = (dim // self.heads) ** -0.5
        self.scale = self.add_weight(shape=(dim,), initializer="ones", dtype=self.variable_dtype)
        self.query = keras.layers.EinsumDense("bqm,muh->bquh", output_shape=(None, self.heads, dim // self.heads),
                                              bias_axes="uh")
        self.out = keras.layers.EinsumDense(equation="bquh,uhm->bqm", output_shape=(None, dim))

    def call(self, states):
        return self.out(self.query(states * self.scale) * self.inverse)
'''


def test_an_equation_and_an_unpacked_shape_tell_the_rank(tmp_path: Path) -> None:
    """Nothing calls the class: its constructor is told the width; the length is of no use to it."""
    result = translate(ATTENTION, "tf2torch")
    assert not [f for f in result.findings if f.code[:2] == "P2"]
    assert "def __init__(self, in_features, heads):" in result.text
    assert "EinsumDense((None, in_features,)" in result.text
    agree(tmp_path, ATTENTION, result.text, "tf2torch", [Case("Attention(3)", ("f32[2,5,6]",))])


GUARDED = '''import tensorflow as tf
from tensorflow import keras


class Attention(keras.layers.Layer):
    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.width = int(config["width"] / 2) * 2
        self.query = keras.layers.Dense(units=self.width, kernel_initializer="he_normal", name="query")
        self.out = keras.layers.Dense(config["width"], name="out")
        self.config = config

    def call(self, x):
        return self.out(tf.reshape(self.query(x), (tf.shape(x)[0], -1, self.width)))

    def build(self, input_shape=None):
        if self.built:
            return
        self.built = True
        if getattr(self, "query", None) is not None:
            with tf.name_scope(self.query.name):
                self.query.build([None, None, self.config["width"]])
        if getattr(self, "out", None) is not None:
            with tf.name_scope(self.out.name):
                self.out.build([None, None, self.width])


class Net(keras.Model):
    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.attention = Attention(config, name="attention")
        self.layer = [keras.layers.Dense(4, name=f"layer_{i}") for i in range(2)]
        self.config = config

    def set_attention(self, new):
        self.attention = new

    def call(self, x):
        x = self.attention(x)
        for layer in self.layer:
            x = layer(x)
        return x

    def build(self, input_shape=None):
        if self.built:
            return
        self.built = True
        if getattr(self, "attention", None) is not None:
            with tf.name_scope(self.attention.name):
                self.attention.build([None, None, self.config["width"]])
        for layer in self.layer:
            with tf.name_scope(layer.name):
                layer.build([None, None, 4])
'''


def test_guards_and_scopes_go_and_the_width_that_is_built_is_known(tmp_path: Path) -> None:
    """As transformers' TensorFlow models are written."""
    result = translate(GUARDED, "tf2torch")
    assert 'self.query = nn.Linear(config["width"], out_features=self.width)' in result.text
    assert not {"getattr", "build", "name_scope"} & set(result.text.split()) and "pass" not in result.text
    assert "self.attention = Attention(config)" in result.text
    agree(tmp_path, GUARDED, result.text, "tf2torch", [Case("Net({'width': 4})", ("f32[2,3,4]",))])


@pytest.mark.parametrize("line", ["width *= 2", "width, heads = heads, width", "self.width = width = 3"])
def test_a_width_that_the_constructor_changes_is_not_the_one_that_it_was_given(line: str) -> None:
    text = f"""import keras


class Block(keras.layers.Layer):
    def __init__(self, width, heads=2):
        super().__init__()
        self.dense = keras.layers.Dense(4)
        {line}
        self.width = width

    def build(self, shape):
        self.dense.build([None, self.width])
"""
    module = explicit_builds.rewrite(cst.parse_module(text), lambda func: True, lambda func: True)
    assert ".build(" not in module.code and "self.dense = keras.layers.Dense(4)\n" in module.code
