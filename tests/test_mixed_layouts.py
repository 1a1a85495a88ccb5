"""Tensors channels first among tensors with the source's axes: of equal sizes, so that a mistake raises nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

HEAD = '''
import tensorflow as tf
from tensorflow.keras import layers


def mixed(parts, factor=0.5):
    total = parts[0]
    for part in parts[1:]:
        total = total * factor + part
    return total


class Mix(layers.Layer):
    def call(self, parts):
        first, second = parts
        return first * 0.5 - second


'''
NET = HEAD + '''class Net{n}(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 1)
        self.mix = Mix()
        self.cat = layers.Concatenate()

    def call(self, x):
        a = self.conv(x)
        y = tf.matmul(a, tf.ones((4, 4)))
        return {body}
'''
SAME = ["mixed([a, y]) + mixed((y, a)) * 0.5", "self.mix([a, y]) + self.mix((y, a))",
        "self.mix([a, a]) + self.mix([a, y])",
        "layers.Concatenate()([a, y]) + layers.concatenate([y, a]) + self.cat([a, a]) + self.cat([y, y])",
        "layers.Dot(axes=3)([a, y])[:, :, 0] + layers.Dot(axes=(1, 2))([a, a])[:, :, 0]",
        "tf.cond(tf.reduce_sum(x) > 0., lambda: a, lambda: y)",
        "tf.cond(tf.reduce_sum(x) < 0., lambda: a, lambda: y) * a",
        "tf.map_fn(lambda t: tf.matmul(t, tf.ones((4, 4))), a) + y"]
REFUSED = {"tf.map_fn(lambda t: tf.matmul(t, tf.ones((4, 4))), a) + a": "the rank of one operand is not known",
           "tf.vectorized_map(lambda t: t * tf.reduce_mean(t), a) * a": "the rank of one operand is not known",
           "tf.meshgrid(tf.range(4.), tf.range(4.))[0][None, :, :, None] * a": "is not known, the other operand"}


def test_each_tensor_is_permuted_where_others_are_not(tmp_path: Path) -> None:
    source = HEAD + "".join(NET.format(n=n, body=body).removeprefix(HEAD) + "\n\n" for n, body in enumerate(SAME))
    result = translate(source, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    agree(tmp_path, source, result.text, "tf2torch", [Case(f"Net{n}()", ("f32[2,4,4,4]",)) for n in range(len(SAME))])


FUNCTION = HEAD + '''def net(x, kernel):
    a = tf.nn.conv2d(x, kernel, 1, "SAME")
    return {body}
'''


@pytest.mark.parametrize(("body", "why"), REFUSED.items())
def test_what_cannot_be_told_apart_is_refused(body: str, why: str) -> None:
    found = [f for f in translate(FUNCTION.format(body=body), "tf2torch").findings if f.outcome.needs_person]
    assert found and any(why in f.message for f in found)


def test_in_a_class_it_keeps_the_axes_of_the_source(tmp_path: Path) -> None:
    source = HEAD + "".join(NET.format(n=n, body=body).removeprefix(HEAD) + "\n\n" for n, body in enumerate(REFUSED))
    result = translate(source, "tf2torch")
    told = [f for f in result.findings if "keeps the source's order of axes" in f.message]
    assert len(told) == 3 and not [f for f in result.findings if f.outcome.needs_person]
    agree(tmp_path, source, result.text, "tf2torch", [Case(f"Net{n}()", ("f32[2,4,4,4]",)) for n in range(3)])


SEQUENCES = '''
import tensorflow as tf
from tensorflow.keras import layers


class Net(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv1D(4, 1)
        self.attention = layers.Attention()
        self.additive = layers.AdditiveAttention()

    def call(self, x):
        a = self.conv(x)
        b = self.conv(a)
        y = tf.matmul(a, tf.ones((4, 4)))
        return self.attention([a, b]) + self.additive([a, y]) + self.attention([y, a, b])
'''


def test_attention_gets_what_convolutions_give_with_the_axes_of_the_source(tmp_path: Path) -> None:
    """As in Keras' own example: it had attended over channels, without a finding."""
    text = translate(SEQUENCES, "tf2torch").text
    agree(tmp_path, SEQUENCES, text, "tf2torch", [Case("Net()", ("f32[2,4,4]",))])


TORCH = '''
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 1)
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True)

    def forward(self, x):
        a = self.conv(x)
        y = torch.matmul(a, torch.ones(4, 4, dtype=x.dtype))
        return F.scaled_dot_product_attention(a, y, y) + self.encoder(a) + self.encoder(y.transpose(1, 2)) * a
'''


def test_attention_in_pytorch_has_the_axes_of_the_source(tmp_path: Path) -> None:
    text = translate(TORCH, "torch2tf").text
    agree(tmp_path, TORCH, text, "torch2tf", [Case("Net()", ("f32[2,4,4]",))])
