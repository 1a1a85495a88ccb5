"""Which layers find a mask in Keras 3, and what they do with it: run in both frameworks."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case, Settings, verify

HEAD = "import keras\nimport tensorflow as tf\nfrom keras import layers\n"
BUILDER = '''

def {name}():
    ids = keras.Input((6,), dtype="int32")
    x = layers.Embedding(7, 4, mask_zero=True)(ids)
{lines}
    return keras.Model(ids, y)
'''
# MultiHeadAttention takes the masks from its tensors when the model runs. Layers that get one tensor and nothing else
# were given theirs when the model was made.
BUILDERS = {
    "next_attention": """
        a = layers.MultiHeadAttention(2, 3)(x, x)
        x = layers.LayerNormalization()(layers.Add()([x, a]))
        y = layers.MultiHeadAttention(2, 3)(x, x)""",
    "next_list": """
        a = layers.MultiHeadAttention(2, 3)(x, x)
        x = layers.Add()([x, a])
        y = layers.Attention()([x, x])""",
    "next_values": """
        a = layers.MultiHeadAttention(2, 3)(x, x)
        y = layers.MultiHeadAttention(2, 3)(a, x)""",
    "next_average": """
        a = layers.MultiHeadAttention(2, 3)(x, x)
        x = layers.Dropout(0.1)(layers.Add()([x, a]))
        y = layers.GlobalAveragePooling1D()(x)""",
    "nested": """
        x = layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)])
        x = layers.Add()([x, layers.MultiHeadAttention(2, 3)(x, x)])
        y = layers.GlobalAveragePooling1D()(x)""",
    "of_the_result": """
        a = layers.MultiHeadAttention(2, 3)(x, x)
        b = layers.LSTM(3, return_sequences=True)(x)
        y = layers.Concatenate()([b, layers.GRU(3, return_sequences=True)(a)])""",
    "states": """
        x, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(x)
        x = layers.LSTM(4, return_sequences=True)(x, initial_state=[h, c])
        y = layers.GRU(3)(x)""",
    "one_state": """
        h = layers.GlobalMaxPooling1D()(x)
        y = layers.GRU(4, return_sequences=True)(x, initial_state=h)""",
    "product": """
        a = layers.Activation("softmax")(layers.Flatten()(layers.Dense(1)(x)))
        a = layers.Permute((2, 1))(layers.RepeatVector(4)(a))
        y = layers.Flatten()(layers.Multiply()([x, a]))""",
    "product_of_both": "y = layers.Flatten()(layers.multiply([x, layers.Dense(4)(x)]))",
    "product_of_two": """
        z = layers.Embedding(7, 4, mask_zero=True)(layers.Lambda(lambda t: 6 - t)(ids))
        y = layers.Flatten()(layers.Multiply()([x, z]))""",
}
CLASSES = '''

class Scaled(layers.Layer):
    def call(self, x, scale, mask=None):
        if mask is not None:
            x = x * tf.cast(mask, x.dtype)[:, :, None]
        return x * scale[:, None]


class Named(layers.Layer):
    def call(self, x, scale, x_mask=None):
        if x_mask is not None:
            x = x * tf.cast(x_mask, x.dtype)[:, :, None]
        return x * scale[:, None]


class Listed(layers.Layer):
    def call(self, inputs, mask=None):
        x, y = inputs
        scores = tf.matmul(x, y, transpose_b=True)
        return scores if mask is None else scores - 9.0 * (1.0 - tf.cast(mask[1], scores.dtype)[:, None, :])


class Pool(layers.Layer):
    def call(self, x, mask=None):
        if mask is None:
            return tf.reduce_mean(x, axis=1)
        real = tf.cast(mask, x.dtype)[:, :, None]
        return tf.reduce_sum(x * real, axis=1) / tf.reduce_sum(real, axis=1)


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(7, 4, mask_zero=True)
        self.scaled = Scaled()
        self.named = Named()
        self.listed = Listed()
        self.pool = Pool()
        self.lstm = layers.LSTM(4, return_sequences=True)

    def call(self, ids, others, scale):
        x = self.embed(ids)
        y = self.embed(others)
        z = self.lstm(x, initial_state=[scale, scale])
        return (self.scaled(x, scale), self.named(x, scale), self.listed([x, y]), self.pool(x, mask=None),
                self.pool(x), self.pool(z), z)


def run():
    return Model()(tf.zeros((2, 6), tf.int32), tf.zeros((2, 5), tf.int32), tf.zeros((2, 4)))
'''


def _refusals(text: str) -> list[str]:
    result = translate(text, "tf2torch")
    return [f.message for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_a_dropout_gives_the_tensor_that_it_gets() -> None:
    """Attention takes the mask of both, but in training, where they are two."""
    source = HEAD + """

class Net(layers.Layer):
    def __init__(self):
        super().__init__()
        self.embed = layers.Embedding(7, 4, mask_zero=True)
        self.drop = layers.Dropout(0.1)
        self.attention = layers.MultiHeadAttention(1, 4)
        self.gru = layers.GRU(4)

    def call(self, ids):
        x = self.embed(ids)
        y = self.drop(x)
        z = self.attention(y, y)
        return self.gru(x), z
"""
    assert _refusals(source)
    assert not _refusals(source.replace("self.gru(x)", "self.gru(z)"))
    assert not _refusals(source.replace("layers.Dropout(0.1)", "layers.Dense(4)"))


def test_layers_find_the_masks_that_keras_gives_them(tmp_path: Path) -> None:
    text = HEAD + CLASSES
    for name, lines in BUILDERS.items():
        body = "\n".join("    " + line.strip() for line in lines.strip().splitlines())
        text += BUILDER.format(name=name, lines=body)
    result = translate(text, "tf2torch")
    assert not _refusals(text), result.findings
    (tmp_path / "source.py").write_text(text)
    (tmp_path / "port.py").write_text(result.text)
    cases = [Case("Model()", ("i32[2,6]<7", "i32[2,5]<7", "f32[2,4]")),
             *(Case(f"{name}()", ("i32[2,6]<7",)) for name in BUILDERS)]
    for verdict in verify(tmp_path / "source.py", tmp_path / "port.py", "tf2torch", cases, Settings(timeout=400)):
        assert verdict.status == "verified", (verdict.case.call, verdict.message)


@pytest.mark.parametrize("lines", [
    "y = layers.Maximum()([x, layers.Dense(4)(x)])",
    "y = layers.minimum([x, layers.Embedding(7, 4)(ids)])",
    # which of them runs first when the model runs is not known
    "z = layers.Attention()([x, x])\n    y = layers.Add()([z, layers.MultiHeadAttention(2, 3)(x, x)])",
    "z = layers.MultiHeadAttention(2, 3)(x, x)\n    y = layers.Add()([z, layers.MultiHeadAttention(2, 3)(x, x)])",
])
def test_what_is_not_certain_is_refused(lines: str) -> None:
    assert _refusals(HEAD + BUILDER.format(name="build", lines="    " + lines))
