"""torch2tf: tensors of one list that become one tensor, and norms that are values."""

from __future__ import annotations

from pathlib import Path

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

SOURCE = '''from functools import lru_cache, partial

import torch
from einops import pack, unpack
from torch import nn
from torch.nn.utils.rnn import pad_sequence


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        y, shape = pack([x, x * 2], "* d")
        y, z = unpack(self.fc(y).t(), shape, "d *")
        return y * z


@lru_cache(maxsize=8)
def places(n, device):
    return torch.linspace(0, 1, n, device=device)


class Net(nn.Module):
    def __init__(self, norm_fn=None, layer=False):
        super().__init__()
        norm_fn = norm_fn if norm_fn is not None else nn.LayerNorm if layer else nn.RMSNorm
        plain = partial(nn.RMSNorm, eps=1e-2, elementwise_affine=False)
        self.fc = nn.Sequential(nn.Linear(4, 4), norm_fn(4), nn.Tanh(), plain(4))

    @property
    def device(self):
        return next(self.parameters()).device

    def forward(self, x):
        x = x + places(4, self.device)
        sizes = [torch.arange(n) for n in (2, 3)]
        grid = torch.cartesian_prod(*sizes) / torch.tensor([2.0, 3.0])
        count = torch.cartesian_prod(torch.arange(2), torch.arange(3), torch.arange(2)).sum()
        x = self.fc(x)
        y = pad_sequence([x[0, :2], x[1], x[2, :1]], batch_first=True, padding_value=1.0)
        z = nn.utils.rnn.pad_sequence([x[0, :2], x[1]])
        t = torch.linspace(0, 1, 4)
        return y.sum(0) * z.sum(1).mean() + grid.sum() + count + torch.trapezoid(x * x, t, dim=-1).mean()
'''


MASKED = '''import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, added=False):
        super().__init__()
        self.added = added
        self.fc = nn.Linear(4, 4)
        self.register_buffer("mask", torch.tensor([[True, False, True], [False, False, False], [True, True, True]]))

    def forward(self, x):
        y = self.fc(x)
        mask = self.mask
        if self.added:
            mask = torch.zeros(3, 3).masked_fill(~self.mask, float("-inf"))
        return F.scaled_dot_product_attention(y, x, y, attn_mask=mask)
'''


def test_who_may_look_at_nothing_gets_zeros_and_has_gradients(tmp_path: Path) -> None:
    result = translate(MASKED, "torch2tf")
    assert not result.findings, result.findings
    agree(tmp_path, MASKED, result.text, "torch2tf", [Case(call, ("f32[2,3,4]",)) for call in ("Net()", "Net(True)")])


def test_they_are_filled_up_and_combined(tmp_path: Path) -> None:
    result = translate(SOURCE, "torch2tf")
    assert [f.code for f in result.findings] == ["P103"] * 2 and "lru_cache" not in result.text, result.findings
    assert "y, z = unpack_axes(" in result.text and "from einops import pack\n" in result.text
    assert "else layer_norm if layer else rms_normalization\n" in result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf",
          [Case(call, ("f32[3,5,4]",)) for call in ("Net()", "Net(layer=True)", "Packed()")])
