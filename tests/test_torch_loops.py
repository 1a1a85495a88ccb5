"""Loops: a variable comes to each turn in one order of axes."""

from __future__ import annotations

from port.translate import translate

HEAD = """import torch
from einops import rearrange
from torch import nn


class A(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.stages = nn.ModuleList([nn.Linear(4, 4) for _ in range(depth)])
        self.convs = nn.ModuleList([nn.Conv2d(3, 3, 1) for _ in range(depth)])

    def forward(self, x):
"""


def ported(body: str) -> str:
    result = translate(HEAD + body, "torch2tf")
    assert not result.findings
    return result.text[result.text.index("def call"):]


def test_a_variable_that_turns_leave_in_the_order_of_the_source() -> None:
    """A convolution gives it channels last; without the line before the loop, the second turn takes wrong axes."""
    text = ported("""        x = self.stem(x)
        for stage in self.stages:
            x = rearrange(x, 'b c h w -> b (h w) c')
            x = rearrange(stage(x), 'b (h w) c -> b c h w', h=8)
        return x
""")
    assert text == """def call(self, x):
        x = tf.transpose(x, [0, 2, 3, 1])  # NCHW to NHWC
        x = self.stem(x)
        x = tf.transpose(x, [0, 3, 1, 2])
        for stage in self.stages:
            x = rearrange(x, 'b c h w -> b (h w) c')
            x = rearrange(stage(x), 'b (h w) c -> b c h w', h=8)
        return x
"""


def test_a_variable_that_turns_leave_channels_last() -> None:
    text = ported("""        y = x.reshape(2, 3, 8, 8)
        for conv in self.convs:
            y = conv(y)
        return y
""")
    assert text.count("y = conv(tf.transpose(y, [0, 2, 3, 1]))\n            y = tf.transpose(y, [0, 3, 1, 2])\n") == 1
