"""Attributes of classes that share a base: each line of inheritance has its own."""

from __future__ import annotations

from pathlib import Path

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

SOURCE = '''import torch
from torch import nn


class Base(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.head = nn.Linear(n, 2)

    def run(self, x):
        return self.head(self.encoder(x))


class Flat(Base):
    def __init__(self, n=4):
        super().__init__(n)
        self.encoder = nn.Sequential(nn.Linear(n, n), nn.ReLU())

    def forward(self, x):
        return self.head(self.encoder(x).flatten(1))


class Named(Base):
    def __init__(self, n=4):
        super().__init__(n)
        self.encoder = nn.ModuleDict({"a": nn.Linear(n, n), "b": nn.Linear(n, n)})

    def forward(self, x):
        return self.head(self.encoder["b"](self.encoder["a"](x)))


class Wide(Base):
    def __init__(self, n=4):
        super().__init__(n)
        self.encoder = nn.Conv2d(n, n, 1)

    def forward(self, x):
        return self.head(self.encoder(x).mean((2, 3)))
'''


def test_siblings_with_attributes_of_one_name(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert not result.findings
    assert 'self.encoder["b"](self.encoder["a"](x))' in result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf", [
        Case("Flat()", ("f32[3,4]",)), Case("Named()", ("f32[3,4]",)), Case("Wide()", ("f32[3,4,5,6]",))])


def test_a_tensor_method_of_something_unknown_is_refused() -> None:
    unknown = "import torch\n\n\ndef f(x: torch.Tensor, other):\n    return other.made(x).flatten(1)\n"
    assert any(f.code == "P204" and "`.flatten()`" in f.message for f in translate(unknown, "torch2tf").findings)
    assert not translate(unknown.replace("flatten", "thing"), "torch2tf").findings
