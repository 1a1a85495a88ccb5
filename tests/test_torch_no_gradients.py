"""torch2tf: what is computed without gradients has none in the port, by whatever way it leaves the block."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

SOURCE = '''from contextlib import nullcontext

import torch
from torch import nn


class Parts(nn.Module):
    def __init__(self, late=True):
        super().__init__()
        self.late = late
        self.fc = nn.Linear(4, 4)
        self.head = nn.Linear(4, 2)

    def both(self, x):
        return self.fc(x), self.fc(x) * 2

    def given(self, x):
        with torch.no_grad():
            return self.fc(x)

    @torch.no_grad()
    def two(self, x):
        return self.fc(x), [self.fc(x) * 2]

    def forward(self, x):
        outs = [self.fc(x)]
        y = self.fc(x) * 3
        z = self.head(x)
        with torch.no_grad():
            a, b = self.both(x)
            outs.append(self.fc(x) * 5)
            c = [self.fc(x), self.fc(x) * 7]
            y += self.fc(x)
            y -= self.fc(x) * 11
            d: torch.Tensor = self.fc(x)
            self.last = self.fc(x)
            if self.late:
                z = z.exp() + self.head(x)
            e = x
            for scale in (2, 3):
                d = d * scale
        f, g = self.two(x)
        for out in (a, b, *outs, *c, y, d, self.last, e, f, *g, self.given(x)):
            z = z + self.head(out * out)
        return z


class Chosen(nn.Module):
    def __init__(self, freeze=False):
        super().__init__()
        self.freeze = freeze
        self.fc = nn.Linear(4, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x, train: bool = True):
        # the encoder
        context = torch.no_grad if self.freeze else nullcontext
        with context():
            a, b = self.fc(x), [self.fc(x), self.fc(x) * 2]
        other = torch.enable_grad() if train else torch.no_grad()
        with other:
            c = self.fc(x)
        with torch.set_grad_enabled(not self.freeze):
            d = self.fc(x) * 11
        with torch.set_grad_enabled(True):
            e = self.fc(x)
        with torch.no_grad() if self.freeze and train else nullcontext():
            f = self.fc(x) * 3
        with torch.set_grad_enabled(self.training):
            g = self.fc(x) * 5
        z = self.head(x)
        for out in (a, *b, c, d, e, f, g):
            z = z + self.head(out * out)
        return z


class Made(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x, deep=False):
        return (self.fc(x), None, [self.fc(x) * 2], 3) if not deep else x


class Outer(nn.Module):
    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x):
        with torch.no_grad():
            a, b, c, d = self.net(x)
        return x * x + a * c[0] + d


class Changed(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(4))
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        noise = torch.ones_like(x)
        parts = torch.ones_like(x)
        copied = torch.ones_like(x)
        with torch.no_grad():
            noise.mul_(self.fc(x))
            parts[0] = self.fc(x)[0]
            parts[1] += self.fc(x)[1]
            copied.copy_(self.fc(x)).add_(self.fc(x) * 2, alpha=2)
            keep = 1.0 - self.fc(x)
        if self.training:
            with torch.no_grad():
                keep.mul_(keep.sum() * self.w)
        return x * noise + keep * self.w + (parts + copied) * self.fc(x)
'''


def test_it_passes_no_gradient_on(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert not result.findings, result.findings
    assert "        if self.freeze:\n            a = tf.stop_gradient(a)\n" in result.text
    assert "        # the encoder\n        a, b =" in result.text
    assert "context" not in result.text  # the variable, and the import
    assert "outs.append(tf.stop_gradient(self.fc(x) * 5))" in result.text
    assert "            d = d * scale\n        a = tf.stop_gradient(a)\n" in result.text
    assert "c = no_gradient(c)\n" in result.text  # nothing is known of it
    calls = ("Parts()", "Parts(False)", "Chosen()", "Chosen(True)", "Outer(Made())", "Changed()")
    agree(tmp_path, SOURCE, result.text, "torch2tf", [Case(call, ("f32[3,4]",)) for call in calls])


@pytest.mark.parametrize(("lines", "why"), [
    ("with torch.no_grad():\n            y *= self.fc(x)", "it keeps the gradient that it had"),
    ("with torch.no_grad():\n            y[0] = 0.0", "it keeps the gradient that it had"),
    ("y = torch.ones_like(x)\n        y.mul_(self.fc(x))\n        with torch.no_grad():\n            y.mul_(3.0)",
     "it keeps the gradient that it had"),
    ("y = torch.ones_like(x)\n        y[0] = self.fc(x)[0]\n        with torch.no_grad():\n            y.mul_(3.0)",
     "it keeps the gradient that it had"),
    ("with torch.no_grad():\n            with torch.enable_grad():\n                y = self.fc(x)", "computed again"),
    ("with torch.no_grad():\n            for y in self.two(x):\n                pass", "some paths only"),
    ("with torch.no_grad():\n            if flag:\n                y = self.fc(x)\n            return y", "some paths"),
    ("with torch.no_grad() if flag else nullcontext():\n            return self.fc(x)", "on a condition"),
    ("with torch.no_grad() if flags.pop() else nullcontext():\n            y = self.fc(x)", "variable of its own"),
    ("c = torch.no_grad if flag else nullcontext\n        flag = not flag\n        with c():\n"
     "            y = self.fc(x)", "variable of its own"),
])
def test_where_that_cannot_be_said_it_is_refused(lines: str, why: str) -> None:
    source = SOURCE[:SOURCE.index("class Parts")] + f"""class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def two(self, x):
        return self.fc(x), self.fc(x)

    def forward(self, x, flag=False, flags=()):
        y = self.fc(x)
        {lines}
        return y
"""
    result = translate(source, "torch2tf")
    assert [f.code for f in result.findings] == ["P203"] and why in result.findings[0].message, result.findings


def test_what_has_no_gradient_anyway_is_changed_as_elsewhere() -> None:
    """Indices, tensors that are made in the block or before it, and weights of the module."""
    source = SOURCE[:SOURCE.index("class Parts")] + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        mask = torch.zeros(3, 4)
        with torch.no_grad():
            mask[0] = 1.0
            self.mean.mul_(0.9).add_(x.mean(0))
            best = x.argmax(-1)
            shift = x.mean()
            shift *= 2
            scaled = x * shift
        return x * mask + best[:, None] + scaled
"""
    result = translate(source, "torch2tf")
    assert not result.findings, result.findings
    assert "best = tf.stop" not in result.text and "shift = tf.stop" not in result.text
    assert "scaled = tf.stop_gradient(scaled)" in result.text and "self.mean.assign(" in result.text
