"""Modules and weights in plain lists, tuples and dicts: PyTorch does not find them, Keras does, and P101 says so."""

from __future__ import annotations

import pytest

from port.translate import translate

NET = """import torch
from torch import nn


def make():
    return [nn.Linear(4, 4)]


class Parts(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def forward(self, x):
        return self.parts[0](x)


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.fc = nn.Linear(4, 4)
{held}

    def forward(self, x):
        return self.fc(x)
"""


def told(held: str) -> list[tuple[str, str]]:
    lines = "\n".join("        " + line for line in held.split("\n"))
    source = NET.format(held=lines)
    return [(f.code, source.split("\n")[f.line - 1].strip()) for f in translate(source, "torch2tf").findings
            if "hidden" in f.message]


@pytest.mark.parametrize("held, said", [
    ("self.a = [nn.Linear(4, 4)]", ""),
    ("self.a = nn.Linear(4, 4), nn.ReLU()", ""),
    ("self.a = {'one': nn.BatchNorm1d(4)}", ""),
    ("self.a: list = [nn.Dropout(0.5)]", ""),  # its mode stays what it was
    ("self.a = []\nfor _ in range(2):\n    self.a.append(nn.Linear(4, 4))", "self.a = []"),
    ("self.a = []\nself.a += [nn.Linear(4, 4)]", "self.a = []"),
    ("self.a = {}\nself.a['one'] = nn.Linear(4, 4)", "self.a = {}"),
    ("self.a = dict(one=nn.Linear(4, 4))", ""),
    ("self.a = make()", ""),
    ("parts = []\nparts.append(nn.Sequential(nn.Linear(4, 4)))\nself.a = parts", "self.a = parts"),
    ("self.a = [[nn.Linear(4, 4), nn.ReLU()] for _ in range(2)]", ""),
    ("self.a = [('one', nn.Linear(4, 4))]", ""),
    ("self.a = [self.fc, nn.Linear(4, 4)]", ""),
    ("self.a = [Parts(nn.ModuleList())]", ""),
    ("self.a = [nn.Parameter(torch.zeros(4)) for _ in range(2)]", ""),
    ("self.a = {'one': nn.Parameter(torch.zeros(4))}", ""),
    ("self.a = []\nself.a.append(nn.Parameter(torch.zeros(4)))", "self.a = []"),
    ("self.a = Parts([nn.Linear(4, 4)])\nself.b = Parts(nn.ModuleList([nn.Linear(4, 4)]))", "self.parts = parts"),
])
def test_told(held: str, said: str) -> None:
    """Only displays and comprehensions written right there were told of before."""
    assert told(held) == [("P101", said or held)]


@pytest.mark.parametrize("held", [
    "self.a = [nn.ReLU(), nn.Sequential(nn.Tanh(), nn.MaxPool1d(2))]",  # nothing to find in them
    "self.a = [self.fc]",
    "self.a = [nn.Linear(4, 4)]\nself.b = nn.ModuleList(self.a)",
    "self.a = []\nfor _ in range(2):\n    self.a.append(nn.Linear(4, 4))\nself.b = nn.Sequential(*self.a)",
    "self.a = [nn.Linear(4, 4)]\nself.add_module('b', self.a[0])",
    "self.a = []\nfor i in range(2):\n    fc = nn.Linear(4, 4)\n    self.a.append(fc)\n    setattr(self, f'fc{i}', fc)",
    "self.a = Parts(nn.ModuleList([nn.Linear(4, 4)]))",
    "self.a = {'norm': nn.LayerNorm, 'width': 4}",
    "a = [nn.Linear(4, 4)]",
    "self.a = nn.Parameter(torch.zeros(4))\nself.b = [self.a, self.fc.weight]",
    "self.a = nn.ParameterList([nn.Parameter(torch.zeros(4))])",
])
def test_not_told(held: str) -> None:
    assert told(held) == []
