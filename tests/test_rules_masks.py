"""Masks that are not followed exactly are refused, never dropped; sizes that are not proven give helpers."""

from __future__ import annotations

import textwrap

import pytest

from port.findings import CATALOGUE, Outcome
from port.translate import translate

HEAD = "import keras\nfrom keras import layers\n\n\n"


def refusals(body: str) -> list[str]:
    result = translate(HEAD + textwrap.dedent(body), "tf2torch")
    return [f.message for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def ported(body: str) -> str:
    result = translate(HEAD + textwrap.dedent(body), "tf2torch")
    assert not [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED], result.findings
    return result.text


MODEL = """
def build():
    ids = keras.Input((None,), dtype='int32')
    x = layers.Embedding(9, 4, mask_zero=True)(ids)
{lines}
    return keras.Model(ids, x)
"""


def model(*lines: str) -> str:
    return MODEL.format(lines="\n".join("    " + line for line in lines))


@pytest.mark.parametrize("lines", [
    ("x = layers.BatchNormalization()(x)",),
    ("x = layers.Softmax()(x)",),
    ("y = layers.Embedding(9, 4, mask_zero=True)(ids)", "x = layers.LSTM(3)(layers.Add()([x, y]))"),
    ("x = layers.Concatenate(axis=1)([x, x])", "x = layers.GRU(3)(x)"),
    ("x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode=None)(x)[0]",),
    ("x = keras.ops.cast(x, x.dtype)", "x = layers.LSTM(3)(x)"),
    ("x = layers.TimeDistributed(layers.Reshape((2, 2)))(x)",),
    ("x = keras.Sequential([layers.LSTM(3)])(x)",),
])
def test_a_mask_that_is_not_followed_is_refused(lines: tuple[str, ...]) -> None:
    assert refusals(model(*lines))


@pytest.mark.parametrize("lines", [
    ("x = layers.GlobalMaxPooling1D()(x)",),
    ("x = layers.Flatten()(layers.Dense(3)(x))",),
    ("x = layers.LSTM(3)(x + 1.0)",),
    ("x = layers.LSTM(3)(keras.ops.relu(x))",),
    ("x = layers.LSTM(3)(layers.Reshape((-1, 2))(x))",),
    ("x = layers.LSTM(3)(layers.Concatenate()([x, layers.Embedding(9, 5)(ids)]))",),
])
def test_a_mask_that_keras_loses_is_no_mask(lines: tuple[str, ...]) -> None:
    assert "mask" not in ported(model(*lines))


def test_functions_do_not_lose_masks() -> None:
    body = """
    def last(x):
        return layers.LSTM(3)(x)


    def build():
        ids = keras.Input((None,), dtype='int32')
        x = layers.Embedding(9, 4, mask_zero=True)(ids)
        return keras.Model(ids, last(x))
    """
    assert refusals(body)


def test_layers_that_a_dict_holds_do_not_lose_their_masks() -> None:
    body = """
    def embed(n):
        made = {}
        for i in range(n):
            made[i] = layers.Embedding(9, 4, mask_zero=True)
        return made


    def build(n):
        ids = keras.Input((None,), dtype='int32')
        table = embed(n)
        return keras.Model(ids, layers.GlobalAveragePooling1D()(table[0](ids)))
    """
    assert refusals(body)  # left whole: it could not be traced
    assert not refusals(body.replace(", mask_zero=True", ""))


def test_a_layer_of_the_users_gets_its_mask() -> None:
    body = """
    class Mean(layers.Layer):
        def call(self, x, mask=None):
            return keras.ops.sum(x * keras.ops.cast(mask, x.dtype)[:, :, None], axis=1)


    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.embed = layers.Embedding(9, 4, mask_zero=True)
            self.mean = Mean()

        def call(self, ids):
            return self.mean(self.embed(ids))
    """
    text = ported(body)
    assert "mask = ids != 0" in text and "self.mean(self.embed(ids), mask=mask)" in text


@pytest.mark.parametrize("layer", [
    "layers.LSTM(3, stateful=True)", "layers.GRU(3, recurrent_dropout=0.1)",
    "layers.LSTM(3, activation='relu', dropout=0.1)", "layers.Bidirectional(layers.LSTM(3, go_backwards=True))",
    "layers.RNN(Own(3))",
])
def test_what_has_no_counterpart_is_refused(layer: str) -> None:
    assert refusals(f"""
    class Own(layers.Layer):
        pass


    def build():
        x = inputs = keras.Input((5, 4))
        return keras.Model(inputs, {layer}(x))
    """)


def test_a_width_that_is_not_proven_gives_the_helper() -> None:
    body = """
    def build(width, heads, size):
        x = inputs = keras.Input((None, width))
        x = layers.MultiHeadAttention(heads, {size})(x, x)
        return keras.Model(inputs, x)
    """
    assert "nn.MultiheadAttention(width, heads" in ported(body.format(size="width // heads"))
    assert "MultiHeadAttention(heads, size, width)" in ported(body.format(size="size"))
    assert "MultiHeadAttention(heads, width, width)" in ported(body.format(size="width"))
