"""PyTorch files that import from each other are ported so that the ports fit together, and verify."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from test_project import put, refused

from port import cli, project, siblings
from port.result import Result
from port.tf2torch.file import Pass
from port.tf2torch.infer import interp as interp_tf2torch
from port.torch2tf import interp as interp_torch2tf
from port.torch2tf import module, users
from port.translate import translate, translate_together
from port.units import Unit
from port.verify.parent import Case, Settings, verify

PACKAGE = {
    "net/__init__.py": '''
"""A package."""
from .blocks import ConvBlock, channel_mean
from .model import build

__all__ = ["ConvBlock", "build", "channel_mean"]
''',
    "net/sizes.py": '''
EXPANSION = 2
AXIS = 1
''',
    "net/acts.py": '''
from functools import partial

from torch import nn
import torch.nn.functional as F

ACTS = {"relu": nn.ReLU, "gelu": nn.GELU}
norm = partial(nn.BatchNorm2d, eps=1e-3)
Norm = nn.BatchNorm2d
swish = F.silu


def make_act(name):
    return ACTS[name]()
''',
    "net/plain.py": '''
def scaled(x, factor):
    return x.mean(1, keepdim=True) * factor


def double(n):
    return n * 2
''',
    "net/blocks.py": '''
import torch
from torch import nn

from .acts import Norm, make_act, swish
from .sizes import AXIS, EXPANSION


class ConvBlock(nn.Module):
    """A convolution, normalised."""

    def __init__(self, in_channels, out_channels, stride=1, act="relu"):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn = Norm(out_channels)
        self.act = make_act(act)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Wide(ConvBlock):
    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels * EXPANSION)
        self.out = nn.Conv2d(out_channels * EXPANSION, out_channels, 1)

    def forward(self, x):
        return swish(self.out(super().forward(x)))


def channel_mean(x):
    return torch.mean(x, dim=AXIS, keepdim=True)
''',
    "net/model.py": '''
import torch
from torch import nn

from net.blocks import ConvBlock
from . import blocks
from .acts import norm
from .blocks import Wide as W, channel_mean
from .plain import double, scaled


class Gated(W):
    def forward(self, x):
        return super().forward(x) * torch.sigmoid(channel_mean(x)) + scaled(x, 0.5)


class Net(nn.Module):
    def __init__(self, width=6, classes=4):
        super().__init__()
        self.stem = ConvBlock(3, width, stride=2)
        self.body = nn.Sequential(Gated(width, width), blocks.Wide(width, width), norm(width))
        self.head = nn.Linear(width, double(classes) // 2)

    def forward(self, x):
        x = self.body(self.stem(x))
        b, c, h, w = x.shape
        return self.head(x.reshape(b, c, h * w).mean(2))


def build(width=6):
    return Net(width)
''',
    "net/heads/__init__.py": "",
    "net/heads/classify.py": '''
from torch import nn

import net.model
from net import ConvBlock
from .. import blocks
from ..blocks import *


class Head(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.one = ConvBlock(4, width)
        self.two = blocks.ConvBlock(width, 7, act="gelu")
        self.three = Wide(7, 7)

    def forward(self, x):
        x = self.three(self.two(self.one(x)))
        return blocks.channel_mean(x).flatten(1)
''',
}


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Result]]:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    results = translate_together(put(source, PACKAGE), "torch2tf")
    named = {str(Path(path).relative_to(source)): result for path, result in results.items()}
    put(target, {name: result.text for name, result in named.items()})
    return source, target, named


def together(folder: Path, **files: str) -> dict[str, str]:
    """The ported texts of these modules, by name."""
    texts = put(folder, {f"{name}.py": text for name, text in files.items()})
    return {Path(path).stem: result.text for path, result in translate_together(texts, "torch2tf").items()}


CONV = """
from torch import nn


