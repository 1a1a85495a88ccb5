"""Buffers that a module changes in place are variables that are not trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\n\n\n"
NET = HEAD + '''class Centre(nn.Module):
    def __init__(self, n, start=None):
        super().__init__()
        if start is None:
            start = torch.zeros(1, n)
        self.register_buffer("mean", start)
        self.register_buffer("count", torch.zeros((), dtype=torch.long), persistent=False)

    def reset(self):
        self.mean.zero_()
        if self.mean.shape[-1] < 2:
            raise ValueError(f"{self.mean.shape}")

    def forward(self, x):
        if self.training:
            self.mean.mul_(0.9).add_(x.detach().mean(0, keepdim=True), alpha=0.1)
            self.count.add_(1)
        return (x - self.mean) * self.count


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.centre = Centre(4)
        self.reset()

    def reset(self):
        def one(m):
            if isinstance(m, Centre):
                m.reset()
        self.apply(one)

    def forward(self, x):
        return self.centre(self.fc(x)) + x
'''


def test_what_changes_them_assigns(tmp_path: Path) -> None:
    result = translate(NET, "torch2tf")
    assert not result.findings
    assert 'self.mean = keras.Variable(start, trainable=False, name="mean")' in result.text
    assert 'self.count = keras.Variable(tf.zeros((), tf.int64), dtype="int64", trainable=False' in result.text
    assert "self.mean.assign(tf.zeros_like(self.mean))" in result.text
    agree(tmp_path, NET, result.text, "torch2tf", [Case("Net()", ("f32[3,4]",))])


def test_a_change_that_is_lost_is_a_mismatch(tmp_path: Path) -> None:
    text = translate(NET, "torch2tf").text.replace("self.count.assign(self.count + 1)", "pass")
    with pytest.raises(AssertionError, match="outputs differ in train mode"):
        agree(tmp_path, NET, text, "torch2tf", [Case("Net()", ("f32[3,4]",))])


@pytest.mark.parametrize(("lines", "reason"), [
    ("first = self.mean[0]\n        self.mean.zero_()\n        return x + first", "`first`, which is read below"),
    ("self.mean.zero_()\n        return self.mean[:, 1:]", "a view of the buffer `mean` may be given"),
    ("self.first = self.mean[0]\n        self.mean.zero_()\n        return x", "`self.first` may share its memory"),
    ("self.other = self.mean\n        return x", "`self.other` may share its memory"),
    ("self.mean = x * 2\n        return x", "it is a variable in Keras: write `self.mean.copy_(...)`"),
])
def test_views_and_other_tensors_are_refused(lines: str, reason: str) -> None:
    source = HEAD + f'''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(1, 4))

    def reset(self):
        self.mean.zero_()

    def forward(self, x):
        {lines}
'''
    assert any(reason in f.message for f in translate(source, "torch2tf").findings)


def test_what_is_registered_is_held_elsewhere() -> None:
    source = NET.replace('        self.register_buffer("mean", start)\n',
                         '        self.register_buffer("mean", start)\n        self.start = start\n')
    assert any("`self.start` may share its memory" in f.message for f in translate(source, "torch2tf").findings)


def test_a_class_below_changes_it() -> None:
    source = HEAD + '''class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("n", torch.zeros(2))

    def forward(self, x):
        return x + self.n


class Below(Base):
    def forward(self, x):
        self.n.add_(1)
        return super().forward(x)
'''
    text = translate(source, "torch2tf").text
    assert 'self.n = keras.Variable(tf.zeros([2], self.compute_dtype), trainable=False, name="n")' in text
    assert "self.n.assign(self.n + 1)" in text


def test_a_parameter_is_assigned_as_well_and_a_mere_attribute_refused(tmp_path: Path) -> None:
    source = HEAD + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3))

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.weight.clamp_(-0.5, 0.5)
        return x @ self.weight.clamp(-0.5, 0.5)
"""
    result = translate(source, "torch2tf")
    assert not result.findings and "self.weight.assign(" in result.text
    agree(tmp_path, source, result.text, "torch2tf", [Case("Net()", ("f32[2,4]",))])
    other = translate(source.replace("nn.Parameter(torch.randn(4, 3))", "torch.randn(4, 3)"), "torch2tf")
    assert any("a tensor is changed in place" in f.message for f in other.findings)
