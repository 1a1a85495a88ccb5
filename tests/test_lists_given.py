"""Lists of tensors that functions of the user's give, fill and yield, in PyTorch; all silent before."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

SOURCE = """import torch
from torch import nn


def listed(x):
    return [x, torch.tanh(x)]


def fill(x, outs):
    for i in range(2):
        outs.append(x * i)


def turns(x):
    for i in range(2):
        yield x * i


def pairs(x):
    for i in range(2):
        yield i, x + i


def layers(parts):
    parts.append(nn.Conv2d(4, 4, 1))
    parts.extend([nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1)])


{more}class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        parts = []
        layers(parts)
        self.body = nn.Sequential(*parts)

    def halves(self, x):
        for i in range(2):
            yield self.stem(x)[:, 2 * i:2 * i + 2]

    def forward(self, image):
        x = self.stem(image)
        {body}
        return x.sum(1).unsqueeze(1)
"""


THROUGH = """def through(x, outs):
    fill(x + 1, outs)


"""
CHAINED = """def chained(x):
    yield from turns(x)
    yield x


"""


@pytest.mark.parametrize("body", [
    "x = torch.stack(listed(x), dim=1).amax(1)",
    "a, *b = listed(x)\nx = torch.stack(b, 1)[:, 0] + a",
    "outs = []\nfill(x, outs)\nx = torch.cat(outs, 1)[:, 2:6]",
    "outs = [x]\nfill(x, outs)\nx = torch.stack(outs, 1).sum(1)",
    "outs = []\nthrough(x, outs)\nx = torch.cat(outs, 1)[:, 2:6]",
    "x = torch.stack(list(turns(x)), 1).sum(1)",
    "x = torch.stack([*chained(x)], 1).amax(1)",
    "for t in turns(x):\n    x = x + t.mean(1, keepdim=True)",
    "for i, t in pairs(x):\n    x = x + t.mean(1, keepdim=True) * i",
    "x = torch.cat(list(self.halves(image)), 1) + x",
    "x = self.body(x)",
])
def test_their_axes_are_followed(tmp_path: Path, body: str) -> None:
    more = THROUGH if "through" in body else CHAINED if "chained" in body else ""
    source = SOURCE.format(body=body.replace("\n", "\n        "), more=more)
    port = translate(source, "torch2tf")
    assert {f.code for f in port.findings} <= {"P103"}  # of `halves`
    agree(tmp_path, source, port.text, "torch2tf", [Case("Net()", ["f32[2,3,6,5]"])])
