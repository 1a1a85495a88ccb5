"""torch2tf: tensors that are changed in place, some of which are channels last in the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, verify

LINES = ["y += z", "y -= z * 2", "y *= z", "y.add_(z)", "y = y.mul_(z)", "z += y", "z.sub_(y)", "y += z.mean(1, True)",
         "y += z; y += x", "y[:, :2] += z[:, :2]", "y[:, :2].add_(z[:, :2])", "y[:, :2] = z[:, :2]",
         "y[:, 0] += z[:, 0]", "y[:, 0] = z[:, 0]", "y[0] += z[0]", "y.copy_(z)",
         "y.add_(z).mul_(z)", "y = y.add_(z).mul_(2)"]


@pytest.mark.parametrize("lines", LINES)
def test_what_is_added_in_place_has_the_axes_of_what_it_is_added_to(tmp_path: Path, lines: str) -> None:
    """`y` has the source's axes, `z` has channels last: they met as they were, if their sizes allowed it."""
    source = f"""import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        y = self.fc(x)
        z = self.conv(x)
        {lines}
        return y, z
"""
    (tmp_path / "source.py").write_text(source, encoding="utf-8")
    (tmp_path / "port.py").write_text(translate(source, "torch2tf").text, encoding="utf-8")
    verdict, = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[2,4,4,4]",))])
    assert verdict.status == "verified", verdict


@pytest.mark.parametrize(("branches", "told"), [
    ("if self.fast:\n            x = torch.exp(x)\n        else:\n            x = torch.sin(x)", False),
    ("if self.fast:\n            x = torch.exp(x)\n        elif self.slow:\n            x = torch.sin(x)\n"
     "        else:\n            x = x * 2", False),
    ("if self.fast:\n            return x\n        else:\n            x = torch.sin(x)", False),
    ("if self.fast:\n            x = torch.exp(x)", True),
    ("if self.fast:\n            x = torch.exp(x)\n        elif self.slow:\n            x = torch.sin(x)", True),
    ("if self.fast:\n            x = torch.exp(x)\n        else:\n            x = x.view(-1, 4)", True),
])
def test_what_every_branch_makes_anew_is_not_what_was_given(branches: str, told: bool) -> None:
    result = translate(f"""import torch
from torch import nn


class Act(nn.Module):
    def __init__(self, fast=False, slow=False):
        super().__init__()
        self.fast = fast
        self.slow = slow
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        {branches}
        return self.act(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = Act()

    def forward(self, x):
        y = self.act(x)
        return y + x
""", "torch2tf")
    assert [f.code for f in result.findings if "changes a tensor in place" in f.message] == ["P203"] * told


@pytest.mark.parametrize("leave", ["break", "continue", "pass"])
def test_what_a_turn_of_a_loop_leaves_with_is_what_was_given(leave: str) -> None:
    """A branch that leaves the turn does not leave the function: `y` may be `x` behind the loop."""
    result = translate(f"""import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, steps=2):
        super().__init__()
        self.steps = steps
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        x = self.fc(x)
        y = torch.exp(x)
        for i in range(self.steps):
            if i > 0:
                y = x
                {leave}
        y.mul_(2)
        return x + y
""", "torch2tf")
    assert [f.code for f in result.findings] == ["P203"], result.findings
