"""Loss objects become functions of labels and predictions: what else they are called with is told."""

from __future__ import annotations

import pytest

from port.translate import translate

SOURCE = '''import tensorflow as tf
from tensorflow import keras

mse = keras.losses.MeanSquaredError()


class Scorer(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.loss_fn = keras.losses.MeanSquaredError(reduction="none")

    def call(self, y, p, w):
        return {call}
'''


@pytest.mark.parametrize("call", [
    "self.loss_fn(y, p, sample_weight=w)", "mse(y, p, w)", "keras.losses.MeanAbsoluteError()(y, p, sample_weight=w)",
    "mse(y, p, sample_weight=None)"])
def test_weights_of_examples_are_refused(call: str) -> None:
    result = translate(SOURCE.replace("{call}", call), "tf2torch")
    assert [f.code for f in result.findings if "in the call of a loss" in f.message] == ["P202"], result.text


@pytest.mark.parametrize("call", ["self.loss_fn(y, p) * w", "mse(y_true=y, y_pred=p)"])
def test_labels_and_predictions_are_not(call: str) -> None:
    result = translate(SOURCE.replace("{call}", call), "tf2torch")
    assert not [f for f in result.findings if f.code >= "P2"], result.findings
