"""The worklist of torch2tf settles: what a function makes anew in each run is no news to itself."""

from __future__ import annotations

import pytest

from port.torch2tf.interp import Interp
from port.translate import translate

SHARED = '''
from torch import nn


class Base(nn.Module):
    def forward(self, x):
        for block in self.parts:
            x = block(x)
        return x


class Narrow(Base):
    def __init__(self, n=2):
        super().__init__()
        self.parts = []
        for i in range(n):
            self.parts.append(nn.Linear(4, 4))


class Wide(Base):
    def __init__(self, n=2):
        super().__init__()
        self.parts = []
        for i in range(n):
            self.parts += [nn.Linear(4, 4), nn.ReLU()]
'''
EITHER = '''
from torch import nn


def head(flag, width):
    layers = [nn.Linear(3, width)] if flag else [nn.Identity()]
    layers.append(nn.ReLU())
    return nn.Sequential(*layers)
'''
COPIES = '''
import torch


def names(x):
    kept = ["a", "b", "c"][:2]
    kept.append("d")
    more = kept.copy()
    more.append("e")
    last = list(more)
    last += ["f"]
    table = {}
    table["z"] = []
    table["z"].append(3)
    return torch.relu(x), last, table
'''
KEYWORDS = '''
from torch import nn


def head(width=3, depth=2):
    return nn.Sequential(*[nn.Linear(width, width) for _ in range(depth)])


def net(**kwargs):
    kwargs["width"] = 5
    return head(**kwargs)
'''


@pytest.mark.parametrize("text", [SHARED, EITHER, COPIES, KEYWORDS], ids=["shared", "either", "copies", "keywords"])
def test_a_function_runs_few_times(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: dict[str, int] = {}
    run = Interp.run

    def counted(self: Interp) -> Interp:
        run(self)
        runs.update((f.name, f.runs) for f in self.functions.values())
        return self

    monkeypatch.setattr(Interp, "run", counted)
    translate(text, "torch2tf")
    assert runs and max(runs.values()) <= 4, runs


TURNING = """import torch
from torch import nn


class Box:
    def __init__(self, x):
        self.x = x
        self.all = [x, torch.sin(x)]


def swap(pair):
    a, b = pair
    return b, a


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x):
        x = self.stem(x)
        box = Box(x)
        x = torch.stack(box.all, dim=1).mean(1) + box.x
        a, b = swap((x, x.mean(1, keepdim=True)))
        x = a * b
        box = Box(x)
        return x + box.x
"""


def test_axes_that_turn_with_each_run_are_refused() -> None:
    """What a function said of its tensors after so many runs was taken, though others said it differently."""
    found = translate(TURNING, "torch2tf").findings
    assert "does not settle" in next(f.message for f in found if f.code == "P209")
