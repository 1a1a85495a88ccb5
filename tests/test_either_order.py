"""Classes in which images come in either order of axes keep the source's; what else such classes are made of."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = '''import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Conv2D, Dense, Layer, MaxPool2D


'''
EITHER = HEAD + '''class Peaks(Layer):
    def __init__(self, size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.data_format = data_format
        self.height = self.scale = None

    def build(self, input_shape):
        if self.data_format == 'channels_first':
            self.height = input_shape[2]
        else:
            self.height = input_shape[1]
        self.scale = K.ones((self.height, 1, 1))

    def _peaks(self, shape):
        x = K.random_binomial(shape, p=0.5) * self.scale
        return MaxPool2D(pool_size=(self.size, self.size), padding='same', strides=1)(x)

    def call(self, inputs, training=None):
        def dropped():
            x = inputs
            if self.data_format == 'channels_first':
                x = K.permute_dimensions(x, [0, 2, 3, 1])
            shape = K.shape(x)
            x = x * (1.0 - self._peaks(shape)) * K.cast(K.prod(shape), K.floatx())
            if self.data_format == 'channels_first':
                x = K.permute_dimensions(x, [0, 3, 1, 2])
            return x

        return K.in_train_phase(dropped, inputs, training=training)


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = Conv2D(1, 3)
        self.peaks = Peaks(2)

    def call(self, x):
        return self.peaks(self.conv(x))
'''
FILLED = HEAD + '''class Scaled(Layer):
    def build(self, input_shape):
        self.scale = K.ones((input_shape[-1],))
        self.dense = Dense(3)

    def call(self, x):
        return self.dense(x * self.scale)
'''
SIZES = HEAD + '''class Sizes(Layer):
    def call(self, x):
        shape = K.shape(x)
        total = K.sum(tf.shape(x)) + tf.reduce_max(shape) + tf.reduce_min(tf.shape(x)[1:])
        return x * K.cast(K.prod(shape) + tf.compat.v1.reduce_prod(shape) + total, K.floatx())
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


@pytest.fixture
def keras_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")


@pytest.mark.parametrize(("text", "cases"), [
    (EITHER, [Case("Peaks(3)", ("f32[1,8,6,1]",)), Case("Peaks(3, 'channels_first')", ("f32[1,1,8,6]",)),
              Case("Net()", ("f32[1,10,8,2]",))]),
    (FILLED, [Case("Scaled()", ("f32[2,5]",))]),
    (SIZES, [Case("Sizes()", ("f32[2,3,5]",))])])
def test_numbers_agree(keras_two: None, tmp_path: Path, text: str, cases: list[Case]) -> None:
    assert refused(text) == []
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


def test_what_the_backend_fills_is_a_weight() -> None:
    counting = "        self.count = K.zeros(2, dtype='int32')\n        self.dense"
    text = translate(FILLED.replace("        self.dense", counting), "tf2torch").text
    assert "self.scale = nn.Parameter(torch.ones(" in text and "self.register_buffer('count', torch.zeros(" in text


def test_images_in_one_order_are_still_channels_first() -> None:
    text = translate(HEAD + '''class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.one = Conv2D(3, 3)
        self.two = Conv2D(4, 3)

    def call(self, x):
        return self.two(self.one(x))
''', "tf2torch").text
    assert text.count("permute") == 2
