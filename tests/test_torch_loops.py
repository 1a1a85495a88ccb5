"""Loops: a variable comes to each turn in one order of axes."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.translate import translate
from port.verify.parent import Case

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


STATES = '''import torch
from torch import nn, Tensor
from typing import List, Optional


class Cell(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gates = nn.Conv2d(3 + width, 2 * width, 3, padding=1)
        self.width = width

    def forward(self, x: Tensor, h: Optional[Tensor] = None) -> Tensor:
        if h is None:
            h = x.new_zeros(x.size(0), self.width, x.size(2), x.size(3))
        z, n = self.gates(torch.cat((x, h), dim=1)).chunk(2, dim=1)
        z = z.sigmoid()
        return (1 - z) * n.tanh() + z * h


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.cell = Cell(width)
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, clip: Tensor):
        state: Optional[Tensor] = None
        outs: List[Tensor] = []
        for i in range(clip.size(1)):
            state = self.cell(clip[:, i], state)
            outs.append(state)
        seq = torch.stack(outs, dim=1)
        return seq, self.last(seq.mean(1)), torch.cat(outs, 1)
'''


def test_a_state_of_images_that_begins_as_none(tmp_path: Path) -> None:
    """Its hint says that it may be None; the images of all turns are stacked in the source's order of axes."""
    result = translate(STATES, "torch2tf")
    assert not [f for f in result.findings if f.outcome.needs_person], result.findings
    agree(tmp_path, STATES, result.text, "torch2tf", [Case("Net()", ("f32[2,3,3,6,5]",))])


def test_a_function_that_extends_its_list_by_what_it_gives_itself_ends() -> None:
    """PyTorch Geometric's `_get_flattened_data_list` took gigabytes: the list grew threefold with each run."""
    result = translate('''import torch


def flattened(items):
    outs = []
    for item in items:
        if isinstance(item, torch.Tensor):
            outs.append(item)
        elif isinstance(item, (tuple, list)):
            outs.extend(flattened(item))
        else:
            outs.extend(flattened(item.values()))
    return outs


def joined(x: torch.Tensor, y: torch.Tensor):
    return torch.cat(flattened([x, [y, {"a": x}]]), 1)
''', "torch2tf")
    assert "tf.concat(flattened([x, [y, {\"a\": x}]]), axis=1)" in result.text

