"""Blocks that other code chooses: by the settings that it is given, under computed names, with any order of axes."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.findings import Outcome
from port.result import Result
from port.translate import translate
from port.verify.parent import Case, Settings, verify
from tests.proving import agree

SETTINGS = """import copy
from dataclasses import dataclass
from functools import partial
from typing import Callable, Optional, Sequence, Union

import torch
from torch import nn


@dataclass
class Setting:
    inner: int
    outer: int
    repeats: int
    block: Callable[..., nn.Module]


class WideSetting(Setting):
    def __init__(self, width, inner, outer, repeats, block: Optional[Callable[..., nn.Module]] = None):
        if block is None:
            block = Wide
        super().__init__(int(inner * width), outer, repeats, block)


class Wide(nn.Module):
    def __init__(self, setting: WideSetting, norm: Callable[..., nn.Module]):
        super().__init__()
        self.conv = nn.Conv2d(setting.inner, setting.outer, 3, padding=1)
        self.norm = norm(setting.outer)

    def forward(self, x):
        return self.norm(self.conv(x))


class Narrow(nn.Module):
    def __init__(self, setting: Setting, norm: Callable[..., nn.Module]):
        super().__init__()
        self.conv = nn.Conv2d(setting.inner, setting.outer, 1)

    def forward(self, x):
        return self.conv(x) * 2


class Net(nn.Module):
    def __init__(self, settings: Sequence[Union[Setting, WideSetting]]):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, settings[0].inner, 3)]
        for setting in settings:
            stage: list[nn.Module] = []
            for _ in range(setting.repeats):
                own = copy.copy(setting)
                if stage:
                    own.inner = own.outer
                stage.append(own.block(own, nn.BatchNorm2d))
            layers.append(nn.Sequential(*stage))
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(settings[-1].outer, 5)

    def forward(self, x):
        return self.head(self.features(x).mean([2, 3]))
"""
BUILT = """

def settings(kind: str):
    if kind == "wide":
        wide = partial(WideSetting, width=1.0)
        return [wide(inner=8, outer=6, repeats=2), wide(inner=6, outer=5, repeats=1)]
    return [Setting(8, 6, 2, Narrow), WideSetting(1.0, 6, 5, 1)]


def net(kind: str):
    return Net(settings(kind))
"""
NAMED = """import torch
from torch import nn


class Scale(nn.Module):
    def forward(self, x):
        return x * torch.full([x.shape[0]] + [1] * (x.ndim - 1), 0.5, dtype=x.dtype)


def shuffle(x, groups: int):
    b, c, h, w = x.size()
    x = x.view(b, groups, c // groups, h, w)
    return torch.transpose(x, 1, 2).contiguous().view(b, c, h, w)


class Shuffled(nn.Module):
    def __init__(self, inner: int, outer: int):
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, 3, padding=1)

    def forward(self, x):
        return shuffle(self.conv(x), 2)


class Scaled(nn.Module):
    def __init__(self, inner: int, outer: int):
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, 3, padding=1)
        self.scale = Scale()

    def forward(self, x):
        return self.scale(self.conv(x))


class Net(nn.Module):
    def __init__(self, block=Scaled):
        super().__init__()
        inner = 3
        self.stage1: nn.Sequential
        for name, outer in zip([f"stage{i}" for i in (1, 2)], (6, 8)):
            stage = [block(inner, outer)]
            for _ in range(2):
                stage.append(block(outer, outer))
            setattr(self, name, nn.Sequential(*stage))
            inner = outer
        self.scale = Scale()
        self.head = nn.Linear(inner, 5)

    def forward(self, x):
        x = self.stage2(self.stage1(x))
        return self.head(self.scale(x.mean([2, 3])))


def scaled():
    return Net()


def shuffled():
    return Net(Shuffled)
"""


def ported(source: str) -> Result:
    return translate(source, "torch2tf")


def refused(result: Result) -> list[str]:
    return [f"{f.code} {f.message}" for f in result.findings if f.outcome is Outcome.REFUSED]


def test_a_class_that_settings_hold(tmp_path: Path) -> None:
    result = ported(SETTINGS + BUILT)
    assert not refused(result) and "class Wide(layers.Layer):" in result.text.replace("keras.layers", "layers")
    agree(tmp_path, SETTINGS + BUILT, result.text, "torch2tf", [
        Case(f"net({kind!r})", ("f32[2,3,7,9]",)) for kind in ("wide", "narrow")])


def test_a_module_of_a_list_of_which_nothing_is_known_is_refused() -> None:
    source = """from torch import nn


class Net(nn.Module):
    def __init__(self, settings):
        super().__init__()
        stage = []
        for setting in settings:
            stage.append(setting.block(4))
        self.features = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(*stage), nn.Conv2d(4, 5, 1))

    def forward(self, x):
        return self.features(x)
"""
    assert any(m.startswith("P204 what one module of this Sequential is is not known") for m in refused(ported(source)))


def test_blocks_give_the_order_of_axes_that_the_next_one_takes(tmp_path: Path) -> None:
    result = ported(NAMED)
    assert not refused(result) and "return tf.transpose(shuffle(self.conv(x), 2), [0, 2, 3, 1])" in result.text
    assert "setattr(self, name, keras.Sequential(stage))" in result.text
    agree(tmp_path, NAMED, result.text, "torch2tf", [
        Case(call, ("f32[2,3,7,9]",)) for call in ("scaled()", "shuffled()")])


DEPTH = """import torch
from torch import nn


