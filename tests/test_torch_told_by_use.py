"""What a value is, told by how it is used; and what a function gives that gives one of two."""

from __future__ import annotations

from pathlib import Path

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
'''


def test_numbers(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert not result.findings, result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf", [
        Case("Always(4)", ("f32[2,3,4]",)), Case("Waves(4)", ("f32[2,6,4]",))])
