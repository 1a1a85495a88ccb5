"""Modules of libraries that are not read, where a setting chooses between them and others; conditions on PyTorch."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\n"

MADE = '''

class Net(nn.Module):
    def __init__(self, cin, cout, rectify=False, **kwargs):
        super().__init__()
        if rectify:
            from rfconv import RFConv2d
            self.conv = RFConv2d(cin, cout, 3, padding=1, **kwargs)
        else:
            self.conv = nn.Conv2d(cin, cout, 3, padding=1, **kwargs)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return self.bn(self.conv(x))
'''

HELD = '''

class Net(nn.Module):
    def __init__(self, cin, cout, fused=False, average=False):
        super().__init__()
        if not fused:
            conv = nn.Conv2d
        elif average:
            conv = apex.AverageConv
        else:
            conv = apex.Conv
        settings = {'average': average} if fused else {}
        self.conv = conv(cin, cout, 3, padding=1)
        self.bn = nn.BatchNorm2d(cout)

    def forward(self, x):
        return self.bn(self.conv(x))
'''


@pytest.mark.parametrize(("source", "raising"), [(HEAD + MADE, 1), (HEAD + "import apex\n" + HELD, 2)])
def test_a_branch_that_makes_a_module_of_another_library_raises(source: str, raising: int, tmp_path: Path) -> None:
    result = translate(source, "torch2tf")
    assert result.text.count('raise NotImplementedError("this setting is not ported from PyTorch")') == raising
    assert [f.code for f in result.findings].count("P201") == raising
    here = source.replace("import apex\n", "")  # it is not installed: nothing asks for it
    agree(tmp_path, here, result.text.replace("import apex\n", ""), "torch2tf", [Case("Net(3, 4)", ("f32[2,3,5,6]",))])


def test_a_module_of_another_library_alone_is_not_left_out() -> None:
    """Nothing is known that could stand for it."""
    source = HEAD + MADE.replace("self.conv = nn.Conv2d(cin, cout, 3, padding=1, **kwargs)", "pass")
    result = translate(source, "torch2tf")
    assert "RFConv2d(cin" in result.text and [f.code for f in result.findings] == ["P201"]


PARTS = """
import math
import timm
import torchvision.ops
from functools import partial
from timm.layers import DropPath, LayerNorm2d, get_act
from .blocks import Block, make_divisible
from . import extra
from mylib import Base, Mixin, named_init, resample, CFG
import wandb

"""


def net(made: str = "self.part = nn.Identity()", used: str = "self.part(self.fc(x))", bases: str = "nn.Module",
        params: str = "") -> str:
    return f"""
class Net({bases}):
    def __init__(self{params}):
        super().__init__()
        self.fc = nn.Linear(make_divisible(3), 4 * extra.WIDTH)
        {made}

    def forward(self, x):
        return {used}
"""


@pytest.mark.parametrize(("source", "name", "what"), [
    (net("self.part = DropPath(0.1)"), "timm.layers.DropPath", "given a tensor"),
    (net("self.part = DropPath(0.1) if CFG.drop > 0 else nn.Identity()"), "timm.layers.DropPath", "given a tensor"),
    (net("self.part = nn.Sequential(nn.ReLU(), DropPath(0.1))"), "timm.layers.DropPath", "in a Sequential"),
    (net("self.part = nn.Sequential(*list(timm.create_model('r').children())[:-1])"), "timm.create_model",
     "in a Sequential"),
    (net("self.part = nn.ModuleList([Block(4) for _ in range(2)])", "self.part[0](self.fc(x))"), ".blocks.Block",
     "given a tensor"),
    (net("self.part = timm.create_model('r').eval()", "self.part.forward_features(self.fc(x))"), "timm.create_model",
     "given a tensor"),
    (net("self.part = norm(4)", params=", norm=LayerNorm2d"), "timm.layers.LayerNorm2d", "given a tensor"),
    (net("self.part = norm()", params=", norm=partial(LayerNorm2d, 4)"), "timm.layers.LayerNorm2d", "given a tensor"),
    (net("self.part = norm(4)", params=", norm=torchvision.ops.FrozenBatchNorm2d"),
     "torchvision.ops.FrozenBatchNorm2d", "called"),
    (net("self.part = get_act('relu')()"), "timm.layers.get_act", "given a tensor"),
    (net(used="resample(self.fc(x))"), "mylib.resample", "given a tensor"),
    (net(used="extra.resample([self.fc(x)], 3)"), ".extra.resample", "given a tensor"),
    (net("named_init(self)"), "mylib.named_init", "given a module"),
    (net("self.apply(named_init)"), "mylib.named_init", "given a module"),
    (net(bases="Base"), "mylib.Base", "inherits from it"),
])
def test_what_is_of_another_library_is_not_left_in_a_layer(source: str, name: str, what: str) -> None:
    """Whatever becomes of the class around it, it would stay PyTorch's."""
    result = translate(HEAD + PARTS + source, "torch2tf")
    home, _, name = name.rpartition(".")
    reasons = [f.message for f in result.findings if f.code == "P201"]
    assert len(reasons) == 1 and reasons[0].startswith(f"`{name}` comes from `{home}`") and what in reasons[0]
    assert f"# port: P201 {reasons[0]}\nclass Net(" in result.text