class Conv(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.conv = nn.Conv2d(a, b, 3, padding=1)

    def forward(self, x):
        return self.conv(x)
"""
USER = """
from torch import nn

from parts import Conv


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Conv(3, 4)

    def forward(self, x):
        return self.one(x).mean(dim=1)
"""


def test_nothing_of_the_package_is_refused(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    assert {name: refused(result) for name, result in ported[2].items() if refused(result)} == {}


def test_blocks_of_other_files_take_channels_last(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    text = {name: result.text for name, result in ported[2].items()}
    assert "tf.transpose" not in text["net/blocks.py"] and "class ConvBlock(layers.Layer)" in text["net/blocks.py"]
    assert "  # NCHW to NHWC\n        x = self.body(self.stem(x))" in text["net/model.py"]
    assert "b, h, w, c = keras.ops.shape(x)" in text["net/model.py"]
    assert "x = self.three(self.two(self.one(x)))" in text["net/heads/classify.py"]


def test_functions_and_constants_of_other_files_are_known(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    text = {name: result.text for name, result in ported[2].items()}
    assert "tf.reduce_mean(x, axis=-1, keepdims=True)" in text["net/blocks.py"]  # of AXIS, channels last
    assert text["net/plain.py"].startswith("import tensorflow as tf\n\n\ndef scaled(x, factor):\n    return tf.reduce")
    assert "def double(n):\n    return n * 2\n" in text["net/plain.py"]
    assert "sigmoid(channel_mean(x)) + scaled(x, 0.5)" in text["net/model.py"]


def test_names_of_imported_symbols_stay(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    text = {name: result.text for name, result in ported[2].items()}
    assert "norm(width)])" in text["net/model.py"] and "self.bn = Norm(out_channels)" in text["net/blocks.py"]
    assert "return swish(self.out(super().call(x)))" in text["net/blocks.py"]
    assert "from .blocks import Wide as W, channel_mean" in text["net/model.py"]
    assert "class Gated(W):" in text["net/model.py"]
    assert not any("import torch" in t or "from torch" in t for t in text.values())


@pytest.mark.parametrize("name", ["net/__init__.py", "net/sizes.py", "net/heads/__init__.py"])
def test_a_file_that_needs_no_change_comes_back(name: str, ported: tuple[Path, Path, dict[str, Result]]) -> None:
    assert not ported[2][name].changed and ported[2][name].text == ported[2][name].source


def test_the_package_verifies(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    source, target, _ = ported
    case = Case("net.model:build()", ("f32[2,3,16,12]",))
    found = verify(source, target, "torch2tf", [case], Settings(dtypes=("float64",)))
    assert [v.status for v in found] == ["verified"], found[0].message


def test_the_command_copies_and_writes_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "src", PACKAGE)
    assert cli.main(["torch2tf", str(tmp_path / "src"), "-o", str(tmp_path / "out")]) == 0, capsys.readouterr().out
    assert "tf.transpose" not in (tmp_path / "out/net/blocks.py").read_text()
    for name in ("net/sizes.py", "net/__init__.py"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "src" / name).read_bytes()


def test_one_file_alone_reads_the_others_and_names_them(tmp_path: Path) -> None:
    texts = put(tmp_path, {"parts.py": CONV, "main.py": USER})
    path = str(tmp_path / "main.py")
    result = translate(texts[path], "torch2tf", path=path)
    assert "tf.reduce_mean(self.one(x), axis=-1)" in result.text
    assert any(f.startswith("P210 `parts.py`") for f in refused(result)), refused(result)


def test_a_base_in_a_file_that_is_not_ported_is_told_once(tmp_path: Path) -> None:
    base = "import pkg\nfrom torch import nn\n\n\nclass Base(nn.Module):\n    def run(self, x):\n        return x + 1\n"
    net = "from pkg.base import Base\n\n\nclass Net(Base):\n    def forward(self, x):\n        return self.run(x)\n"
    texts = put(tmp_path, {"pkg/__init__.py": "from pkg.net import Net\n", "pkg/base.py": base, "pkg/net.py": net})
    path = str(tmp_path / "pkg/net.py")
    said, = refused(translate(texts[path], "torch2tf", path=path))
    assert said.startswith("P210 `base.py`")


def test_what_uses_a_refused_definition_of_another_file_is_refused(tmp_path: Path) -> None:
    bad = CONV.replace("return self.conv(x)", "return self.conv(x).unheard_of()")
    again = "import main\n\n\ndef make():\n    return main.Net()\n"
    texts = put(tmp_path, {"parts.py": bad, "main.py": USER, "again.py": again})
    results = {Path(path).name: result for path, result in translate_together(texts, "torch2tf").items()}
    assert "class Conv(nn.Module)" in results["parts.py"].text
    assert "# port: P206 it uses `Conv`, which is not ported\nclass Net(nn.Module)" in results["main.py"].text
    assert any("it uses `main.Net`" in f for f in refused(results["again.py"]))


def test_a_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    texts = put(tmp_path, {"parts.py": CONV, "main.py": USER, "bad.py": "import torch\ndef f(:\n"})
    results = {Path(path).name: result for path, result in translate_together(texts, "torch2tf").items()}
    assert results["bad.py"].findings[0].code == "P902" and "keras.Model" in results["main.py"].text


@pytest.mark.parametrize("direction", ["torch2tf", "tf2torch"])
def test_a_fault_of_ours_in_one_file_does_not_stop_the_others(
        direction: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What imports from it is told that it is not ported."""
    files = {"parts.py": CONV, "main.py": USER, "again.py": USER} if direction == "torch2tf" else {
        "parts.py": "from keras import layers\n\n\ndef part(x):\n    return layers.Dense(3)(x)\n",
        "main.py": "import keras\nfrom parts import part\n\n\ndef f(x):\n    return keras.ops.abs(part(x))\n",
        "again.py": "import keras\nfrom parts import part\n\n\ndef g(x):\n    return keras.ops.abs(part(x))\n"}
    put(tmp_path / "src", files)
    if direction == "torch2tf":
        kept = module.written
        monkeypatch.setattr(module, "written", lambda w, node: 1 / 0 if w.it.file.name.endswith("main.py") else kept(
            w, node))
    else:
        old = Pass.statements
        monkeypatch.setattr(Pass, "statements", lambda self: 1 / 0 if self.em.it.file.name.endswith("main.py") else old(
            self))
    cli.main([direction, str(tmp_path / "src"), "-o", str(tmp_path / "out"), "--jobs", "1", "--no-cache"])
    said = capsys.readouterr().out
    assert said.count("P901") == 1 and "ZeroDivisionError" in said
    framework = "torch" if direction == "tf2torch" else "keras"
    assert f"{framework}." in (tmp_path / "out/again.py").read_text()


@pytest.mark.parametrize("direction", ["torch2tf", "tf2torch"])
@pytest.mark.parametrize("stage", ["read", "inferred"])
def test_a_fault_while_files_are_read_together_is_that_of_one_file(
        direction: str, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
        ) -> None:
    """It was said of all of them, and none was translated."""
    head, call = ("import torch", "torch.abs") if direction == "torch2tf" else ("import tensorflow as tf", "tf.abs")
    put(tmp_path / "src", {"parts.py": f"{head}\n\n\ndef part(x):\n    return {call}(x)\n",
                           "bad.py": f"{head}\nfrom parts import part\n\n\ndef bad(x):\n    return {call}(part(x))\n",
                           "good.py": f"{head}\nfrom parts import part\n\n\ndef f(x):\n    return {call}(part(x))\n"})
    if stage == "read":
        again = Unit.again
        monkeypatch.setattr(Unit, "again", lambda self: 1 / 0 if self.name.endswith("bad.py") else again(self))
    else:
        interp = interp_torch2tf.Interp if direction == "torch2tf" else interp_tf2torch.Interp
        within = interp.within

        def fails(self: Any, inside: Any) -> Any:
            file = inside if direction == "torch2tf" else inside.top().file
            return within(self, inside) if file is None or not file.name.endswith("bad.py") else failing(self, inside)

        @contextmanager
        def failing(self: Any, inside: Any) -> Iterator[None]:
            with within(self, inside):
                yield
                raise ZeroDivisionError

        monkeypatch.setattr(interp, "within", fails)
    cli.main([direction, str(tmp_path / "src"), "-o", str(tmp_path / "out"), "--jobs", "1", "--no-cache"])
    said = capsys.readouterr().out
    assert said.count("P901") == 1 and "bad.py\n  1:1 P901" in said
    assert all(f"{head}\n" not in (tmp_path / "out" / name).read_text() for name in ("good.py", "parts.py"))


def test_imports_in_a_circle_and_inside_functions(tmp_path: Path) -> None:
    text = together(tmp_path, parts=CONV + """

def net():
    from main import Net

    return Net()
""", main=USER)
    assert "    from main import Net\n" in text["parts"] and "self.one(x), axis=-1)" in text["main"]


def test_star_imports_of_the_project_bring_its_names_and_the_frameworks(tmp_path: Path) -> None:
    text = together(tmp_path, parts=CONV, main="""
from parts import *


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Conv(3, 4)
        self.two = nn.Linear(4, 2)

    def forward(self, x):
        return self.two(self.one(x).mean(dim=(2, 3)))
""")
    assert "class Net(keras.Model)" in text["main"] and "layers.Dense(2" in text["main"]
    assert "axis=[1, 2])" in text["main"] or "axis=(1, 2))" in text["main"]


def test_what_another_file_imports_from_pytorch_comes_from_keras(tmp_path: Path) -> None:
    """The other file no longer imports it; what stays in PyTorch has it from PyTorch."""
    text = together(tmp_path, parts="""
import math

import torch
import torch.nn.functional as F
from torch import nn


def scale(x):
    return torch.exp(x) / torch.tensor(math.pi)
""", main="""
from parts import F, math, nn as tnn, scale


class Net(tnn.Module):
    def __init__(self):
        super().__init__()
        self.one = tnn.Linear(3, 4)

    def forward(self, x):
        return scale(F.relu(self.one(x))) * math.sqrt(2)


class Kept(tnn.Module):
    def forward(self, x):
        return x.unheard_of()
""")
    assert "from parts import math, scale\n" in text["main"] and "import math\n" in text["parts"]
    assert "tf.nn.relu(self.one(x))" in text["main"] and "class Net(keras.Model)" in text["main"]
    assert "from torch import nn as tnn\n" in text["main"] and "class Kept(tnn.Module)" in text["main"]


def test_star_imports_of_the_framework(tmp_path: Path) -> None:
    text = together(tmp_path, main=CONV.replace("from torch import nn", "from torch.nn import *").replace("nn.", ""))
    assert "class Conv(keras.Model)" in text["main"] and "import *" not in text["main"]


def test_a_model_that_a_function_builds_keeps_its_interface_though_another_holds_it(tmp_path: Path) -> None:
    """A block that only modules make has channels last outside; so has one from a factory that modules call."""
    text = together(tmp_path, parts=CONV, main=USER + """

def build():
    return Net()


def part():
    return Conv(1, 2)
""", pair="""
from torch import nn

from main import Net, part


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = Net()
        self.part = part()

    def forward(self, x, y):
        return self.net(x).mean(dim=1) + self.part(y).mean(dim=1)
""")
    assert "x = tf.transpose(x, [0, 2, 3, 1])  # NCHW to NHWC" in text["main"]
    assert "tf.transpose" not in text["parts"]
    assert "self.net(x)" in text["pair"] and "y = tf.transpose(y, [0, 2, 3, 1])  # NCHW to NHWC" in text["pair"]
    assert "axis=-1)" in text["pair"]


def test_files_tied_by_imports_are_one_group(tmp_path: Path) -> None:
    """A file that only imports ties nothing but what others have from it."""
    texts = put(tmp_path, {
        "parts.py": CONV, "main.py": USER, "alone.py": CONV, "all.py": "import main\nimport alone\n", "other.py": CONV,
        "pack/through.py": "from pack import Conv\n\n\ndef make():\n    return Conv(1, 2)\n",
        "pack/__init__.py": "from .one import Conv\nfrom .two import Net\n", "pack/one.py": CONV, "pack/two.py": CONV})
    given = {Path(path): text for path, text in texts.items()}
    members = project.closure(given, lambda symbol: False, through=True)
    top = {path.stem: other for path, other in project.tied(members, "torch2tf").items()}
    assert top["main"] == top["parts"] and top["one"] == top["through"]
    assert len({top[n] for n in ("main", "alone", "other", "one", "two", "__init__", "all")}) == 7


def test_a_name_behind_a_star_leads_to_the_file_that_has_it(tmp_path: Path) -> None:
    texts = put(tmp_path, {
        "pack/__init__.py": "from .sizes import *\nfrom .hidden import *\nfrom .blocks import *\n",
        "pack/sizes.py": "MEAN = 0.5\nWIDTH: int = 3\n_OWN = 1\n", "pack/hidden.py": "__all__ = ['b']\nMEAN = b = 2\n",
        "pack/blocks.py": "import torch\n\n\ndef block(x): return x\n",
        "pack/main.py": "from pack import MEAN, WIDTH, block, _OWN\n"})
    given = {Path(path): text for path, text in texts.items() if path.endswith("main.py")}
    member = project.closure(given, lambda symbol: False, through=True)[next(iter(given))]
    found = {key[2]: target.path.stem for key, target in member.targets.items()}
    assert found == {"MEAN": "sizes", "WIDTH": "sizes", "block": "blocks", "_OWN": "__init__"}


LAZY = """from typing import TYPE_CHECKING

from .lazy import Module

if TYPE_CHECKING:
    from .base import Base, NAMES
    try:
        from . import heavy
    except ImportError:
        from .dummies import *
else:
    import sys
    sys.modules[__name__] = Module(__name__)
"""


@pytest.mark.parametrize("direction", ["tf2torch", "torch2tf"])
def test_names_that_a_package_gives_lazily_lead_to_their_files_and_to_no_other(direction: str, tmp_path: Path) -> None:
    texts = put(tmp_path, {"pack/__init__.py": LAZY, "pack/lazy.py": "", "pack/base.py": "NAMES = 1\n",
                           "pack/heavy.py": "", "pack/dummies.py": "",
                           "pack/main.py": "from pack import Base\nfrom pack import Module\n"})
    given = {Path(path): text for path, text in texts.items() if path.endswith("main.py")}
    found = project.closure(given, lambda symbol: False, through=direction == "torch2tf")
    targets = {key[2]: (target.path.stem, target.name) for key, target in found[next(iter(given))].targets.items()}
    assert targets == {"Base": ("base", "Base"), "Module": ("__init__", "Module")}
    assert sorted(path.stem for path in found) == ["__init__", "base", "lazy", "main"]


def test_of_a_file_that_is_only_read_what_is_used_is_read(tmp_path: Path) -> None:
    """Methods of a base that nothing calls are: what they set later is known. Other classes and functions are not."""
    base = ("import torch\nfrom torch import nn\n\n\nclass Base(nn.Module):\n    def __init__(self):\n"
            "        super().__init__()\n        self.scaled = False\n\n    def scale(self):\n"
            "        self.scaled = True\n\n\nclass Other(nn.Module):\n    def forward(self, x):\n"
            "        return helper(x)\n\n\ndef helper(x):\n    return torch.relu(x)\n")
    net = ("from base import Base\nimport torch\n\n\nclass Net(Base):\n    def forward(self, x):\n"
           "        if self.scaled:\n            x = torch.exp(x)\n        return torch.sin(x)\n")
    texts = put(tmp_path, {"base.py": base, "net.py": net})
    seen: list[str] = []
    with noted(seen):
        text = translate(texts[str(tmp_path / "net.py")], "torch2tf", path=str(tmp_path / "net.py")).text
    assert "if self.scaled:\n            x = tf.exp(x)" in text
    assert set(seen) == {"Base.__init__", "Base.scale", "Net.forward"}


@contextmanager
def noted(seen: list[str]) -> Iterator[None]:
    """The names of the functions that are analysed."""
    def note(it: Any, function: Any) -> None:
        seen.append(f"{function.owner.name}.{function.name}" if function.owner else function.name)
        analyze(it, function)

    analyze = users.analyze
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "analyze", note)
        yield


def test_lists_that_are_put_into_lists_come_to_an_end() -> None:
    """Two functions that hand each other lists of what they were given: 2 ** 40 elements."""
    text = translate("""
import torch


def one(n, x):
    n = [n, n] if isinstance(n, int) else n
    return two(n, x)


def two(n, x):
    return one([n, n], x) if len(n) < 5 else torch.relu(x)
""", "torch2tf").text
    assert "tf.nn.relu(x)" in text


def test_imports_of_a_tree_are_those_of_its_text() -> None:
    text = """import a
import a.b, c.d as e
from . import f
from ..g.h import (i, j as k)
from l import *


def m():
    try:
        from n.o import p
    except ImportError:
        import q
"""
    assert sorted(siblings.imports(cst.parse_module(text))) == sorted(project.imports(text) or ())
