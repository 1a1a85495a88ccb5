"""`--layout native`: a port takes and gives images channels last, says so beside the line, and verify goes by that."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from port.result import Options, Result
from port.translate import translate
from port.verify import layouts, results
from port.verify.inputs import Feed
from port.verify.parent import Case, Settings, verify

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
MODELS = HEAD + '''class Net(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.head = nn.Linear(8 * 16, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 4)
        return self.head(x.flatten(1))


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, 2 * width, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv(x))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.block = Block(8)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.out = nn.Conv2d(16, 2, 1)

    def forward(self, x, gain):  # an image
        skip = self.first(x) * gain
        x = self.up(self.block(F.max_pool2d(skip, 2)))
        return self.out(torch.cat([skip, x], dim=1)), x.mean(dim=(2, 3))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 3)

    def forward(self, x, scores):
        y = self.conv(x)
        return y, torch.softmax(scores, dim=-1) @ y.transpose(1, 2)


def stem(width):
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, 7, 1))
'''


def port(text: str, layout: str = "native", target: str = "tf") -> Result:
    return translate(text, "torch2tf", Options(layout=layout, target=target))


def test_no_permute_stands_at_the_interface() -> None:
    made, kept = port(MODELS).text, port(MODELS, "preserve").text
    assert "def call(self, x):  # x: NHWC\n" in made
    assert "def call(self, x, gain):  # an image; x: NHWC, gain: NHWC, returns NHWC\n" in made
    assert "    ])  # takes NHWC, returns NHWC" in made or "Conv2D(7, 1, **default_init(width))])  # takes NHWC" in made
    body = made[made.index("class UNet"):made.index("class Encoder")]
    assert "transpose" not in body and "Permute" not in made[made.index("def stem"):]
    assert kept.count("tf.transpose") > made.count("tf.transpose") and "NHWC, returns" not in kept
    block = made[made.index("class Block"):made.index("class UNet")]
    assert "NHWC" not in block  # not an interface: only this file calls it


def test_what_changed_at_the_interface_is_told_and_so_is_what_did_not() -> None:
    found = [(f.code, f.message) for f in port(MODELS).findings]
    assert any(code == "P103" and "`Net.call` has Keras' order of axes (x: NHWC)" in text for code, text in found)
    assert any(code == "P103" and "`Sequential`" in text for code, text in found)
    assert any(code == "P001" and text.startswith("`scores`, the result of `Encoder` keep PyTorch's order")
               for code, text in found)
    assert not any("order of axes" in f.message for f in port(MODELS, "preserve").findings)


def test_a_model_that_a_function_builds_is_an_interface_though_modules_hold_it() -> None:
    made = port(HEAD + '''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.conv(x)


def build():
    return Net()


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = build()

    def forward(self, x):
        return self.net(x)
''').text
    assert "transpose" not in made


def test_an_unknown_module_is_told_to_keep_the_order_of_the_source() -> None:
    found = port(HEAD + '''class Wrap(nn.Module):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, x: torch.Tensor):
        return self.backbone(x)
''').findings
    assert any(f.code == "P103" and "`self.backbone`" in f.message for f in found)


def test_results_in_both_orders_must_be_told_apart() -> None:
    text = HEAD + '''class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 3)

    def forward(self, x):
        y = self.conv(x)
        return {"y": y, "z": y.transpose(1, 2) @ y}
'''
    assert [f.code for f in port(text).findings if f.code.startswith("P2")] == ["P209"]
    made = port(text.replace('{"y": y, "z": y.transpose(1, 2) @ y}', "y, y.transpose(1, 2) @ y"))
    assert "# x: NLC, returns (NLC, -)" in made.text


@pytest.mark.parametrize(("remark", "takes", "gives"), [
    ("# x: NHWC", {"x": "NHWC"}, ()),
    ("# an image; x: NHWC, y: NLC, returns NHWC, NLC", {"x": "NHWC", "y": "NLC"}, ("NHWC", "NLC")),
    ("# takes NHWC, returns (NHWC, -)", {"takes": "NHWC"}, ("NHWC", "-")),
    ("# NCHW to NHWC", {}, ()), ("# images are NHWC here", {}, ()), ("# TODO: NHWCish", {}, ()),
])
def test_what_a_remark_says(remark: str, takes: dict[str, str], gives: tuple[str, ...]) -> None:
    found = layouts.read(remark)
    assert (found.takes, found.gives) == (takes, gives) and bool(found.said) is bool(takes or gives)


def test_only_the_tensors_that_are_named_are_permuted() -> None:
    class Model:
        def call(self, image: object, mask: object, other: object = None) -> None: ...

    found = layouts.read("# image: NHWC, other: NHWC, returns (-, NHWC)")
    image, mask = np.zeros((2, 3, 4, 5)), np.zeros((2, 3, 4, 5))
    feed = Feed((image, mask, image), [[None, 0], [None, 1], ["other", 2]])
    assert layouts.places(found, Model(), feed) == [0, 2]
    assert [x.shape for x in layouts.inward([image, mask, image], [0, 2], np.transpose)] == [
        (2, 4, 5, 3), (2, 3, 4, 5), (2, 4, 5, 3)]
    given = layouts.outward({"b": np.zeros((2, 4, 5, 3)), "a": [mask, None]}, found, np.transpose)
    assert given["b"].shape == (2, 3, 4, 5) and given["a"][0].shape == (2, 3, 4, 5) and given["a"][1] is None
    assert results.flat(given, lambda x: x.shape) == [(2, 3, 4, 5)] * 2


def test_the_remark_of_a_sequential_stands_where_it_is_made(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("def stem(width):\n    made = [\n        width]  # takes NHWC\n    return made\n\n\n"
                    "net = stem(3)  # takes NLC, returns NLC\nother = 1  # takes NDHWC\n")
    module = ModuleType("made")
    module.__file__ = str(path)
    exec(compile(path.read_text(), str(path), "exec"), vars(module))
    assert layouts.find([], module, "stem(8)").said == "takes NHWC"
    assert layouts.find([], module, "net").said == "takes NLC, returns NLC"
    assert layouts.find([], module, "width(3)").said == ""


@pytest.mark.skipif(not (find_spec("tensorflow") and find_spec("torch")), reason="needs both frameworks")
def test_ports_verify_and_a_wrong_remark_does_not(tmp_path: Path) -> None:
    source, ported = tmp_path / "net.py", tmp_path / "out.py"
    source.write_text(MODELS + "\n\nclass Wrong(UNet):\n    pass\n")
    text = port(source.read_text()).text
    body = text[text.index("class UNet"):text.index("class Encoder")]
    wrong = body.replace("UNet", "Wrong").replace(", returns NHWC", "")
    assert "x: NHWC" in wrong
    ported.write_text(text[:text.index("class Wrong")] + wrong)
    image, gain = "f32[2,3,16,20]", "f32[2,8,1,1]"
    cases = [Case("Net()", ("f32[2,3,16,16]",)), Case("UNet()", (image, gain)), Case("stem(8)", (image,)),
             Case("Encoder()", ("f32[2,4,11]", "scores=f32[2,5,9]")), Case("Wrong()", (image, gain))]
    found = verify(source, ported, "torch2tf", cases, Settings(dtypes=("float64",)))
    assert [v.status for v in found] == ["verified"] * 4 + ["mismatch"], [v.message for v in found]
    assert all(any("channels last, as it says" in n for n in v.notes) for v in found)
    assert "[2, 2, 16, 20] became [2, 16, 20, 2]" in found[-1].message
