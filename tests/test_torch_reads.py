"""Statements of every form are read before they are written: suites on one line, `match`, what nothing reaches."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate, translate_together
from port.verify.parent import Case

ONE_LINE = """
import torch

def f(x, k):
    def g(y): return torch.relu(y)
    if k: return torch.relu(g(x))
    else: x = torch.sin(x)
    for _ in range(3): x = torch.exp(x)
    return x
"""
MATCH = """
import torch

def f(x, k):
    match k:
        case [1, *rest] if torch.is_tensor(x):
            return torch.relu(x)
        case {"a": first, **others}:
            x = torch.sin(x)
        case other:
            x = torch.exp(x)
    return torch.cos(x)
"""
UNREACHED = """
import torch

def f(x):
    return torch.relu(x)
    def g(y):
        return torch.sin(y)
"""
IN_CLASS = """
import torch

class A:
    class B:
        def f(self, x):
            return torch.relu(x)
    if True:
        def g(x):
            return torch.sin(x)
"""


@pytest.mark.parametrize("text", [ONE_LINE, MATCH, UNREACHED, IN_CLASS])
def test_nothing_of_pytorch_is_left(text: str) -> None:
    result = translate(text, "torch2tf")
    assert not result.findings and "torch" not in result.text and "tf." in result.text


def test_a_method_on_one_line() -> None:
    text = "import torch\nclass A(torch.nn.Module):\n    def forward(self, x): return x + torch.sum(x)\n"
    assert "def call(self, x): return x + tf.reduce_sum(x)" in translate(text, "torch2tf").text


def test_refused_code_keeps_what_it_imports_from_torchvision() -> None:
    text = "import torch\nfrom torchvision.datasets import MNIST\n\nclass D(MNIST):\n    pass\n"
    result = translate(text, "torch2tf")
    assert "from torchvision.datasets import MNIST" in result.text and [f.code for f in result.findings] == ["P206"]


def test_a_package_named_torchvision_still_imports_its_own_files(tmp_path: Path) -> None:
    folder = tmp_path / "torchvision"
    folder.mkdir()
    texts = {"__init__.py": "", "a.py": "import torch\n\ndef size(x):\n    return torch.sum(x)\n",
             "b.py": "import torch\nfrom torchvision.a import size\n\ndef f(x):\n"
                     "    from torchvision.a import size as s\n    return torch.relu(size(x)) + s(x)\n"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    given = {str(folder / name): text for name, text in texts.items()}
    done = translate_together(given, "torch2tf")[str(folder / "b.py")].text
    assert "\nfrom torchvision.a import size\n" in done and "    from torchvision.a import size as s\n" in done
    assert "import torch\n" not in done


def test_a_local_name_with_a_type_hint_hides_keras_layers() -> None:
    text = ("import torch\n\ndef f(n):\n    layers: list = []\n    for _ in range(n):\n"
            "        layers += [torch.nn.Linear(4, 4)]\n    return torch.nn.Sequential(*layers)\n")
    assert "keras.layers.Dense" in translate(text, "torch2tf").text


def test_what_only_tells_pytorchs_tools_something_is_left_out() -> None:
    text = ("import torch\n\ndef log(x):\n    torch._C._log_api_usage_once(type(x).__name__)\n\n"
            "torch.fx.wrap('log')\n\ndef f(x):\n    log(x)\n    return torch.relu(x)\n")
    result = translate(text, "torch2tf")
    assert not result.findings and "torch" not in result.text


HOLDS = """
import torch
from functools import partial

class Preset(torch.nn.LSTM):
    pass

class Weights:
    preset = dict(make=partial(Preset, size=3))
    MORE

def build(weights=Weights.preset):
    return torch.nn.Linear(3, 4)
