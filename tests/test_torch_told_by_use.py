"""What a value is, told by how it is used; and what a function gives that gives one of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

SOURCE = '''import torch
from torch import is_tensor, nn
from torch.fft import fft2


class Both(nn.Module):
    def __init__(self, parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x, sizes=None):
        if is_tensor(x):
            x = x.split(sizes, dim=1)
        out = tuple(part(t) for part, t in zip(self.parts, x))
        if is_tensor:
            out = torch.cat(out, dim=1)
        return out


class Always(nn.Module):
    def __init__(self, dim, several=True):
        super().__init__()
        self.several = several
        self.qkv = Both([nn.Linear(dim, 6), nn.Linear(dim, 6)]) if several else nn.Linear(dim, 6)

    def forward(self, x):
        q, k = (self.qkv(x, sizes=(1, 2)) if self.several else self.qkv(x)).chunk(2, dim=-1)
        return q * k


class Waves(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        x = self.fc(x)
        waves = torch.view_as_real(fft2(x * 2)).sum(dim=-1)
        return waves + torch.fmod(x.float() * 9, 0.7), torch.fft.ifft2(torch.fft.fft2(x)).real


class Inner(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        return self.fc(x).tanh()


class Pooled(nn.Module):
    def __init__(self, body, dim, mean=True, temperature=2.0):
        super().__init__()
        self.body, self.mean, self.temperature = body, mean, temperature
        self.conv = nn.Conv1d(3, dim, 1)
        self.fc = nn.Linear(dim, 2)

    def forward(self, x):
        x = self.conv(x)
        x = self.body(x.transpose(1, 2))
        y = (self.body(x) / self.temperature).softmax(dim=-1)
        x = x.mean(dim=1) if self.mean else x[:, 0]
        return self.fc(x), y.permute(0, 2, 1)


class Held(nn.Module):
    def __init__(self, teacher, dim):
        super().__init__()
        self.teacher = teacher
        self.a, self.b = nn.Linear(dim, dim), nn.Linear(dim, dim)

    @torch.no_grad()
    def both(self, x):
        return self.a(x), self.b(x)

    @torch.no_grad()
    def target(self, x):
        x = self.teacher(x)
        return x

    def forward(self, x):
        a, b = self.both(x)
        with torch.no_grad():
            target = self.teacher(x)
            c, d = self.a(x), self.b(x + 1)
        return self.a(x) * a * b * c + self.b(x) * d * target * self.target(x)


class Pick(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.conv = nn.Conv2d(3, dim, 1)

    def forward(self, x, more=False):
        y = self.conv(x)
        return (y, y.softmax(1)) if more else y


class Blocks(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, dim, 3), nn.LayerNorm(dim)

    def forward(self, x, more=False):
        out = self.conv(x)
        if more:
            return out.relu(), [out]
        return out.relu()


class Verbose(nn.Module):
    def __init__(self, dim, more=False):
        super().__init__()
        self.blocks, self.norm, self.more = Blocks(dim), nn.LayerNorm(dim), more

    def forward(self, x):
        y = self.blocks(x, more=self.more)
        if self.more:
            y, history = y
        y = self.norm(y.mean(dim=(2, 3)))
        if self.more:
            return y.view(y.size(0), -1), history
        return y


class Doubled:
    def forward(self, x):
        return super().forward(x) * 2


class Twice(Doubled, Inner):
    pass
'''


def test_numbers(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert not result.findings, result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf", [
        Case("Always(4)", ("f32[2,3,4]",)), Case("Waves(4)", ("f32[2,6,4]",)), Case("Held(Inner(3), 3)", ("f32[2,3]",)),
        *(Case(f"Pooled(Inner(4), 4, {mean})", ("f32[2,3,5]",)) for mean in (True, False)),
        Case("Twice(3)", ("f32[2,3]",)), Case("Pick(4)", ("f32[2,3,5,4]",)),
        *(Case(f"Verbose(4, {more})", ("f32[2,3,5,6]",)) for more in (True, False))])


@pytest.mark.parametrize(("lines", "code"), [
    ("y = self.conv(x)\n        if more:\n            y = (y, y.softmax(1))\n        return y", "P209"),
    ("y = self.conv(x)\n        out = [y] if more else y\n        return out", "P209"),
    ("return self.body(x).mean(1)", "P204"), ("return self.body(x).to(x.dtype)", "P204"),
])
def test_what_no_use_tells(lines: str, code: str) -> None:
    """NumPy's arrays have a `mean` of the same place; a list of images and an image were given channels last."""
    result = translate("from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, body):\n"
                       "        super().__init__()\n        self.body, self.conv = body, nn.Conv2d(3, 4, 1)\n\n"
                       f"    def forward(self, x, more=False):\n        {lines}\n", "torch2tf")
    assert [f.code for f in result.findings] == [code], result.text
