"""What a module keeps on itself from call to call, which tf.function would not."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\n\n\n"

CACHED = '''class Cached(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.mask = None

    def get_mask(self, n, device):
        if self.mask is not None and self.mask.shape[-1] >= n:
            return self.mask[:n, :n]
        mask = torch.ones((n, n), device=device, dtype=torch.bool).triu(1)
        self.register_buffer("mask", mask, persistent=False)
        return mask

    def forward(self, x):
        n = x.shape[1]
        return self.fc(x).masked_fill(self.get_mask(n, x.device)[:, :1], 0.)
'''

PLAIN = '''class Plain(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.table = None

    def forward(self, x):
        if self.table is None or self.table.shape[0] != x.shape[1]:
            self.table = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)
        return self.fc(x) * self.table[:, None]
'''

STATEFUL = '''class Stateful(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.h = None

    def forward(self, x):
        h = self.fc(x) if self.h is None else self.fc(x) + self.h
        self.h = h
        return h
'''

STATISTICS = '''class Norm(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("steps", torch.zeros(1))

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0).detach()
            self.steps += 1
        return x - self.mean
'''

SHOWN = '''class Shown(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x):
        self.attn = self.fc(x).softmax(-1)
        return self.attn @ x.transpose(1, 2)
'''


@pytest.mark.parametrize(("source", "name"), [(CACHED, "mask"), (PLAIN, "table"), (STATEFUL, "h"), (STATISTICS, "mean"),
                                              (STATISTICS.replace("self.mean = 0.9 * ", "y = "), "steps")])
def test_a_tensor_that_the_next_call_would_read_is_refused(source: str, name: str) -> None:
    result = translate(HEAD + source, "torch2tf")
    (finding,) = result.findings
    assert finding.code == "P203" and f"`self.{name}` carries a tensor" in finding.message
    assert source.strip().partition("\n")[2] in result.text  # as it was


def test_a_tensor_that_is_only_shown_stays(tmp_path: Path) -> None:
    result = translate(HEAD + SHOWN, "torch2tf")
    assert not result.findings
    agree(tmp_path, HEAD + SHOWN, result.text, "torch2tf", [Case("Shown()", ("f32[2,3,4]",))])


MOVED = '''class Moved(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        self.eps = torch.FloatTensor([1e-3])

    def forward(self, x):
        self.eps = self.eps.to(x.device)
        return self.fc(x) + self.eps
'''


def test_a_constant_that_follows_its_input_to_a_device_stays(tmp_path: Path) -> None:
    result = translate(HEAD + MOVED, "torch2tf")
    assert not result.findings
    agree(tmp_path, HEAD + MOVED, result.text, "torch2tf", [Case("Moved()", ("f32[2,4]",))])