def test_a_loop_over_modules_of_another_library() -> None:
    """What they give is a tensor as well."""
    result = translate(HEAD + PARTS + net("self.part = nn.ModuleList([Block(4) for _ in range(2)])", "x").replace(
        "return x", "for part in self.part:\n            x = part(x)\n        return self.fc(x)"), "torch2tf")
    assert [f.code for f in result.findings] == ["P201"], result.findings


def test_a_module_around_a_class_of_another_library() -> None:
    """The class that inherits is refused, though it says nothing of itself, for a module applies it."""
    part = "class Part(Base):\n    def __init__(self):\n        super().__init__(4)\n\n"
    result = translate(HEAD + PARTS + part + net("self.part = Part()"), "torch2tf")
    assert [f.code for f in result.findings] == ["P201", "P206"], result.findings


def test_what_is_used_where_it_is_installed(tmp_path: Path) -> None:
    """The branch that a failed import makes false raises; what it would give is no matter to others."""
    optional = "try:\n    from apex import fused\n    has_apex = True\nexcept ImportError:\n    has_apex = False\n"
    act = "\n\ndef act(x):\n    if has_apex:\n        return fused(x)\n    return torch.relu(x)\n\n"
    source = HEAD + optional + act + net(used="act(self.fc(x)).transpose(0, 1)")
    source = source.replace("make_divisible(3)", "3").replace("extra.WIDTH", "2")
    result = translate(source, "torch2tf")
    assert [f.code for f in result.findings] == ["P201"] and "raise NotImplementedError" in result.text
    agree(tmp_path, source, result.text, "torch2tf", [Case("Net()", ("f32[2,3]",))])


def test_a_class_beside_the_base_of_modules_is_told() -> None:
    result = translate(HEAD + PARTS + net(bases="nn.Module, Mixin"), "torch2tf")
    assert [f.code for f in result.findings] == ["P103"] and "class Net(keras.Model, Mixin)" in result.text
    own = "class Own(Mixin):\n    def card(self):\n        return self.k\n\n"
    result = translate(HEAD + PARTS + own + net(bases="nn.Module, Own"), "torch2tf")
    assert [f.code for f in result.findings] == ["P103"] and "class Net(keras.Model, Own)" in result.text


def test_what_gives_numbers_and_settings_stays() -> None:
    used = "self.fc(x) * make_divisible(x.shape[0]) * CFG.scale"
    source = net("self.cfg = CFG(4)\n        self.k = CFG.k\n        self.kind = DropPath", used)
    source = source.replace("return", 'wandb.log({"x": x})\n        print(self.cfg.name)\n        return')
    result = translate(HEAD + PARTS + source + "\n\nclass Settings(Base):\n    width = 3\n", "torch2tf")
    assert not result.findings and "class Net(keras.Model)" in result.text, result.findings


PAIRS = '''
from torch.nn.modules.utils import _pair


class Conv(nn.Module):
    def __init__(self, cin, cout, kernel_size=3, stride=1, padding=1):
        super().__init__()
        padding = _pair(padding)
        self.padded = padding[0] > 0 or padding[1] > 0
        self.conv = nn.Conv2d(cin, cout, _pair(kernel_size), stride=_pair(stride), padding=padding)

    def forward(self, x):
        return self.conv(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Conv(3, 4)
        self.b = Conv(4, 4, 3, (2, 1), [1, 0])

    def forward(self, x):
        return self.b(self.a(x))
'''


def test_pairs_of_sizes(tmp_path: Path) -> None:
    result = translate(HEAD + PAIRS, "torch2tf")
    assert "padding = n_tuple(padding, 2)" in result.text and "_pair" not in result.text
    agree(tmp_path, HEAD + PAIRS, result.text, "torch2tf", [Case("Net()", ("f32[2,3,7,6]",))])


VERSIONS = '''from packaging import version
from packaging.version import parse


class Net(nn.Module):
    def forward(self, x):
        # older ones add
        if torch.__version__ < '1.5':
            x = torch.addd(x, 1)
        elif version.parse(torch.__version__) >= version.parse("1.8"):
            x = x * 2  # as it is now
        else:
            x = 7
        if not torch.jit.is_scripting():
            x = x + 3
        if torch.jit.is_tracing():
            x = torch.special.airy_ai(x)  # has no counterpart
        if parse(torch.__version__) < parse("1.10.1"):
            return None
        if version.parse(torch.__version__) < version.parse("2.5"):
            print("not tested")
        return x
'''


def test_of_a_condition_on_the_version_the_branch_that_runs_is_written(tmp_path: Path) -> None:
    result = translate(HEAD + VERSIONS, "torch2tf")
    body = result.text.partition("def call(self, x):\n")[2]
    assert body == ("        # older ones add\n        x = x * 2  # as it is now\n        x = x + 3\n"
                    "        return x\n")
    assert [f.code for f in result.findings] == ["P103"] * 4
    agree(tmp_path, HEAD + VERSIONS, result.text, "torch2tf", [Case("Net()", ("f32[2,3]",))])


@pytest.mark.parametrize("test", ["torch.__version__ >= '2.3'", "version.parse(torch.__version__).major >= 2",
                                  "torch.__version__ < '1.5' and x is not None"])
def test_a_version_that_may_be_either_is_refused(test: str) -> None:
    source = HEAD + VERSIONS.replace("torch.__version__ < '1.5'", test)
    result = translate(source, "torch2tf")
    assert {f.code for f in result.findings} >= {"P201"} and f"if {test}:" in result.text
