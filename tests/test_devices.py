"""Tensors that a port makes among others are made on their device: on a GPU, one of the CPU would raise."""

from __future__ import annotations

import pytest

from port.translate import translate

SOURCE = '''
import numpy as np
import tensorflow as tf
from keras import layers

KERNEL = np.ones((3, 3))


def soften(x):
    noise = tf.random.normal([3], mean=tf.zeros([3]), stddev=2.0)
    w = tf.constant([0.1, 0.2, 0.7])
    k = tf.constant(KERNEL, dtype=x.dtype)
    c = tf.constant(2.0)
    return tf.linalg.matvec(k, x * w + noise * c + tf.zeros([3])) + tf.eye(3)[0]


class Table(layers.Layer):
    def __init__(self, length, dim):
        super().__init__()
        self.table = np.ones((length, dim))

    def call(self, x):
        return x + tf.cast(self.table[:x.shape[1]], x.dtype)


class Cell(tf.Module):
    def __init__(self, n):
        super().__init__()
        self.kernel = tf.Variable(tf.zeros([n, n]))

    def zero_state(self, batch):
        return tf.zeros([batch, 3])

    def __call__(self, x):
        return x @ self.kernel


soften(tf.ones([4, 3]))
'''


def test_constants_and_draws_are_on_the_device_of_the_tensors_around_them() -> None:
    result = translate(SOURCE, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert "torch.tensor([0.1, 0.2, 0.7], device=x.device)" in result.text
    assert "return torch.zeros([batch, 3], device=self.kernel.device)\n" in result.text  # it gets no tensor
    assert "torch.tensor(2.0)\n" in result.text  # one number goes with tensors of any device
    assert "torch.as_tensor(self.table[:x.shape[1]], dtype=x.dtype, device=x.device)" in result.text


def test_a_port_runs_where_its_inputs_are() -> None:
    """The meta device stands for a GPU: it mixes with the CPU no more than that does."""
    torch = pytest.importorskip("torch")
    names: dict = {}
    exec(translate(SOURCE, "tf2torch").text, names)
    x = torch.empty(4, 3, device="meta")
    assert names["soften"](x).device.type == "meta"
    assert names["Table"](7, 3)(torch.empty(2, 5, 3, device="meta")).device.type == "meta"


def test_verify_differentiates_recurrent_layers_on_a_gpu() -> None:
    """cuDNN refuses to, in inference mode."""
    torch = pytest.importorskip("torch")
    from port.verify import child_torch

    before = torch.backends.cudnn.enabled
    try:
        child_torch._mode(torch.nn.Sequential(torch.nn.LSTM(3, 4)), False)
        assert not torch.backends.cudnn.enabled
        child_torch._mode(torch.nn.Linear(3, 4), False)
        assert torch.backends.cudnn.enabled
    finally:
        torch.backends.cudnn.enabled = before


def test_a_parameter_that_holds_several_tensors_has_no_device() -> None:
    text = translate("""
import tensorflow as tf
from tensorflow import keras


class Net(keras.Model):
    def call(self, inputs):
        ids, mask = inputs
        places = tf.range(tf.shape(ids)[1])
        return tf.cast(mask[:, tf.newaxis], tf.float32) * tf.cast(ids + places, tf.float32)
""", "tf2torch").text
    assert "inputs.device" not in text
    assert "places = torch.arange(ids.shape[1], device=ids.device)" in text
    assert "return mask[:, None].to(torch.float32) * (ids + places).to(torch.float32)" in text
