"""`from keras.layers import *`: the names that have rows are found; what the file binds itself is its own."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port import stars, table
from port.findings import CATALOGUE, Outcome
from port.translate import translate, translate_together
from port.verify.parent import Case

SOURCE = '''
from {layers} import *
from {models} import *


def Swish(x):
    return Activation("swish")(x)


def build(units=6):
    inputs = Input(shape=(12, 10, 3))
    add = Conv2D(units, 3, padding="same")(inputs)
    add = Swish(BatchNormalization()(add))
    x = Add()([add, Conv2D(units, 1)(inputs)])
    x = GlobalAveragePooling2D()(x)
    return Model(inputs, Dense(3)(x))
'''


def expanded(text: str) -> str:
    return stars.expand(cst.parse_module(text), "tf2torch", table.by_tf_name()).code


@pytest.mark.parametrize("base", ["keras", "tensorflow.keras", "keras.src"])
def test_a_file_of_star_imports_is_ported(base: str, tmp_path: Path) -> None:
    text = SOURCE.format(layers=f"{base}.layers", models=f"{base}.models")
    result = translate(text, "tf2torch")
    assert not [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED], result.findings
    assert "keras" not in result.text and "*" not in result.text
    if base == "keras":
        agree(tmp_path, text, result.text, "tf2torch", [Case("build()", ("f32[2,12,10,3]",))])


def test_names_of_the_file_and_of_python_are_not_taken() -> None:
    text = "from keras.layers import *\nDense = 3\n\n\ndef Add(x):\n    return max(x, Dense, Conv2D)\n"
    assert expanded(text).startswith("from keras.layers import Conv2D\n")


def test_a_local_name_is_not_taken_from_a_module_that_is_refused_as_a_whole() -> None:
    text = "from tensorflow.python.ops.rnn_cell import *\n\n\nclass A(RNNCell):\n    b = lambda a: a\n"
    assert expanded(text).startswith("from tensorflow.python.ops.rnn_cell import RNNCell\n")


def test_a_name_without_a_row_can_only_come_from_the_framework() -> None:
    text = "from keras.layers import *\n\n\ndef f(x):\n    y = x\n    return Unheard(y)\n"
    assert expanded(text).startswith("from keras.layers import Unheard\n")
    both = "from keras.layers import *\nfrom blocks import *\n\n\ndef f(x):\n    return Dense(Unheard(x))\n"
    assert expanded(both).startswith("from keras.layers import Dense\nfrom blocks import *\n")


def test_the_last_module_that_has_the_name_counts() -> None:
    text = "from keras.layers import *\nfrom keras.activations import *\n\nx = [relu, Dense]\n"
    assert expanded(text) == "from keras.layers import Dense\nfrom keras.activations import relu\n\nx = [relu, Dense]\n"


def test_other_star_imports_stay() -> None:
    text = "from math import *\nx = sqrt(2)\n"
    assert expanded(text) == text


def test_what_is_left_keeps_its_import() -> None:
    text = "from keras.layers import *\nfrom keras.models import *\n\n\ndef f():\n    return load_model('x.keras')\n"
    result = translate(text, "tf2torch")
    assert any(CATALOGUE[f.code].outcome is Outcome.REFUSED for f in result.findings)
    assert "from keras.models import load_model" in result.text


@pytest.mark.parametrize(("text", "direction"), [
    ("import keras\nfrom other import *\n\n\ndef f(x):\n    return Thing(3)(keras.layers.Dense(2)(x))\n", "tf2torch"),
    ("import torch\nfrom timm.layers import *\n\n\ndef f(x: torch.Tensor):\n    return DropPath(0.1)(x)\n", "torch2tf"),
    ("from torch import nn\nfrom .blocks import *\n\n\nclass A(nn.Module):\n    def forward(self, x):\n"
     "        return squash(x)\n", "torch2tf"),
    ("from torch import nn\nfrom timm.layers import *\n\n\nclass A(DropPath):\n    def forward(self, x):\n"
     "        return x + 1\n", "torch2tf")])
def test_a_tensor_given_to_what_a_package_that_is_not_read_exports_is_refused(text: str, direction: str) -> None:
    found = [f.message for f in translate(text, direction).findings if f.code == "P201"]
    assert len(found) == 1 and "whose code is not read here" in found[0]


def test_a_name_that_another_file_of_the_project_gives_is_not_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "blocks.py").write_text("import keras\n\n\ndef double(x):\n    return keras.layers.ReLU()(x) * 2\n")
    main = tmp_path / "main.py"
    main.write_text("import keras\nfrom other import *\nfrom blocks import *\n\n\ndef build():\n"
                    "    x = keras.Input((3,))\n    return keras.Model(x, Unheard(2)(double(x)))\n")
    results = translate_together({str(p): p.read_text() for p in tmp_path.iterdir()}, "tf2torch")
    found = [f for f in results[str(main)].findings if f.code == "P201"]
    assert [f.line for f in found] == [8] and "`Unheard`" in found[0].message
