"""Modules that an object may or may not have, by a setting, in PyTorch; all silent before."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

MODULES = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, wide):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = wide and nn.MaxPool2d(2)
        parts = [nn.ReLU()]
        if wide:
            parts.append(nn.BatchNorm2d(4))
        self.parts = nn.Sequential(*parts)

    def forward(self, x):
        x = self.parts(self.conv(x))
        return self.pool(x) if self.pool else x
"""


def test_modules_that_may_be_there(tmp_path: Path) -> None:
    """`self.pool` of `wide and nn.MaxPool2d(2)` was given channels first: silent before."""
    port = translate(MODULES, "torch2tf").text
    agree(tmp_path, MODULES, port, "torch2tf", [Case(f"Net({w})", ["f32[2,4,8,6]"]) for w in (True, False)])


@pytest.mark.parametrize("made", [
    "parts.append(nn.LayerNorm(6))", "parts.append(nn.Flatten(2))", "parts += [nn.LayerNorm(6)]"])
def test_a_condition_that_changes_the_order_of_axes_of_a_sequential_is_refused(made: str) -> None:
    """Silent before: without the module, the Sequential gave channels last as if they were first."""
    source = MODULES.replace("parts.append(nn.BatchNorm2d(4))", made)
    found = translate(source, "torch2tf").findings
    assert {f.code for f in found if CATALOGUE[f.code].outcome is Outcome.REFUSED} & {"P208", "P209"}


@pytest.mark.parametrize("made", ["self.parts.append(nn.LayerNorm(6))", 'self.parts.add_module("n", nn.LayerNorm(6))'])
def test_so_is_one_of_a_sequential_that_grows(made: str) -> None:
    source = MODULES.replace("        if wide:\n            parts.append(nn.BatchNorm2d(4))\n", "").replace(
        "nn.Sequential(*parts)\n", f"nn.Sequential(nn.ReLU())\n        if wide:\n            {made}\n")
    found = translate(source, "torch2tf").findings
    assert [f.code for f in found if CATALOGUE[f.code].outcome is Outcome.REFUSED] == ["P209"]
