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
    assert "RFConv2d(cin" in result.text and "P204" in {f.code for f in result.findings}


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
