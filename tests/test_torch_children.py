"""Loops over the parts of a module that are known: named_children(), children(), a ModuleDict made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate, translate_together
from port.verify.parent import Case, Settings, verify
from tests.proving import agree

HEAD = """from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


"""
NETS = HEAD + '''class Block(nn.Module):
    def __init__(self, a, b, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(b)
        self.relu = nn.ReLU(inplace=True)
        self.out_channels = b
        self.is_strided = stride > 1

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


class Backbone(nn.Module):
    def __init__(self, classes=7):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 7, 2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(Block(4, 6), Block(6, 6))
        self.layer2 = nn.Sequential(Block(6, 8, 2), Block(8, 8))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [Block(3, 4, 2)]
        for i in range(3):
            layers.append(Block(4 + i, 5 + i, 1 + i % 2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(7, 5), nn.ReLU())

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


class Getter(nn.ModuleDict):
    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        if not set(return_layers).issubset([name for name, _ in model.named_children()]):
            raise ValueError("return_layers are not present in model")
        orig_return_layers = return_layers
        return_layers = {str(k): str(v) for k, v in return_layers.items()}
        layers = OrderedDict()
        for name, module in model.named_children():
            layers[name] = module
            if name in return_layers:
                del return_layers[name]
            if not return_layers:
                break

        super().__init__(layers)
        self.return_layers = orig_return_layers

    def forward(self, x):
        out = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                out_name = self.return_layers[name]
                out[out_name] = x
        return out


class Head(nn.Sequential):
    def __init__(self, a, b):
        layers = [nn.Conv2d(a, a // 2, 3, padding=1, bias=False), nn.BatchNorm2d(a // 2), nn.ReLU(),
                  nn.Conv2d(a // 2, b, 1)]
        super().__init__(*layers)


class Simple(nn.Module):
    def __init__(self, backbone, classifier, aux_classifier=None):
        super().__init__()
        self.backbone = backbone
        self.classifier = classifier
        self.aux_classifier = aux_classifier

    def forward(self, x):
        input_shape = x.shape[-2:]
        features = self.backbone(x)
        result = OrderedDict()
        x = features["out"]
        x = self.classifier(x)
        x = F.interpolate(x, size=input_shape, mode="bilinear", align_corners=False)
        result["out"] = x
        if self.aux_classifier is not None:
            x = features["aux"]
            x = self.aux_classifier(x)
            x = F.interpolate(x, size=input_shape, mode="bilinear", align_corners=False)
            result["aux"] = x
        return result


class FCN(Simple):
    pass


def fcn(classes=5, aux=None):
    backbone = Backbone()
    return_layers = {"layer2": "out"}
    if aux:
        return_layers["layer1"] = "aux"
    backbone = Getter(backbone, return_layers=return_layers)
    aux_classifier = Head(6, classes) if aux else None
    return FCN(backbone, Head(8, classes), aux_classifier)


def lite(classes=5):
    backbone = Mobile().features
    stage_indices = [0] + [i for i, b in enumerate(backbone) if getattr(b, "is_strided", False)] + [len(backbone) - 1]
    low_pos = stage_indices[-1]
    channels = backbone[low_pos].out_channels
    backbone = Getter(backbone, return_layers={str(low_pos): "out"})
    return FCN(backbone, Head(channels, classes))
'''


def test_intermediate_results_of_a_model(tmp_path: Path) -> None:
    result = translate(NETS, "torch2tf")
    assert {f.code for f in result.findings} == {"P101", "P202"}
    assert any("`fc` would take the source's axes" in f.message for f in result.findings)
    assert any("inplace=True, which in PyTorch changes what is kept" in f.message for f in result.findings)
    assert 'for name, module in named_children(model, unfit=["fc"]):' in result.text
    assert "for name, module in self.blocks.items():" in result.text
    agree(tmp_path, NETS, result.text, "torch2tf", [Case("fcn(aux=True)", ("f32[2,3,33,47]",)),
                                                    Case("lite()", ("f32[2,3,33,47]",))])


MAKERS = HEAD.replace("import torch\n", "import torch\nimport made as makers\n", 1) + '''class Getter(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.parts = nn.ModuleDict(dict(model.named_children()))

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return F.interpolate(x, size=(5, 9), mode="bilinear")


def build(name):
    return Getter(makers.__dict__[name](wide=True))


def other(name):
    return Getter(getattr(makers, name)(wide=True))
'''
MADE = '''from torch import nn


class Net(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a = nn.Conv2d(3, d, 3)
        self.b = nn.BatchNorm2d(d)

    def forward(self, x):
        return self.b(self.a(x))


class More(Net):
    def __init__(self, d):
        super().__init__(d)
        self.fc = nn.Linear(3, d)

    def forward(self, x):
        return self.fc(super().forward(x))


def small(wide=False):
    return Net(5 if wide else 4)


def unlike(other):
    return other
'''


def test_a_model_that_a_name_chooses_from_a_file(tmp_path: Path) -> None:
    source, port = tmp_path / "source", tmp_path / "port"
    source.mkdir()
    port.mkdir()
    texts = {str(source / "made.py"): MADE, str(source / "net.py"): MAKERS}
    for path, text in texts.items():
        Path(path).write_text(text)
    results = translate_together(texts, "torch2tf")
    for path, result in results.items():
        assert {f.code for f in result.findings} <= {"P101"}
        (port / Path(path).name).write_text(result.text)
    text = results[str(source / "net.py")].text
    assert "Getter(makers.__dict__[name](wide=True))" in text
    assert "self.parts = dict(named_children(model))" in text  # none of `More`
    cases = [Case(call, ("f32[2,3,9,11]",)) for call in ("net:build('small')", "net:other('small')")]
    found = verify(source, port, "torch2tf", cases, Settings(dtypes=("float64",)))
    assert [v.status for v in found] == ["verified"] * 2, [v.message for v in found]


WALK = HEAD + '''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 5)
        self._b = nn.LayerNorm(5)
        self.c = self.a2 = nn.Linear(5, 5)

    def forward(self, x):
        for part in self.children():
            x = part(x)
        return x


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Net()
        self.shared = nn.ModuleList(part for _, part in self.inner.named_children())

    def forward(self, x):
        for part in self.shared:
            x = part(x)
        return x
'''


def test_all_parts_once_in_order(tmp_path: Path) -> None:
    result = translate(WALK, "torch2tf")
    assert not result.findings
    assert "for part in [part for _, part in named_children(self)]:" in result.text
    agree(tmp_path, WALK, result.text, "torch2tf", [Case("Net()", ("f32[2,4]",)), Case("Outer()", ("f32[2,4]",))])


MIXED = HEAD + '''class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        for part in self.children():
            x = part(x)
        return x
'''


def test_a_part_with_other_axes_raises_where_it_is_called(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="takes its axes in PyTorch's order"):
        agree(tmp_path, MIXED, translate(MIXED, "torch2tf").text, "torch2tf", [Case("Mixed()", ("f32[2,3,7,8]",))])


@pytest.mark.parametrize("line, reason", [
    ("self.b = nn.ModuleList([nn.Linear(3, 3)])", "holds a list or dict"),
    ("self.b = nn.Linear(3, 3) if wide else None", "may be None"),
    ("setattr(self, f'b{wide}', nn.Linear(3, 3))", "names that are computed"),
])
def test_what_keras_would_list_otherwise_is_refused(line: str, reason: str) -> None:
    text = HEAD + ("class Net(nn.Module):\n    def __init__(self, wide):\n        super().__init__()\n"
                   f"        self.a = nn.Linear(3, 3)\n        {line}\n\n    def forward(self, x):\n"
                   "        for name, part in self.named_children():\n            x = part(x)\n        return x\n")
    assert any(reason in f.message for f in translate(text, "torch2tf").findings if f.outcome.needs_person)


SIZES = '''

class Low(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Getter(Mobile().features, {"1": "low", "3": "high"})
        self.low = nn.Conv2d(5, 4, 1)
        self.high = nn.Conv2d(7, 4, 1)

    def forward(self, x):
        features = self.backbone(x)
        low = features["low"]
        high = self.high(features["high"])
        high = F.interpolate(high, size=low.shape[-2:], mode="nearest")
        return self.low(low) + high
'''


def test_a_module_over_space_tells_the_rank_of_a_variable_whose_size_is_asked(tmp_path: Path) -> None:
    source = NETS + SIZES
    text = translate(source, "torch2tf").text
    assert "keras.ops.shape(low)[1:3]" in text
    agree(tmp_path, source, text, "torch2tf", [Case("Low()", ("f32[2,3,32,32]",))])


PIECES = HEAD + '''def in_pieces(functions, x):
    def run(start):
        def forward(y):
            for j in range(start, len(functions)):
                y = functions[j](y)
            return y
        return forward

    if isinstance(functions, nn.Sequential):
        functions = functions.children()
    functions = tuple(functions)
    return torch.utils.checkpoint.checkpoint(run(0), x)


class Net(nn.Module):
    def __init__(self, saving=False):
        super().__init__()
        self.saving = saving
        self.blocks = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3))
        self.token = nn.Parameter(torch.zeros(1, 1, 3))

    def forward(self, x):
        if self.saving:
            x = in_pieces(self.blocks, x)
        else:
            x = self.blocks(x)
        return torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1)
'''


def test_pieces_of_a_sequential_do_not_hide_what_comes_out_of_it_otherwise(tmp_path: Path) -> None:
    text = translate(PIECES, "torch2tf").text
    assert "# port: P203 `children` of a module has no counterpart in Keras\ndef in_pieces(" in text
    assert "keras.ops.shape(x)[0]" in text
    agree(tmp_path, PIECES, text, "torch2tf", [Case("Net()", ("f32[2,5,3]",))])
