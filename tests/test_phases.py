"""`K.in_train_phase` and `K.in_test_phase`: by the mode of the module."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = '''import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Conv2D, Dense, Layer


'''
VECTORS = HEAD + '''class Scaled(Layer):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.dense = Dense(3)

    def call(self, inputs, training=None):
        def scaled():
            return inputs * self.rate

        x = K.in_train_phase(scaled, inputs, training=training)
        y = 2 * K.in_test_phase(x + 1, lambda: x * 3)
        return self.dense(x) + K.sum(y)
'''
IMAGES = HEAD + '''class Shifted(Layer):
    def __init__(self):
        super().__init__()
        self.one = Conv2D(3, 3, padding="same")
        self.two = Conv2D(4, 3, padding="same")

    def call(self, inputs):
        x = self.one(inputs)

        def shifted():
            return x + 1

        x = K.in_train_phase(shifted, x)
        return self.two(x)
'''
DRAWN = HEAD + '''class Drawn(Layer):
    def call(self, inputs, training=None):
        def drawn():
            return inputs * K.random_binomial(K.shape(inputs), p=0.4)

        return K.in_train_phase(drawn, inputs, training=training)
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


@pytest.mark.parametrize(("text", "case"), [
    (VECTORS, Case("Scaled(0.5)", ("f32[2,8]",))), (IMAGES, Case("Shifted()", ("f32[2,6,8,3]",))),
    (DRAWN, Case("Drawn()", ("f32[4,9]",)))])
def test_the_mode_of_the_module_chooses(tmp_path: Path, text: str, case: Case) -> None:
    monkey = pytest.MonkeyPatch()
    monkey.setenv("TF_USE_LEGACY_KERAS", "1")  # Keras 3 has no such functions
    try:
        agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", [case])
    finally:
        monkey.undo()


@pytest.mark.parametrize("text", [
    HEAD + "def noisy(x):\n    return K.in_train_phase(x + 1, x)\n",
    VECTORS.replace("K.in_train_phase(scaled,", "K.in_train_phase(other,")])
def test_what_is_not_known_is_refused(text: str) -> None:
    assert refused(text)
