"""`import package.parts`: what `package.parts.block` names, whatever the package's `__init__.py` holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.findings import CATALOGUE, Outcome
from port.result import Result
from port.translate import translate, translate_together
from port.verify.parent import Case, Settings, verify

KERAS = {
    "parts.py": """from keras import layers


def block(x, width):
    return layers.Conv2D(width, 3, padding="same", activation="relu")(x)


def other(width):
    def f(x):
        return layers.Conv2D(width, 1)(x)
    return f


def third(width):
    def f(x):
        return layers.Conv2D(width, 3, padding="same", activation="tanh")(x)
    return f
""",
    "net.py": """import keras
from keras import layers

import net.parts


def build(kind="other"):
    inputs = keras.Input((8, 8, 3))
    x = net.parts.block(inputs, 8)
    x = net.parts.other(4)(x)
    chosen = net.parts.other if kind == "other" else net.parts.third
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(chosen(6)(x)))
"""}
TORCH = {
    "parts.py": """import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.conv(x))


def double(x):
    return torch.cat([x, x], dim=1)
""",
    "net.py": """from torch import nn

import net.parts


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = net.parts.Block(3)

    def forward(self, x):
        return net.parts.double(self.block(x)).mean((2, 3))
"""}


def ported(folder: Path, files: dict[str, str], direction: str, below: str = "") -> dict[str, Result]:
    """The package `net` under `folder`/source, written to `folder`/target; `below`: in which package of it."""
    place = folder / "source/net" / below
    place.mkdir(parents=True)
    for package in {place, folder / "source/net"}:
        (package / "__init__.py").write_text("")
    name = ".".join(["net", *filter(None, [below])])
    for file, text in files.items():
        (place / file).write_text(text.replace("net.parts", f"{name}.parts"))
    texts = {str(p): p.read_text() for p in sorted((folder / "source").rglob("*.py"))}
    results = translate_together(texts, direction)
    for path, result in results.items():
        copy = folder / "target" / Path(path).relative_to(folder / "source")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(result.text)
    return {Path(path).name: result for path, result in results.items() if Path(path).parent == place}


def refused(results: dict[str, Result]) -> list[str]:
    return [f.message for r in results.values() for f in r.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


@pytest.mark.parametrize("below", ["", "inner"])
@pytest.mark.parametrize(("files", "direction", "calls", "shape"), [
    (KERAS, "tf2torch", ("build()", "build('third')"), "f32[2,8,8,3]"),
    (TORCH, "torch2tf", ("Net()",), "f32[2,3,8,8]")], ids=["Keras", "PyTorch"])
def test_the_package_verifies(tmp_path: Path, files: dict[str, str], direction: str, calls: tuple[str, ...], shape: str,
                              below: str) -> None:
    """An empty `__init__.py` led to nothing: calls stayed as they were, and no finding said so."""
    results = ported(tmp_path, files, direction, below)
    assert not refused(results)
    module = ".".join(["net", *filter(None, [below]), "net"])
    found = verify(tmp_path / "source", tmp_path / "target", direction,
                   [Case(f"{module}:{call}", (shape,)) for call in calls], Settings())
    assert [v.status for v in found] == ["verified"] * len(calls), [v.message for v in found]


def test_classes_are_named_by_their_module(tmp_path: Path) -> None:
    text = ported(tmp_path, KERAS, "tf2torch")["net.py"].text
    assert "import net.parts\n" in text and "self.block1 = net.parts.Block(3, 8)" in text
    assert 'chosen = net.parts.Other if kind == "other" else net.parts.Third' in text


def test_one_file_alone(tmp_path: Path) -> None:
    ported(tmp_path, KERAS, "tf2torch")
    path = tmp_path / "source/net/net.py"
    assert "net.parts.Block(3, 8)" in translate(path.read_text(), "tf2torch", path=str(path)).text
