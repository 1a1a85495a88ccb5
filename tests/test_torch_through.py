"""What is gone through: weights, images, and what `map` applies to each; lists that einops packs."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = """from functools import partial

import torch
import torch.nn.functional as F
from einops import einsum, pack, rearrange, repeat, unpack
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

MODULES = HEAD + '''class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, x):
        return x / x.norm(dim=self.dim, keepdim=True)


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 1)
        self.small = nn.Conv2d(3, 3, 1)
        self.norm = Norm(1)
        self.last = Norm(-1)
        self.dropout = nn.Dropout(0.1)

    def mixed(self, x, y):
        return self.dropout(self.small(x) + y.flip(2))

    def forward(self, x):
        y = self.norm(self.conv(x))
        a, b = y.chunk(2, dim=1)
        c, d = map(self.mixed, (a, b), (b, a))
        q, k = map(lambda t: rearrange(t, 'b c h w -> b h (c w)').unsqueeze(1), (c, d))
        q, k = map(self.last, (q, k))
        e, f = map(self.last, (a, b))
        g, h = map(self.small, (x, x.flip(-1)))
        return q.sum(2), k, e + f + g * h
'''
PACKED = HEAD + '''def pack_one(t, pattern):
    return pack([t], pattern)


def unpack_one(t, ps, pattern):
    return unpack(t, ps, pattern)[0]


def normalized(weight):
    weight, ps = pack_one(weight, 'o *')
    return unpack_one(F.normalize(weight, dim=-1), ps, 'o *')


class Packed(nn.Module):
    def __init__(self, n=3):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, n, 3, 3))
        self.token = nn.Parameter(torch.randn(4))
        self.other = nn.Parameter(torch.randn(4, 2))

    def forward(self, x):
        y = F.conv2d(x, normalized(self.weight), padding='same')
        tokens, ps = pack([self.token, self.other], 'c *')
        a, b = unpack(tokens * 2, ps, 'c *')
        y, shape = pack([y], 'b c *')
        y = y + einsum(a, b, 'c, c d -> c d').sum() + einsum(self.token, y, 'c, b c n -> b c n')
        y, = unpack(y, shape, 'b c *')
        return y
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


def test_modules_and_methods_that_map_applies_get_the_axes_that_they_take(tmp_path: Path) -> None:
    """They had got those of what is gone through: channels first, where the module takes them last."""
    text = port(MODULES)
    assert "map(lambda t: self.last(tf.transpose(t, [0, 2, 3, 1])), (q, k))" in text and "map(self.small, (x" in text
    agree(tmp_path, MODULES, text, "torch2tf", [Case("Normed()", ("f32[2,3,5,4]",))])


def test_what_map_goes_through_has_one_order_of_axes() -> None:
    source = HEAD + """class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        a, b = map(lambda t: t.softmax(1), (self.conv(x), torch.matmul(x, x)))
        return a + b
"""
    refused = [f.message for f in translate(source, "torch2tf").findings if f.outcome is Outcome.REFUSED]
    assert [m for m in refused if "are channels last in Keras, others are not" in m] == refused != []


def test_what_einops_packs_are_tensors_with_the_axes_of_the_source(tmp_path: Path) -> None:
    """einops does not know Keras' variables, and the pattern speaks of PyTorch's axes."""
    text = port(PACKED)
    assert "pack([tf.transpose(y, [0, 3, 1, 2])], 'b c *')" in text and "pack([t.value], pattern)" in text
    agree(tmp_path, PACKED, text, "torch2tf", [Case("Packed()", ("f32[2,3,5,4]",))])