def depth(x, p: float, training: bool):
    if not training or p == 0.0:
        return x
    noise = torch.empty([x.shape[0]] + [1] * (x.ndim - 1), dtype=x.dtype, device=x.device)
    noise = noise.bernoulli_(1.0 - p)
    noise.div_(1.0 - p)
    return x * noise


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.fc = nn.Linear(3, 5)

    def forward(self, x):
        x = x + depth(self.conv(x), 0.4, self.training)
        return self.fc(depth(x.mean([2, 3]), 0.3, self.training))
"""


def test_rows_that_are_dropped_in_training_are_the_same_on_both_sides(tmp_path: Path) -> None:
    agree(tmp_path, DEPTH, ported(DEPTH).text, "torch2tf", [Case("Net()", ("f32[6,3,7,9]",))])


def test_a_type_hint_names_the_classes_that_may_be_passed() -> None:
    source = """from typing import Callable, Union

from torch import nn


class Block(nn.Module):
    def __init__(self, width: int, make: Callable[..., nn.Module]):
        super().__init__()
        self.conv = nn.Sequential(make(width), nn.BatchNorm3d(width))

    def forward(self, x):
        return self.conv(x)


class Bottleneck(nn.Module):
    def __init__(self, width: int, make: Callable[..., nn.Module]):
        super().__init__()
        self.conv = nn.Sequential(make(width), nn.BatchNorm3d(width))

    def forward(self, x):
        return self.conv(x) * 2


class Flat(nn.Conv3d):
    def __init__(self, width: int):
        super().__init__(width, width, (1, 3, 3), padding=(0, 1, 1))


class Net(nn.Module):
    def __init__(self, block: type[Union[Block, Bottleneck]], zero: bool = False):
        super().__init__()
        self.stem = nn.Conv3d(3, 4, 1)
        self.block = block(4, Flat)
        if zero:
            for m in self.modules():
                if isinstance(m, Bottleneck):
                    nn.init.constant_(m.bn3.weight, 0)

    def forward(self, x):
        return self.block(self.stem(x))


def net():
    return Net(Block)
"""
    result = ported(source)
    assert not refused(result), result.findings
    assert "class Bottleneck(layers.Layer):" in result.text
    assert "raise AttributeError(\"'Bottleneck' object has no attribute 'bn3'\")" in result.text
    assert any("P204" in m for m in refused(ported(source.replace("type[Union[Block, Bottleneck]]", "type[Block]"))))


def test_a_parameter_of_which_uses_prove_two_ranks_has_neither() -> None:
    source = """import torch
from torch import nn


class Two(nn.Module):
    def forward(self, x):
        b, h, w, c = x.shape
        return x * c


class Three(nn.Module):
    def forward(self, x):
        b, t, h, w, c = x.shape
        return x * c


class Block(nn.Module):
    def __init__(self, inner=Two):
        super().__init__()
        self.inner = inner()
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        return x.flip(-1) + self.inner(self.norm(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.two, self.three = Block(), Block(Three)

    def forward(self, x, y):
        return self.two(x), self.three(y)
"""
    assert not refused(ported(source)), ported(source).findings


def test_a_block_that_takes_pictures_or_films_says_nothing_of_the_rank_that_its_attention_is_given() -> None:
    texts = [line.strip() for line in ported('''
import torch
import torch.nn.functional as F
from torch import nn


class Flat(nn.Module):
    def forward(self, x):
        b, h, w, c = x.shape
        return F.pad(x, (0, 0, 0, w % 2, 0, h % 2))


class Deep(nn.Module):
    def forward(self, x):
        b, t, h, w, c = x.shape
        return F.pad(x, (0, 0, 0, w % 2, 0, h % 2))


class Block(nn.Module):
    def __init__(self, dim, attention):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attention = attention()

    def forward(self, x):
        return x + self.attention(self.norm(x))


class Deeper(Block):
    def __init__(self, dim):
        super().__init__(dim, Deep)


class Flatter(Block):
    def __init__(self, dim):
        super().__init__(dim, attention=Flat)
''').text.splitlines() if "tf.pad" in line]
    assert texts == ["return tf.pad(x, [[0, 0], [0, h % 2], [0, w % 2], [0, 0]])",
                     "return tf.pad(x, [[0, 0], [0, 0], [0, h % 2], [0, w % 2], [0, 0]])"]


HEADS = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 6)
        self.aux = nn.Linear(6, 5)
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.stem(x).relu()
        if self.training:
            return self.fc(x), self.aux(x)
        return self.fc(x)
"""


@pytest.mark.corpus  # ten seconds
def test_a_head_that_only_training_calls_has_its_weights_in_every_dtype(tmp_path: Path) -> None:
    (tmp_path / "source.py").write_text(HEADS)
    (tmp_path / "port.py").write_text(ported(HEADS).text)
    found = verify(tmp_path / "source.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[4,3]",))],
                   Settings(dtypes=("float64", "float32")))
    assert [v.status for v in found] == ["verified"], found[0].message
