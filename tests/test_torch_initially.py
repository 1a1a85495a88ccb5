"""Statements of constructors that only set initial values which are not ported: left out, told, proven harmless."""

from __future__ import annotations

import pytest

from port.translate import translate

SOURCE = '''import math
from functools import partial
import torch
from torch import nn


def named_apply(fn, module, name="", include_root=False):
    for child_name, child in module.named_children():
        named_apply(fn=fn, module=child, name=child_name, include_root=True)
    if include_root:
        fn(module=module, name=name)
    return module


def own_normal_(tensor, std=1.0):
    with torch.no_grad():
        tensor.erfinv_()
        return tensor.mul_(std).add_(0.5)


def init(module, name, head_bias=0.):
    if isinstance(module, nn.Linear):
        if name.startswith("head"):
            nn.init.constant_(module.bias, head_bias)
        else:
            own_normal_(module.weight, std=.02)
    elif hasattr(module, "init_weights"):
        module.init_weights()


class Net(nn.Module):
    def __init__(self, n, low=False):
        super().__init__()
        self.fc = nn.Linear(3, n)
        self.pos = nn.Parameter(torch.zeros(1, n))
        self.register_buffer("table", torch.zeros(n))
        self.head = nn.Linear(n, 4)
        {line}

    def init_weights(self, low=False):
        head_bias = -math.log(4) if low else 0.
        named_apply(partial(init, head_bias=head_bias), module=self)

    def forward(self, x):
        return self.head(self.fc(x) + self.pos + self.table)
'''


@pytest.mark.parametrize("line", ["self.init_weights(low)", "own_normal_(self.pos, std=.02)",
                                  "named_apply(init, self)", "own_normal_(self.pos[:1], std=.02)"])
def test_what_only_sets_initial_values_is_left_out(line: str) -> None:
    done = translate(SOURCE.replace("{line}", line), "torch2tf")
    assert "class Net(keras.Model)" in done.text
    constructor = done.text.partition("class Net")[2].partition("    def call")[0].partition("def init_weights")[0]
    assert line.partition("(")[0] not in constructor
    assert any(f.code == "P101" and f.message.startswith("initial values are left out") for f in done.findings)


@pytest.mark.parametrize(("line", "old", "new"), [
    ("self.init_weights(low)", "head_bias = -math", "self.low = low\n        head_bias = -math"),
    ("own_normal_(self.table)", "", ""),  # a buffer is no weight
    ("self.init_weights(low)", "        own_normal_(mod", "        module.low = own_normal_(mod"),
    ("self.init_weights(low)", "tensor.erfinv_()", "torch.manual_seed(3)"),
    ("self.init_weights(low)", "tensor.erfinv_()", "register(tensor)"),
    ("self.low = own_normal_(self.pos)", "", ""),  # its result is kept
])
def test_what_does_more_is_not(line: str, old: str, new: str) -> None:
    text = translate(SOURCE.replace("{line}", line).replace(old, new, 1) if old else SOURCE.replace("{line}", line),
                     "torch2tf").text
    assert "class Net(nn.Module)" in text


def test_a_function_of_the_users_gets_no_weight_that_keras_lacks() -> None:
    source = SOURCE.replace("{line}", "self.apply(self.start)")
    source = source.replace("    def init_weights", '''    def start(self, m):
        if isinstance(m, nn.Linear):
            own_normal_(m.weight)

    def init_weights''')
    done = translate(source, "torch2tf")
    assert any(f.code == "P203" and f.message.startswith("`m.weight`: Keras makes") for f in done.findings)
    assert "class Net(keras.Model)" in done.text and "_flatten_layers" not in done.text


EXPERTS = '''import math
from functools import partial
import numpy as np
import torch
from torch import nn


class Experts(nn.Module):
    def __init__(self):
        super().__init__()
        self.count = 3
        self.size = (3, 4)
        self.weight = nn.Parameter(torch.Tensor(3, 12))
        self.bias = None


def of_experts(initializer, count, size):
    def init(weight):
        if len(weight.shape) != 2 or weight.shape[1] != np.prod(size):
            raise (ValueError('bad shape'))
        for i in range(count):
            initializer(weight[i].view(size))
    return init


def init_first(m, n='', fix=True):
    if isinstance(m, Experts):
        fan_out = 3
        fn = of_experts(lambda w: w.data.normal_(0, math.sqrt(2.0 / fan_out)), m.count, m.size)
        fn(m.weight)
    elif isinstance(m, nn.Linear):
        init_range = 1.0 / math.sqrt(m.weight.size(0))
        m.weight.data.uniform_(-init_range, init_range)


def init_second(m, n=''):
    if isinstance(m, Experts):
        of_experts(partial(nn.init.kaiming_normal_, mode='fan_out'), m.count, m.size)(m.weight)


class Net(nn.Module):
    def __init__(self, first=True):
        super().__init__()
        self.fc = nn.Linear(3, 4)
        for n, m in self.named_modules():
            if first:
                init_first(m, n)
            else:
                init_second(m, n)

    def forward(self, x):
        return self.fc(x)
'''


def test_functions_that_functions_give_are_looked_into() -> None:
    result = translate(EXPERTS, "torch2tf")
    assert "class Net(keras.Model):" in result.text and "named_modules" not in result.text
    assert any(f.code == "P101" and "initial values are left out" in f.message for f in result.findings)


@pytest.mark.parametrize(("before", "after"), [
    ("initializer(weight[i].view(size))", "print(initializer(weight[i].view(size)))"),
    ("lambda w: w.data.normal_(0, math.sqrt(2.0 / fan_out))", "lambda w: counts.append(w)"),
    ("np.prod(size)", "np.random.seed(3)")])
def test_what_they_do_besides_is_no_matter_of_initial_values(before: str, after: str) -> None:
    assert before in EXPERTS
    result = translate(EXPERTS.replace(before, after), "torch2tf")
    assert "class Net(nn.Module):" in result.text
