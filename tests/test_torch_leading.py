"""What a Sequential begins with, what an attribute ends up with, and attributes whose names an f-string makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\n\n\n"
SEEN = """
    def forward(self, x):
        y = self.seq(x)
        return x + y
"""


def block(body: str) -> str:
    lines = body.strip("\n").replace("\n", "\n        ")
    return (HEAD + "class Block(nn.Module):\n    def __init__(self, n=2, wide=True):\n        super().__init__()\n"
            f"        {lines}\n{SEEN}")


GROWN = """layers = []
if wide:
    layers.append(nn.Conv2d(4, 4, 1))
layers.append(nn.ReLU(inplace=True))
self.seq = nn.Sequential(*layers)
"""
LOOPED = GROWN.replace("if wide:", "for _ in range(n):")
ADDED = """self.seq = nn.Sequential()
if wide:
    self.seq.append(nn.Conv2d(4, 4, 1))
self.seq.append(nn.ReLU(inplace=True))
"""
SET = """rep = [nn.Conv2d(4, 4, 1)]
if wide:
    rep[0] = nn.ReLU(True)
self.seq = nn.Sequential(*rep)
"""
CUT = """rep = [nn.Conv2d(4, 4, 1), nn.ReLU(True)]
if wide:
    rep = rep[1:]
self.seq = nn.Sequential(*rep)
"""


@pytest.mark.parametrize("body", [GROWN, LOOPED, ADDED, SET, CUT])
def test_a_sequential_that_may_begin_with_a_write_in_place_is_refused(body: str) -> None:
    assert [f.code for f in translate(block(body), "torch2tf").findings] == ["P203"]


REPEATED = """rep = []
for _ in range(n):
    rep.append(nn.ReLU(inplace=True))
    rep.append(nn.Conv2d(4, 4, 3, padding=1))
if not wide:
    rep = rep[1:]
else:
    rep[0] = nn.ReLU(inplace=False)
if n != 1:
    rep += [nn.MaxPool2d(3, 1, 1)]
self.seq = nn.Sequential(*rep)
"""
CERTAIN = GROWN.replace("layers = []", "layers = [nn.BatchNorm2d(4)]")


@pytest.mark.parametrize("body", [REPEATED, CERTAIN, GROWN.replace("True)", "False)")])
def test_a_sequential_that_begins_with_another_module_is_ported(body: str, tmp_path: Path) -> None:
    result = translate(block(body), "torch2tf")
    assert not [f for f in result.findings if f.code != "P101"], result.text
    calls = ("Block()", "Block(wide=False)", "Block(1)")
    agree(tmp_path, block(body), result.text, "torch2tf", [Case(c, ("f32[2,4,6,5]",)) for c in calls])


POOLED = HEAD + """def pool_of(name):
    if name == "avg":
        return nn.AvgPool2d(2)
    return nn.MaxPool2d(2)


class Net(nn.Module):
    def __init__(self, pool="avg"):
        super().__init__()
        self.pool = pool
        self.conv = nn.Conv2d(3, 4, 1)
        self.pool, self.size = pool_of(pool), 2

    def forward(self, x):
        return self.pool(self.conv(x))
"""


def test_a_setting_that_a_module_replaces_says_nothing_of_the_attribute(tmp_path: Path) -> None:
    result = translate(POOLED, "torch2tf")
    assert not result.findings
    agree(tmp_path, POOLED, result.text, "torch2tf", [Case("Net()", ("f32[2,3,6,4]",)),
                                                      Case("Net('max')", ("f32[2,3,6,4]",))])


@pytest.mark.parametrize("line", ["print(self.pool)", "self.build_rest()", "register(self)", "old = self.__dict__"])
def test_a_setting_that_something_may_read_before_is_not_forgotten(line: str) -> None:
    text = POOLED.replace("        self.conv =", f"        {line}\n        self.conv =")
    assert "P204" in [f.code for f in translate(text, "torch2tf").findings]


NAMED = HEAD + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Conv2d(3, 4, 1)
        self.block2 = nn.Conv2d(4, 5, (1, 2))

    def forward(self, x):
        for i in range(1, 3):
            x = getattr(self, f"block{i}")(x)
        return x

    def prune(self):
        for i in range(1, 3):
            setattr(self, f"block{i}", nn.Identity())
"""


@pytest.mark.parametrize("text", [NAMED, NAMED[:NAMED.index("    def prune")]])
def test_an_attribute_that_an_f_string_names_is_one_of_those_that_are_called_so(text: str, tmp_path: Path) -> None:
    result = translate(text, "torch2tf")
    assert not result.findings
    agree(tmp_path, text, result.text, "torch2tf", [Case("Net()", ("f32[2,3,6,4]",))])