"""


def test_a_class_of_data_may_hold_what_is_not_ported() -> None:
    result = translate(HOLDS.replace("MORE", ""), "torch2tf")
    assert "return layers.Dense(4, " in result.text
    assert [f.message for f in result.findings] == [
        "a class that inherits from `torch.nn.LSTM`; hold such a module instead",
        "it holds `Preset`, which is not ported"]
    result = translate(HOLDS.replace("MORE", "made = Preset(3, 4)"), "torch2tf")
    assert "it uses `Preset`, which is not ported" in [f.message for f in result.findings]


DROPS = """
import torch
from torch import nn

def drop(x: torch.Tensor, p: float, training: bool = True):
    if not training or p == 0.0:
        return x
    noise = torch.empty([x.shape[0]] + [1] * (x.ndim - 1), dtype=x.dtype)
    noise = noise.bernoulli_(1.0 - p)
    noise.div_(1.0 - p)
    return x * noise

class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.pos = nn.Parameter(torch.empty(1, 4).normal_(std=0.02))
        self._register_load_state_dict_pre_hook(self.hook)
        self.conv = nn.Conv2d(3, 4, 1)

    def _load_from_state_dict(self, state, prefix):
        super()._load_from_state_dict(state, prefix)

    def forward(self, x):
        return drop(self.conv(x), 0.5, self.training) + self.pos.sum()
"""


def test_a_variable_bound_to_its_own_write_and_hooks_of_files() -> None:
    result = translate(DROPS, "torch2tf")
    assert {f.code for f in result.findings} == {"P207"} and "torch" not in result.text.replace("PyTorch", "")
    assert "noise = tf.cast(tf.random.uniform(tf.shape(noise)) < " in result.text
    assert "+ [1] * (len(x.shape) - 1)" in result.text and "stddev=0.02" in result.text
    assert "hook(self.hook)" not in result.text and "raise NotImplementedError" in result.text


STOCHASTIC_DEPTH = """
import torch
from torch import nn


def drop_path(x, p: float = 0., training: bool = False):
    if p == 0. or not training:
        return x
    shape = (x.shape[0],) + (1,) * (x.ndim - 1)
    random_tensor = x.new_empty(shape).bernoulli_(1 - p)
    random_tensor.div_(1 - p)
    return x * random_tensor


class Net(nn.Module):
    def __init__(self, p=0.4):
        super().__init__()
        self.p = p
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return drop_path(self.conv(x), self.p, self.training)
"""


def test_paths_that_are_dropped_are_drawn_and_verified(tmp_path: Path) -> None:
    result = translate(STOCHASTIC_DEPTH, "torch2tf")
    assert not result.findings and "tf.cast(tf.random.uniform(shape) < (1 - p), x.dtype)" in result.text
    agree(tmp_path, STOCHASTIC_DEPTH, result.text, "torch2tf", [Case("Net()", ("f32[9,3,5,7]",))])


def test_whole_numbers_that_meet_a_parameter_that_is_a_float() -> None:
    text = "import torch\n\ndef f(n: int, a: float):\n    return torch.arange(n) * a + torch.arange(n)\n"
    assert translate(text, "torch2tf").text.count("tf.range(n, dtype=keras.config.floatx())") == 2


def test_a_list_that_a_variable_holds_indexes_as_a_tensor_does() -> None:
    """TensorFlow's subscripts take no lists: the port raised without a finding, and an axis was taken for gone."""
    source = ("import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, places):\n"
              "        super().__init__()\n        self.places = [places[p] for p in (\"a\", \"b\")]\n"
              "        self.conv = nn.Conv2d(2, 3, 1)\n\n    def forward(self, x: torch.Tensor):\n"
              "        picked = [0, 2]\n        return self.conv(x[:, picked]), x[:, self.places]\n")
    text = translate(source, "torch2tf").text
    assert "keras.ops.take(x, self.places, axis=1)" in text
    assert "self.conv(tf.transpose(keras.ops.take(x, picked, axis=1), [0, 2, 3, 1]))" in text
    stored = translate(source.replace("        picked =", "        x = x.clone()\n        x[:, self.places] = 0\n"
                                      "        picked ="), "torch2tf")
    assert [f.code for f in stored.findings if f.outcome.needs_person] == ["P206"]
