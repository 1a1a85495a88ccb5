"""What is gone through: weights, images, and what `map` applies to each."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = """from functools import partial

import torch
from einops import rearrange, repeat
from torch import nn


"""
MAPPED = HEAD + '''class Memory(nn.Module):
    def __init__(self, heads=2, n=3, d=4, dim=8):
        super().__init__()
        self.heads = heads
        self.memory = nn.Parameter(torch.randn(2, heads, n, d))
        self.to_qkv = nn.Conv2d(dim, heads * d * 3, 1, bias=False)

    def forward(self, x):
        b, c, h, w = x.shape
        qkv = self.to_qkv(x).chunk(3, dim=1)
        q, k, v = map(lambda t: rearrange(t, 'b (h c) x y -> b h (x y) c', h=self.heads), qkv)
        mk, mv = map(lambda t: repeat(t, 'h n d -> b h n d', b=b), self.memory)
        k, v = map(partial(torch.cat, dim=-2), ((mk, k), (mv, v)))
        k, v = map(torch.tanh, (k, v))
        mk, mv = map(torch.tanh, self.memory)
        k, v = map(partial(torch.nn.functional.gelu, approximate='tanh'), (k, v))
        return (torch.einsum('bhid,bhjd->bhij', q, k).softmax(-1) @ v).sum(dim=(1, 3)) + mk.sum() * mv.sum()
'''
WEIGHTS = HEAD + '''class Weights(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.memory = nn.Parameter(torch.randn(2, n))
        self.others = nn.Parameter(torch.randn(2, n))

    def forward(self, x):
        a, b = self.memory
        y = x * a + b
        for one in self.others:
            y = y + one * y
        y = y + sum(z * 2 for z in self.others) + torch.stack([z.tanh() for z in self.memory]).sum()
        c, d = map(lambda t: t * 2, self.memory)
        for one, two in zip(self.memory, self.others):
            y = y + one * two
        a, *b = self.others
        return y + c * d + a + b[0]
'''
IMAGES = HEAD + '''class Going(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        x = self.conv(x)
        y = 0
        for one in x:
            y = y + one.softmax(0)
        a, b = x
        c = [z.softmax(0) for z in x]
        d = [z.softmax(0) * w.mean(0) for z, w in zip(x, c)]
        return y * a + b * c[1] + d[0]
'''


def port(text: str) -> str:
    result = translate(text, "torch2tf")
    assert not [f for f in result.findings if f.outcome is Outcome.REFUSED], result.findings
    return result.text


def test_functions_of_the_framework_that_map_applies(tmp_path: Path) -> None:
    text = port(MAPPED)
    assert "map(lambda tensors: tf.concat(tensors, axis=-2), ((mk, k), (mv, v)))" in text
    assert "map(tf.tanh, (k, v))" in text and "map(lambda t: tf.nn.gelu(t, approximate=True), (k, v))" in text
    agree(tmp_path, MAPPED, text, "torch2tf", [Case("Memory()", ("f32[2,8,3,5]",))])


def test_settings_that_may_change_until_the_function_is_called_stay() -> None:
    """A partial has the value of when it was made, and a lambda that of when it is called."""
    text = """class Late(nn.Module):
    def forward(self, x, y):
        axis = 1
        joined = map(partial(torch.cat, dim=axis), ((x, y), (y, x)))
        axis = 2
        return next(joined)
"""
    assert "lambda" not in translate(HEAD + text, "torch2tf").text


def test_a_weight_is_taken_to_pieces(tmp_path: Path) -> None:
    """Keras' variables do not end: a loop over one would go on behind its last element."""
    agree(tmp_path, WEIGHTS, port(WEIGHTS), "torch2tf", [Case("Weights()", ("f32[2,3]",))])


def test_images_that_are_gone_through_have_the_axes_of_the_source() -> None:
    text = port(IMAGES)
    assert "for one in tf.transpose(x, [0, 3, 1, 2]):" in text and "a, b = tf.transpose(x, [0, 3, 1, 2])" in text
    assert "for z in tf.transpose(x, [0, 3, 1, 2])]" in text and "zip(tf.transpose(x, [0, 3, 1, 2]), c)" in text
