"""`def __init__(self, ..., **kwargs)` whose `kwargs` go to one layer: they get names, and the layer's defaults."""

from __future__ import annotations

from pathlib import Path

from port.result import Result
from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

SOURCE = """import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, in_channels, out_channels, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, bias=False, **kwargs)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)))


class Net(nn.Module):
    def __init__(self, block=None):
        super().__init__()
        if block is None:
            block = Block
        self.a = block(3, 4, kernel_size=3, padding=1)
        self.b = block(4, 4, kernel_size=(1, 5), padding=(0, 2))
        self.c = block(4, 4, stride=2, kernel_size=3)

    def forward(self, x):
        return self.c(self.b(self.a(x)))
"""


def ported(source: str = SOURCE) -> Result:
    return translate(source, "torch2tf")


def test_names_and_numbers(tmp_path: Path) -> None:
    result = ported()
    assert {f.code for f in result.findings} == {"P101"}, result.findings
    assert "def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0):" in result.text
    agree(tmp_path, SOURCE, result.text, "torch2tf", [Case("Net()", ("f32[2,3,11,14]",))])


def test_what_must_be_given_stands_behind_a_star_where_defaults_come_before() -> None:
    text = ported(SOURCE.replace("out_channels, **kwargs", "out_channels=4, **kwargs")).text
    assert "def __init__(self, in_channels, out_channels=4, *, kernel_size, stride=1, padding=0):" in text


def test_stars_that_go_elsewhere_as_well_reach_a_function_that_takes_them() -> None:
    for other in ("        self.kept = kwargs\n", "        self.other = nn.Conv2d(3, 4, **kwargs)\n"):
        result = ported(SOURCE.replace("        self.bn =", other + "        self.bn ="))
        assert "self.conv = conv2d(in_channels, out_channels, **kwargs)" in result.text.replace(", bias=False", "")


def test_a_class_that_hands_its_stars_on_hides_nothing() -> None:
    more = """

class Named(Block):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Named(3, 4, kernel_size=1, dilation=2)

    def forward(self, x):
        return self.block(x)
"""
    text = ported(SOURCE + more).text
    assert "out_channels, kernel_size, stride=1, padding=0, dilation=1):" in text and "Other(keras.Model)" in text


def test_names_that_are_hidden_after_all_are_those_of_the_layer() -> None:
    more = """

def block(**settings):
    return Block(3, 4, **settings)
"""
    text = ported(SOURCE + more).text
    assert "kernel_size, stride=1, padding=0, dilation=1, groups=1, device=None, dtype=None" in text, text


def test_a_size_that_is_a_pair_somewhere_is_no_number() -> None:
    named = SOURCE.replace("**kwargs):", "kernel_size, stride=1, padding=0):").replace(
        "**kwargs)", "kernel_size=kernel_size, stride=stride, padding=padding)")
    assert "default_init(in_channels * cells(kernel_size, 2))" in ported(named).text


def test_a_class_that_a_parameter_holds_is_not_told_where_its_weights_lie() -> None:
    """The function that stands for nn.Linear has no `device`: the port raised TypeError, without a finding."""
    result = translate('''from torch import nn


class Mlp(nn.Module):
    def __init__(self, dim, linear=nn.Linear, device=None, dtype=None):
        super().__init__()
        dd = {"device": device, "dtype": dtype}
        self.first = linear(dim, dim, bias=False, **dd)
        self.second = linear(dim, dim, device=device)

    def forward(self, x):
        return self.second(self.first(x))
''', "torch2tf")
    assert "linear(dim, dim, bias=False)\n" in result.text and "linear(dim, dim)\n" in result.text, result.text
