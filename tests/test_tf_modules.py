"""Plain TensorFlow: `tf.Module` and its variables, translated and verified."""

from __future__ import annotations

from pathlib import Path

from port.result import Result
from port.translate import translate
from port.verify.parent import Case, Settings, verify

SOURCE = '''
import tensorflow as tf


def glorot(shape):
    limit = tf.sqrt(6.0 / (shape[-2] + shape[-1]))
    return tf.random.uniform(shape, -limit, limit)


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


class LSTMCell(tf.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.n_hidden = n_hidden
        self.kernel = tf.Variable(glorot([n_in + n_hidden, 4 * n_hidden]))
        self.bias = tf.Variable(tf.zeros([4 * n_hidden]))

    def __call__(self, x, state):
        h, c = state
        gates = tf.nn.bias_add(tf.matmul(tf.concat([x, h], axis=1), self.kernel), self.bias)
        i, j, f, o = tf.split(gates, 4, axis=1)
        c = tf.sigmoid(f + 1.0) * c + tf.sigmoid(i) * tf.tanh(j)
        h = tf.sigmoid(o) * tf.tanh(c)
        return h, c

    def zero_state(self, batch):
        return tf.zeros([batch, self.n_hidden]), tf.zeros([batch, self.n_hidden])


class Tagger(tf.Module):
    def __init__(self, vocab, n_embed, n_hidden, n_tags):
        super().__init__()
        self.table = tf.Variable(tf.random.normal([vocab, n_embed], stddev=0.1))
        self.cell = LSTMCell(n_embed, n_hidden)
        self.weights = {"out": tf.Variable(glorot([n_hidden, n_tags])), "bias": tf.Variable(tf.zeros([n_tags]))}

    @tf.function
    def __call__(self, tokens):
        x = tf.nn.embedding_lookup(self.table, tokens)
        state = self.cell.zero_state(tf.shape(tokens)[0])
        outs = []
        for t in range(tokens.shape[1]):
            state = self.cell(x[:, t], state)
            outs.append(state[0])
        h = tf.stack(outs, axis=1)
        return tf.einsum("bth,ho->bto", h, self.weights["out"]) + self.weights["bias"]


class BatchNorm(tf.Module):
    def __init__(self, n, momentum=0.9):
        self.gamma = tf.Variable(tf.ones([n]))
        self.beta = tf.Variable(tf.zeros([n]))
        self.mean = tf.Variable(tf.zeros([n]), trainable=False)
        self.var = tf.Variable(tf.ones([n]), trainable=False)
        self.momentum = momentum

    def __call__(self, x, training=False):
        if training:
            mean, var = tf.nn.moments(x, axes=[0, 1, 2])
            self.mean.assign(self.momentum * self.mean + (1 - self.momentum) * mean)
            self.var.assign(self.momentum * self.var + (1 - self.momentum) * var)
        else:
            mean, var = self.mean, self.var
        return tf.nn.batch_normalization(x, mean, var, self.beta, self.gamma, 1e-5)


class ConvNet(tf.Module):
    def __init__(self, channels, n_classes):
        super().__init__()
        pairs = zip(channels[:-1], channels[1:])
        self.filters = [tf.Variable(tf.random.normal([3, 3, i, o], stddev=0.2)) for i, o in pairs]
        self.norms = [BatchNorm(o) for o in channels[1:]]
        self.head = tf.Variable(tf.random.normal([channels[-1], n_classes]))

    def __call__(self, x, training=False):
        for w, norm in zip(self.filters, self.norms):
            x = tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME")
            x = tf.nn.relu(norm(x, training=training))
            x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        return tf.reduce_mean(x, axis=[1, 2]) @ self.head
'''
CASES = [Case("Net([4, 5, 2])", ("f32[2,7,5,3]",)), Case("Tagger(11, 4, 5, 3)", ("i32[2,6]<11",)),
         Case("ConvNet([3, 4, 5], 3)", ("f32[2,13,9,3]",))]


def ported(text: str) -> Result:
    result = translate(text, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    return result


def test_a_module_of_tensorflow_is_a_module_of_pytorch(tmp_path: Path) -> None:
    """Its `__call__` is `forward`, and what its variables add to images stands for their channels."""
    text = ported(SOURCE).text
    assert "__call__" not in text
    assert "name_scope" not in text
    assert text.count("super().__init__()") == 7  # Conv and BatchNorm leave it out
    assert "+ self.b[:, None, None]" in text
    assert ") * self.gain[:, None, None]" in text
    (tmp_path / "a.py").write_text(SOURCE)
    (tmp_path / "b.py").write_text(text)
    found = verify(tmp_path / "a.py", tmp_path / "b.py", "tf2torch", CASES, Settings())
    assert [v.status for v in found] == ["verified"] * 3, [v.message for v in found]
    assert found[0].worst < 1e-12
    assert found[2].worst < 1e-12
    (tmp_path / "b.py").write_text(text.replace("x @ self.w + self.b", "x @ self.w"))
    found = verify(tmp_path / "a.py", tmp_path / "b.py", "tf2torch",
                   CASES[:1], Settings(dtypes=("float64",)))
    assert found[0].status == "mismatch"
    assert "Dense" in found[0].message


def test_variables_in_containers_are_parameters_and_change_in_place() -> None:
    text = ported(SOURCE).text
    assert "self.filters = nn.ParameterList([" in text
    assert "self.weights = nn.ParameterDict({" in text
    assert """            with torch.no_grad():
                self.mean.copy_(self.momentum * self.mean + (1 - self.momentum) * mean)
                self.var.copy_(self.momentum * self.var + (1 - self.momentum) * var)
""" in text
    keras = ported("""
import keras
from keras import layers


class Cross(layers.Layer):
    def build(self, shape):
        self.kernels = [self.add_weight(shape=(shape[-1], 1), name=f"k{i}") for i in range(3)]
        self.biases = []
        for i in range(3):
            self.biases.append(self.add_weight(shape=(shape[-1],), initializer="zeros"))
        self.steps = self.add_weight(shape=(), initializer="zeros", trainable=False)

    def call(self, x):
        self.steps.assign_add(1.0)
        self.steps.assign(0.0)
        for kernel, bias in zip(self.kernels, self.biases):
            x = x * (x @ kernel) + bias
        return x
""").text
    assert "self.kernels = nn.ParameterList([\n            nn.Parameter(nn.init.xavier_uniform_(" in keras
    assert "self.biases = nn.ParameterList()\n" in keras
    assert "self.biases.append(nn.Parameter(torch.zeros((in_features,))))" in keras
    assert "self.steps.add_(1.0)\n            self.steps.fill_(0.0)\n" in keras


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
