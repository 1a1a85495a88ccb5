"""Containers of modules: what their users take from them decides what they become."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.translate import translate
from port.verify.parent import Case

NAMED = '''import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList()
        self.blocks.add_module("pad", nn.ZeroPad2d((0, 1, 0, 1)))
        self.blocks.add_module("conv", nn.Conv2d(3, 4, 1))

    def forward(self, x):
        x = self.blocks.pad(x)
        return USE
'''


def test_a_list_of_modules_with_names_is_a_dict() -> None:
    result = translate(NAMED.replace("USE", "self.blocks.conv(x[:, :, 1:, 1:])"), "torch2tf")
    assert not result.findings and "self.blocks = {}\n" in result.text
    assert "self.blocks['conv'] = layers" in result.text.replace('"', "'")
    assert "x = self.blocks['pad'](x)\n" in result.text.replace('"', "'")
    assert "self.blocks['conv'](x[:, 1:, 1:])" in result.text.replace('"', "'")


def test_names_and_numbers_together_are_refused() -> None:
    result = translate(NAMED.replace("USE", "self.blocks[1](x)"), "torch2tf")
    assert [f.code for f in result.findings] == ["P206"] and "ModuleDict" in result.findings[0].message


def test_amounts_of_padding_in_a_tuple_are_no_number() -> None:
    source = "from torch import nn\n\n\ndef pad(n=1):\n    return nn.ZeroPad2d((n, 0, n, 0))\n"
    text = translate(source, "torch2tf").text
    assert "layers.ZeroPadding2D(((n, 0), (n, 0)))" in text


OWN_NAMES = '''from torch import nn


class Net(nn.Module):
    def __init__(self, path=None, name=None):
        super().__init__()
        self.path = nn.Linear(3, 3)
        self.name = name

    def forward(self, x):
        return self.path(x) if self.name == 'a' else x


def label(name):
    return Net(name=name).name
'''


def test_names_that_keras_keeps_for_itself_get_an_underscore() -> None:
    result = translate(OWN_NAMES, "torch2tf")
    assert not result.findings
    assert "self.path_ = layers.Dense" in result.text and "self.name_ = name\n" in result.text
    assert "self.path_(x) if self.name_ == 'a' else x" in result.text and "Net(name=name).name_\n" in result.text


def test_names_that_are_registered_or_spelled_are_refused() -> None:
    for more in ("getattr(net, 'path')", "hasattr(net, 'name')"):
        result = translate(OWN_NAMES + f"\n\ndef taken(net):\n    return {more}\n", "torch2tf")
        assert [f.code for f in result.findings] == ["P206", "P206"]


def test_what_only_orders_the_memory_of_a_recurrent_module_is_left_out() -> None:
    result = translate('''from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)

    def forward(self, x):
        self.rnn.flatten_parameters()
        return self.rnn(x)[0]
''', "torch2tf")
    assert "flatten" not in result.text and all(f.code == "P101" for f in result.findings)


WEIGHTS = '''import torch
from torch import nn


class Net(nn.Module):
    """Its own weights: one whose name Keras' layers keep for themselves, a list of them, a dict."""

    def __init__(self, dim):
        super().__init__()
        self.weights = nn.Parameter(torch.ones(dim))
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(dim)), nn.Parameter(torch.ones(1, dim))])
        self.shifts = nn.ParameterDict({"a": nn.Parameter(torch.zeros(dim)), "b": nn.Parameter(torch.ones(dim))})

    def forward(self, x):
        for scale in self.scales:
            x = x * scale
        return torch.tanh(x * self.weights + self.shifts["a"]) * self.shifts["b"]
'''


def test_weights_in_containers_are_paired(tmp_path: Path) -> None:
    """They belong to the module that holds the container; those of a dict had one name, which hid one of them."""
    agree(tmp_path, WEIGHTS, translate(WEIGHTS, "torch2tf").text, "torch2tf", [Case("Net(4)", ("f32[2,4]",))])


WRAPPED = '''
import torch
import torch.nn.functional as F
from torch import nn


class NonLocal(nn.Module):
    def __init__(self, c=4, sub=True, n=2):
        super().__init__()
        self.c = c
        self.g = nn.Conv2d(3, c, 1)
        if sub:
            self.g = nn.Sequential(self.g, nn.MaxPool2d(2))
        self.out = nn.Conv2d(c, c, 3, padding=1)
        for _ in range(n):
            self.out = nn.Sequential(self.out, nn.BatchNorm2d(c), nn.Conv2d(c, c, 1))

    def forward(self, x):
        g = self.g(x)
        y = F.softmax(g.view(g.size(0), self.c, -1), dim=-1)
        return self.out(y.contiguous().view(y.size(0), self.c, *g.size()[2:]) + g)
'''


def test_an_attribute_that_wraps_what_it_held_is_no_chain_without_end(tmp_path: Path) -> None:
    """What `*g.size()[2:]` gives are as many sizes as it has: the convolution behind it gets an image."""
    result = translate(WRAPPED, "torch2tf")
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert "self.g = keras.Sequential([self.g, " in result.text.replace("\n            ", "")
    agree(tmp_path, WRAPPED, result.text, "torch2tf", [Case("NonLocal()", ("f32[2,3,6,8]",))])


ALIASED = '''from typing import cast

import torch
from torch import nn

List = nn.ModuleList


class Blocks(nn.Module):
    def __init__(self, dim=4, depth=2):
        super().__init__()
        self.layers = List([])
        for _ in range(depth):
            self.layers.append(List([nn.LayerNorm(dim), nn.Linear(dim, dim)]))
        self.blocks = nn.ModuleList([
            nn.ModuleDict({'norm': nn.LayerNorm(dim), 'fc': nn.Linear(dim, dim)}) for _ in range(depth)])

    def forward(self, x):
        for norm, fc in self.layers:
            x = x + fc(norm(x))
        for block in self.blocks:
            block = cast(nn.ModuleDict, block)
            if 'norm' in block:
                x = block['norm'](x)
            x = block['fc'](x)
        return x
'''


def test_another_name_of_a_module_list_and_a_cast_to_a_module_dict(tmp_path: Path) -> None:
    result = translate(ALIASED, "torch2tf")
    assert not result.findings
    assert "List = list\n" in result.text and "block = cast(dict, block)" in result.text
    agree(tmp_path, ALIASED, result.text, "torch2tf", [Case("Blocks()", ("f32[3,4]",))])
