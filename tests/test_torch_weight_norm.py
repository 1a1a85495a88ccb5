"""weight_norm, of both styles: the layer inside a helper that computes its kernel, and verify that carries g and v."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = """import torch
from torch import nn
from torch.nn.utils import remove_weight_norm, weight_norm
from torch.nn.utils.parametrizations import weight_norm as normed


"""
NET = HEAD + '''class Net(nn.Module):
    def __init__(self, dim=6):
        super().__init__()
        self.conv = weight_norm(nn.Conv1d(4, dim, 3, padding=1))
        self.pos = nn.Conv1d(dim, dim, 4, padding=2, groups=2)
        nn.init.normal_(self.pos.weight, std=0.1)
        nn.init.constant_(self.pos.bias, 0)
        self.pos = normed(self.pos, name="weight", dim=2)
        self.ups = nn.ModuleList([weight_norm(nn.ConvTranspose1d(dim, dim, 4, 2, padding=1)),
                                  normed(nn.ConvTranspose1d(dim, dim, 4, 2), dim=1)])
        self.chain = nn.Sequential(weight_norm(nn.Conv1d(dim, dim, 3, padding=2), dim=None), nn.ReLU())
        self.fc = weight_norm(nn.Linear(dim, 5, bias=False), dim=None)
        self.fc2 = normed(nn.Linear(5, 3), dim=1)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = self.pos(x)
        for up in self.ups:
            x = up(x)
        x = self.chain(x)
        return self.fc2(self.fc(x.mean(2)))
'''
IMAGES = HEAD + '''def block(a, b):
    conv = nn.Conv2d(a, b, (3, 5), stride=2)
    return normed(conv)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = block(3, 4)
        self.b = weight_norm(nn.ConvTranspose2d(4, 2, 3), dim=3)

    def forward(self, x):
        return self.b(self.a(x))
'''


CAUSAL = HEAD + '''class Pad(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.pad = nn.ConstantPad1d((n, 0), 0.0)

    def forward(self, x):
        return self.pad(x)


class Causal(nn.Conv1d):
    def __init__(self, a, b, size, dilation=1):
        super().__init__(a, b, size, dilation=dilation)
        self.padder = Pad((size - 1) * dilation)

    def forward(self, x, scale=1.0):
        return super().forward(self.padder(x)) * scale


class Net(nn.Module):
    def __init__(self, norm="weight"):
        super().__init__()
        self.conv1 = Causal(4, 6, 3)
        self.conv2 = Causal(6, 5, 2, dilation=2)
        if norm == "weight":
            self.conv1 = normed(self.conv1)
            self.conv2 = normed(self.conv2, dim=1)

    def forward(self, x):
        return self.conv2(torch.relu(self.conv1(x, scale=0.5)))
'''


def test_layers_of_both_styles_and_all_axes(tmp_path: Path) -> None:
    result = translate(NET, "torch2tf")
    assert not result.findings
    assert 'self.conv = WeightNorm(layers.Conv1D(dim, 3, padding="same", **default_init(4 * 3)))' in result.text
    assert "self.pos = WeightNorm(self.pos, axis=0)" in result.text
    agree(tmp_path, NET, result.text, "torch2tf", [Case("Net()", ("f32[2,4,9]",))])


def test_images_and_a_function_that_gives_the_layer(tmp_path: Path) -> None:
    result = translate(IMAGES, "torch2tf")
    assert not result.findings
    assert "    return WeightNorm(conv)\n" in result.text
    agree(tmp_path, IMAGES, result.text, "torch2tf", [Case("Net()", ("f32[2,3,9,13]",))])


def test_a_class_that_inherits_from_a_convolution(tmp_path: Path) -> None:
    """What it is called with goes through."""
    result = translate(CAUSAL, "torch2tf")
    assert not result.findings
    assert "self.conv1 = WeightNorm(self.conv1)\n" in result.text
    agree(tmp_path, CAUSAL, result.text, "torch2tf", [Case("Net()", ("f32[2,4,9]",))])


def test_what_is_read_of_such_a_class_is_refused() -> None:
    source = CAUSAL.replace("        self.conv1 = Causal(4, 6, 3)\n",
                            "        self.conv1 = Causal(4, 6, 3)\n        self.first = self.conv1.weight[0]\n")
    assert any("`self.conv1.weight`: in Keras `Causal` holds the layer" in f.message
               for f in translate(source, "torch2tf").findings)


def test_a_lost_norm_is_a_mismatch(tmp_path: Path) -> None:
    text = translate(NET, "torch2tf").text.replace("WeightNorm(layers.Dense(3, **default_init(5)), axis=-2)",
                                                   "layers.Dense(3, **default_init(5))")
    with pytest.raises(AssertionError, match=r"fc2.*weight_norm"):
        agree(tmp_path, NET, text, "torch2tf", [Case("Net()", ("f32[2,4,9]",))])


MADE = "self.a = weight_norm(nn.Linear(3, 3))"
REASONS = [
    ("self.a = nn.Linear(3, 3)\n        weight_norm(self.a)", "changes a module that other code has"),
    ("self.a = nn.Linear(3, 3)\n        self.b = nn.Sequential(self.a)\n        self.a = weight_norm(self.a)",
     "changes a module that other code has"),
    ("self.a = weight_norm(nn.LSTM(3, 3), 'weight_hh_l0')", "another weight"),
    ("self.a = weight_norm(nn.Embedding(3, 3))", "a Linear or a convolution is put into"),
    ("self.a = weight_norm(nn.Linear(3, 3), dim=dim)", "which axis"),
    (MADE + "\n        self.w = self.a.weight", "computes"),
    (MADE + "\n        self.ok = isinstance(self.a, nn.Linear)", "computes"),
    (MADE + "\n        remove_weight_norm(self.a)", "make a plain one"),
    ("self.a = nn.Linear(3, 3)\n        nn.utils.spectral_norm(self.a)", "SpectralNormalization"),
    ("self.a = nn.Linear(3, 3)\n        self.apply(weight_norm)", "weight_norm"),
    ("self.a = nn.Linear(3, 3)\n        for m in self.modules():\n            nn.utils.spectral_norm(m)", "Spectral"),
]


def net(lines: str) -> str:
    return HEAD + ("class Net(nn.Module):\n    def __init__(self, dim):\n        super().__init__()\n"
                   f"        {lines}\n\n    def forward(self, x):\n        return self.a(x)\n")


@pytest.mark.parametrize("lines, reason", REASONS)
def test_refused(lines: str, reason: str) -> None:
    assert any(reason in f.message for f in translate(net(lines), "torch2tf").findings if f.outcome.needs_person)


def test_initial_values_that_are_set_behind_it_are_told() -> None:
    result = translate(net(MADE + "\n        nn.init.zeros_(self.a.bias)"), "torch2tf")
    assert [f.code for f in result.findings] == ["P101"] and "weight_norm" in result.findings[0].message
