"""`requires_grad` and modes of modules in torch2tf: said of layers, or refused; never left as a mere attribute."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = '''import torch
from torch import nn


class Trunk(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.norm = NORM
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(width, 4)

    def forward(self, x):
        return self.fc(self.drop(torch.relu(self.norm(self.conv(x))).mean((2, 3))))


'''
REFUSED = {
    "weight": "model.conv.weight.requires_grad = False",
    "weight, by its method": "model.conv.weight.requires_grad_(False)",
    "by name": "for name, p in model.named_parameters():\n    p.requires_grad = 'norm' in name",
    "by number": "for i, p in enumerate(model.parameters()):\n    p.requires_grad = i > 2",
    "two statements": "for p in model.parameters():\n    p.requires_grad = False\n    print(p)",
    "mode by kind": "for m in model.modules():\n    if isinstance(m, nn.BatchNorm2d):\n        m.eval()",
    "count": "count = sum(p.numel() for p in model.parameters())",
    "dtype": "model = model.to(torch.float64)",
    "dtype, dropped": "model.to(torch.float64)",
    "rate": "model.drop.p = 0.3",
}
LAYERS = "for layer in model._flatten_layers(include_self=False):\n        layer.trainable = "
WRITTEN = {
    "loop": ("for p in model.parameters():\n    p.requires_grad = False", LAYERS + "False"),
    "loop of calls": ("for p in model.parameters():\n    p.requires_grad_(False)", LAYERS + "False"),
    "method": ("model.requires_grad_(False)", LAYERS + "False"),
    "setting": ("model.requires_grad_(flag)", LAYERS + "flag"),
    "part": ("model.fc.requires_grad_(False)", "model.fc.trainable = False"),
    "part, again": ("for p in model.fc.parameters():\n    p.requires_grad = True", "model.fc.trainable = True"),
}
CASES = '''
class Transfer(nn.Module):
    def __init__(self, classes=5, frozen=True):
        super().__init__()
        self.trunk = Trunk()
        for p in self.trunk.parameters():
            p.requires_grad = not frozen
        self.trunk.fc = nn.Linear(6, 7)
        self.head = nn.Linear(7, classes)
        self.last = nn.Linear(classes, classes)
        self.last.requires_grad_(False)

    def forward(self, x):
        return self.last(self.head(self.trunk(x)))


def freeze(module, flag):
    for param in module.parameters():
        param.requires_grad = flag


def freeze_all(module):
    freeze(module, False)


class Table(nn.Module):
    def __init__(self, table=False):
        super().__init__()
        self.token = nn.Parameter(torch.randn(4))
        self.fc = nn.Linear(4, 4) if not table else None

    def forward(self, x):
        return self.fc(x) * self.token if self.fc is not None else x * self.token


class Adapter(nn.Module):
    def __init__(self, net, again=False):
        super().__init__()
        self.net = net
        freeze_all(net)
        self.own = Table()
        freeze_all(self.own)
        if again:
            freeze(self.own, True)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.net(x) + self.own(x))


def adapted():
    model = Table()
    for p in model.parameters():
        p.requires_grad = False
    model.fc = nn.Linear(4, 4)
    return model


def build(classes=5):
    model = Trunk()
    model.requires_grad_(False)
    model.fc = nn.Linear(6, classes)
    return model
'''


def translated(lines: str, norm: str = "nn.GroupNorm(2, width)") -> tuple[str, list[str], list[str]]:
    body = "\n".join("    " + ln for ln in lines.split("\n"))
    text = HEAD.replace("NORM", norm) + f"def use(flag=False):\n    model = Trunk()\n{body}\n    return model\n"
    made = translate(text, "torch2tf")
    refused = [f.message for f in made.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    return made.text.partition("def use")[2], refused, [f.message for f in made.findings if f.code == "P101"]


@pytest.mark.parametrize("lines", REFUSED.values(), ids=REFUSED)
def test_refused(lines: str) -> None:
    assert translated(lines)[1]


@pytest.mark.parametrize(("lines", "wanted"), WRITTEN.values(), ids=WRITTEN)
def test_written(lines: str, wanted: str) -> None:
    text, refused, differs = translated(lines)
    assert not refused and not differs
    assert wanted in text


def test_a_frozen_batch_norm_differs_and_a_mode_that_is_dropped_is_told() -> None:
    norm = "nn.BatchNorm2d(width)"
    assert any("frozen batch norm" in m for m in translated("model.requires_grad_(False)", norm)[2])
    assert not any("frozen batch norm" in m for m in translated("model.fc.requires_grad_(False)", norm)[2])
    text = HEAD.replace("NORM", norm) + "def use():\n    model = Trunk()\n    model.norm.eval()\n    return model\n"
    assert any(f.code == "P103" and "eval()" in f.message for f in translate(text, "torch2tf").findings)


@pytest.mark.parametrize("held", ["[nn.Linear(4, 4)]", "(nn.Linear(4, 4),)", '{"a": nn.Linear(4, 4)}',
                                  "[nn.Linear(4, 4) for _ in range(2)]", "nn.ModuleList([nn.Linear(4, 4)])"])
def test_modules_that_pytorch_does_not_find_are_told(held: str) -> None:
    text = ("from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            f"        self.held = {held}\n\n    def forward(self, x):\n        return x\n")
    told = [f for f in translate(text, "torch2tf").findings if f.code == "P101" and "hidden" in f.message]
    assert len(told) == (not held.startswith("nn."))


def test_numbers(tmp_path: Path) -> None:
    source = HEAD.replace("NORM", "nn.GroupNorm(2, width)") + CASES
    asked = [Case(call, ("f32[2,3,9,8]",)) for call in ("Transfer()", "Transfer(frozen=False)", "build()")] + [
        Case(call, ("f32[2,3,4]",)) for call in ("Adapter(Table())", "Adapter(Table(True), True)", "adapted()")]
    agree(tmp_path, source, translate(source, "torch2tf").text, "torch2tf", asked)


def test_a_part_that_follows_its_owners_mode_and_dicts_of_devices_alone() -> None:
    """`fc.train(self.training)` puts a new part in the mode of the rest, where Keras' parts always are."""
    text = translate("""
import torch
from torch import nn


def places(module, device=None, dtype=None):
    weight = next(module.parameters(), None)
    if weight is not None and dtype is None:
        dtype = weight.dtype
    return {"device": device, "dtype": dtype}


class Net(nn.Module):
    def __init__(self, classes=3, device=None, dtype=None):
        super().__init__()
        self.fc = nn.Linear(4, classes, device=device, dtype=dtype)

    def reset(self, classes):
        dd = places(self)
        self.fc = nn.Linear(4, classes, **dd)
        self.fc.train(self.training)

    def forward(self, x):
        return self.fc(x)
""", "torch2tf").text
    assert "port:" not in text and "training" not in text
    assert text.count("self.fc = layers.Dense(classes, **default_init(4))\n") == 2
    assert "next(iter(module.trainable_variables), None)" in text
