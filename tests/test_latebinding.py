"""Lambdas in ported constructors keep the values that modules were made with."""

from __future__ import annotations

from port.translate import translate

LOOP = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, size, sizes):
        super().__init__()
        self.one = nn.Unfold(size, stride=2)
        steps = []
        for kernel, stride in sizes:
            steps.append(nn.Unfold(kernel, stride=stride))
        self.steps = nn.ModuleList(steps)

    def forward(self, x):
        return [self.one(x), *[step(x) for step in self.steps]]
"""


def test_a_loop_variable_is_bound_where_the_layer_is_made() -> None:
    text = translate(LOOP, "torch2tf").text
    assert "lambda x, kernel=kernel, stride=stride: unfold(x, kernel, stride=stride)" in text, text


def test_a_variable_that_does_not_change_is_read_where_it_is() -> None:
    text = translate(LOOP, "torch2tf").text
    assert "lambda x: unfold(x, size, stride=2)" in text, text


def test_a_variable_that_is_set_again_is_bound() -> None:
    text = translate(LOOP.replace("        steps = []", "        size = size + 1\n        steps = []"), "torch2tf").text
    assert "lambda x, size=size: unfold(x, size, stride=2)" in text, text
