"""Plain TensorFlow: `tf.Module` and its variables, translated and verified."""

from __future__ import annotations

from pathlib import Path

from port.result import Result
from port.translate import translate
from port.verify.parent import Case, Settings, verify

SOURCE = '''
import tensorflow as tf


class Conv(tf.Module):
    def __init__(self, cin, cout):
        self.w = tf.Variable(tf.random.normal([3, 3, cin, cout]), name="w")
        self.b = tf.Variable(tf.zeros([cout]))
        self.gain = tf.constant([2.0, 3.0, 4.0, 5.0])

    def __call__(self, x):
        return tf.nn.relu(tf.nn.conv2d(x, self.w, strides=1, padding="SAME") + self.b) * self.gain


class Dense(tf.Module):
    def __init__(self, n_in, n_out, name=None):
        super().__init__(name=name)
        self.w = tf.Variable(tf.random.truncated_normal([n_in, n_out], stddev=0.1), name="kernel")
        self.b = tf.Variable([0.1] * n_out, name="bias")

    def __call__(self, x):
        return tf.tanh(x @ self.w + self.b)


class Net(tf.Module):
    def __init__(self, sizes):
        super().__init__()
        self.conv = Conv(3, 4)
        self.stack = []
        with self.name_scope:
            for n_in, n_out in zip(sizes[:-1], sizes[1:]):
                self.stack.append(Dense(n_in, n_out))

    @tf.Module.with_name_scope
    def __call__(self, x):
        x = tf.reduce_mean(self.conv(x), axis=[1, 2])
        for dense in self.stack:
            x = dense(x)
        return x
'''


def ported(text: str) -> Result:
    result = translate(text, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    return result


def test_a_module_of_tensorflow_is_a_module_of_pytorch(tmp_path: Path) -> None:
    """Its `__call__` is `forward`, and what its variables add to images stands for their channels."""
    text = ported(SOURCE).text
    assert "__call__" not in text
    assert "name_scope" not in text
    assert text.count("super().__init__()") == 3  # Conv leaves it out
    assert "+ self.b[:, None, None]" in text
    assert ") * self.gain[:, None, None]" in text
    (tmp_path / "a.py").write_text(SOURCE)
    (tmp_path / "b.py").write_text(text)
    found = verify(tmp_path / "a.py", tmp_path / "b.py", "tf2torch",
                   [Case("Net([4, 5, 2])", ("f32[2,7,5,3]",))], Settings())[0]
    assert found.status == "verified", found.message
    assert found.worst < 1e-12
    (tmp_path / "b.py").write_text(text.replace("x @ self.w + self.b", "x @ self.w"))
    found = verify(tmp_path / "a.py", tmp_path / "b.py", "tf2torch",
                   [Case("Net([4, 5, 2])", ("f32[2,7,5,3]",))], Settings(dtypes=("float64",)))[0]
    assert found.status == "mismatch"
    assert "Dense" in found.message


def test_variables_start_as_what_they_are_given() -> None:
    text = ported('''
import numpy as np
import tensorflow as tf


class M(tf.Module):
    def __init__(self, n):
        super().__init__()
        self.a = tf.Variable(0, trainable=False)
        self.b = tf.Variable(0, dtype=tf.float32)
        self.c = tf.Variable([1, 2], dtype=tf.float32)
        self.d = tf.Variable(tf.ones((n,)), dtype=tf.float64)
        self.e = tf.Variable(np.ones((n, 2)), dtype="float32")
        self.f = tf.Variable(lambda: tf.zeros((3,)))

    def __call__(self, x):
        return x + self.b
''').text
    assert "self.register_buffer('a', torch.tensor(0))\n" in text  # whole, as in TensorFlow
    assert "self.b = nn.Parameter(torch.tensor(0.0))\n" in text
    assert "self.c = nn.Parameter(torch.as_tensor([1, 2], dtype=torch.float32))\n" in text
    assert "self.d = nn.Parameter(torch.ones((n,)).to(torch.float64))\n" in text
    assert "self.e = nn.Parameter(torch.as_tensor(np.ones((n, 2)), dtype=torch.float32))\n" in text
    assert "self.f = nn.Parameter(torch.zeros((3,)))\n" in text


def test_constants_of_a_layer_are_buffers() -> None:
    text = ported('''
import tensorflow as tf
from tensorflow.keras import layers


class Norm(layers.Layer):
    def __init__(self, n):
        super().__init__()
        self.std = tf.constant([0.229, 0.224, 0.225])
        self.mask = tf.linalg.band_part(tf.ones((n, n)), -1, 0)
        self.twice = tf.constant(1.0)
        self.twice = tf.constant(2.0)

    def call(self, x):
        return tf.matmul(self.mask, x / self.std) * self.twice
''').text
    assert "self.register_buffer('std', torch.tensor([0.229, 0.224, 0.225]), persistent=False)\n" in text
    assert "self.register_buffer('mask', torch.tril(torch.ones((n, n))), persistent=False)\n" in text
    assert "self.twice = torch.tensor(2.0)\n" in text
