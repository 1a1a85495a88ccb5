"""Layers whose weight is read and that nothing calls: PyTorch makes it at once, Keras at the first call."""

from __future__ import annotations

from pathlib import Path

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

SOURCE = """import torch
import torch.nn.functional as F
from torch import nn


def attend(x, qkv_weight, proj_weight, qkv_bias, proj_bias):
    qkv = F.linear(x, qkv_weight, qkv_bias)
    q, k, v = qkv.chunk(3, -1)
    x = torch.softmax(q @ k.transpose(-2, -1), -1) @ v
    return F.linear(x, proj_weight, proj_bias)


class Attention(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.qkv = nn.Linear(dim, dim * 3)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        return attend(x, self.qkv.weight, self.proj.weight, self.qkv.bias, self.proj.bias)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = Attention(6)
        self.head = nn.Linear(6, 5)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.trunc_normal_(m.weight, std=0.02)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.head(self.attention(x))
"""


def test_dense_layers_that_are_only_read_are_made_by_build(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert not [f for f in result.findings if f.outcome is Outcome.REFUSED or f.code == "P103"], result.findings
    assert "self.proj_inputs = dim" in result.text
    assert "        self.proj.build((None, self.proj_inputs))" in result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf", [Case("Net()", ("f32[2,7,6]",))])


def test_what_is_called_or_has_no_size_is_not_made_by_build() -> None:
    called = SOURCE.replace("(self.attention(x))", "(self.attention(x)) @ self.head.weight")
    assert "head_inputs" not in translate(called, "torch2tf").text
    lazy = SOURCE.replace("nn.Linear(dim, dim)", "nn.LazyLinear(dim)")
    assert any("nothing here is seen to call `self.proj`" in f.message for f in translate(lazy, "torch2tf").findings)


def test_before_the_return_that_a_constructor_ends_with_and_of_a_layer_that_may_be_none(tmp_path: Path) -> None:
    made = "        self.proj = nn.Linear(dim, dim)"
    source = SOURCE.replace(f"{made}\n", f"{made} if dim > 1 else None\n        return\n")
    text = translate(source, "torch2tf").text
    assert "        self.proj_inputs = dim\n        return\n" in text
    assert "        if self.proj is not None:\n            self.proj.build((None, self.proj_inputs))" in text
    agree(tmp_path, source, text, "torch2tf", [Case("Net()", ("f32[2,7,6]",))])
