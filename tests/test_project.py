"""Files that import from each other are ported so that the ports fit together, and verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from port import cli, project
from port.findings import CATALOGUE, Outcome
from port.result import Result
from port.translate import translate, translate_together
from port.verify.parent import Case, Settings, verify

PACKAGE = {
    "net/__init__.py": '''
"""A package."""
from .blocks import conv_block, twice
from .model import build

__all__ = ["build", "conv_block", "twice"]
''',
    "net/sizes.py": '''
EXPANSION = 2
''',
    "net/layers.py": '''
import keras
from keras import layers


class Gate(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units, kernel_initializer="he_normal")

    def call(self, x):
        return x * keras.ops.sigmoid(self.dense(x))
''',
    "net/blocks.py": '''
from keras import layers

from .sizes import EXPANSION


def conv_block(x, filters, strides=1):
    """A convolution, normalised."""
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x)


def twice(x, filters):
    y = conv_block(x, filters * EXPANSION)
    return conv_block(y, filters)


def narrow(x, filters):
    return layers.Conv2D(filters, 1)(x)


def pooled(x):
    return layers.GlobalAveragePooling2D()(x)
''',
    "net/model.py": '''
import keras
from keras import layers

from net.blocks import conv_block
from . import blocks
from .layers import Gate
from .blocks import pooled as pool, twice as two


def build(filters=6):
    inputs = keras.Input((16, 12, 3))
    x = conv_block(inputs, filters, strides=2)
    x = blocks.narrow(x, filters + 2)
    for _ in range(2):
        x = two(x, filters)
    x = Gate(filters)(pool(x))
    return keras.Model(inputs, layers.Dense(4)(x))
''',
    "net/heads/__init__.py": "",
    "net/heads/classify.py": '''
import keras

import net.model
from net import conv_block
from .. import blocks
from ..layers import *


def head(classes=3):
    inputs = keras.Input((8, 10, 4))
    x = conv_block(inputs, 5)
    x = blocks.conv_block(x, 7)
    x = blocks.pooled(x)
    x = Gate(7)(x)
    return keras.Model(inputs, keras.layers.Dense(classes)(x))
''',
}


def put(folder: Path, files: dict[str, str]) -> dict[str, str]:
    texts = {}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"))
        texts[str(path)] = path.read_text()
    return texts


@pytest.fixture(scope="module")
def ported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Result]]:
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    results = translate_together(put(source, PACKAGE), "tf2torch")
    named = {str(Path(path).relative_to(source)): result for path, result in results.items()}
    put(target, {name: result.text for name, result in named.items()})
    return source, target, named


def refused(result: Result) -> list[str]:
    return [f"{f.code} {f.message}" for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_nothing_of_the_package_is_refused(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    assert {name: refused(result) for name, result in ported[2].items() if refused(result)} == {}


def test_imports_name_what_functions_became(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    text = {name: result.text for name, result in ported[2].items()}
    assert "from .blocks import ConvBlock, Twice\n" in text["net/__init__.py"]
    assert '__all__ = ["build", "ConvBlock", "Twice"]' in text["net/__init__.py"]
    assert "from net.blocks import ConvBlock\n" in text["net/model.py"]
    assert "from .blocks import pooled as pool, Twice as two\n" in text["net/model.py"]
    assert "blocks.Narrow(" in text["net/model.py"] and "two(" in text["net/model.py"]
    assert "from net import ConvBlock\n" in text["net/heads/classify.py"]
    assert " ConvBlock(5, 7)" in text["net/heads/classify.py"]
    assert not any("keras" in t for t in text.values())


def test_a_file_without_framework_code_comes_back(ported: tuple[Path, Path, dict[str, Result]]) -> None:
    assert not ported[2]["net/sizes.py"].changed and not ported[2]["net/heads/__init__.py"].changed


@pytest.mark.parametrize(("file", "call", "shape"), [
    ("", "net.model:build()", "f32[2,16,12,3]"), ("net/heads/classify.py", "head()", "f32[2,8,10,4]")])
def test_the_package_verifies(file: str, call: str, shape: str, ported: tuple[Path, Path, dict[str, Result]]) -> None:
    source, target, _ = ported
    found = verify(source / file, target / file, "tf2torch", [Case(call, (shape,))], Settings(dtypes=("float64",)))
    assert [v.status for v in found] == ["verified"], found[0].message


def test_blocks_of_other_files_keep_the_initial_values_that_they_give_themselves(
        ported: tuple[Path, Path, dict[str, Result]]) -> None:
    text = {name: result.text for name, result in ported[2].items()}
    assert "nn.init.kaiming_normal_" in text["net/layers.py"] or "he_normal_" in text["net/layers.py"]
    for block in ("class ConvBlock", "class Twice"):
        body = text["net/blocks.py"].partition(block)[2].partition("\nclass ")[0]
        assert "self.apply(init_weights)" in body, block
    assert "if name not in ('conv_block', 'narrow', 'twices', 'gate'):  # made elsewhere" in text["net/model.py"]
    assert "if name not in ('conv_block1', 'conv_block2', 'gate'):  # made elsewhere" in text["net/heads/classify.py"]


def test_a_block_that_others_import_is_filled_once_more_by_what_holds_it(tmp_path: Path) -> None:
    holder = """

class {}(keras.Model):
    def __init__(self):
        super().__init__()
        self.block = Block()

    def call(self, x):
        return self.block(x)
"""
    block = """import keras
from keras import layers


class Block(layers.Layer):
    def __init__(self):
        super().__init__()
        self.a = layers.Embedding(9, 4, embeddings_initializer='ones')
        self.b = layers.Embedding(7, 4)

    def call(self, x):
        return self.a(x) + self.b(x)
"""
    texts = put(tmp_path, {"blocks.py": block + holder.format("Net"),
                           "main.py": "import keras\nfrom blocks import Block\n" + holder.format("Other")})
    text = translate_together(texts, "tf2torch")[str(tmp_path / "blocks.py")].text
    space: dict[str, Any] = {}
    exec(text, space)
    for made in (space["Block"](), space["Net"]().block):
        assert bool((made.a.weight == 1).all()) and float(made.b.weight.detach().abs().max()) <= 0.05


def test_one_file_alone_reads_the_others_and_names_them(tmp_path: Path) -> None:
    texts = put(tmp_path, PACKAGE)
    path = str(tmp_path / "net/model.py")
    result = translate(texts[path], "tf2torch", path=path)
    assert "conv_block.ConvBlock" not in result.text and "ConvBlock(3, filters, strides=2)" in result.text
    assert any(f.startswith("P210 `blocks.py`") for f in refused(result)), refused(result)
    assert not any("sizes" in f for f in refused(result))


def test_the_command_writes_a_package_that_verifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "src", PACKAGE)
    assert cli.main(["tf2torch", str(tmp_path / "src"), "-o", str(tmp_path / "out")]) == 0, capsys.readouterr().out
    assert "ConvBlock" in (tmp_path / "out/net/model.py").read_text()


def test_the_comments_of_an_import_that_moves_survive(tmp_path: Path) -> None:
    """It ended in an internal error for all files."""
    folder = tmp_path / "keras/src/layers"
    put(folder, {"moved.py": "import keras\n\n\ndef f(x):\n    return keras.ops.abs(x)\n\n\ndef g(x):\n    return x\n",
                 "user.py": "import keras\nfrom keras.src.layers.moved import (\n    f,  # shapes\n    g as h\n)\n\n"
                            "\ndef k(x):\n    return keras.ops.exp(f(h(x)))\n"})
    put(tmp_path, dict.fromkeys(("keras/__init__.py", "keras/src/__init__.py", "keras/src/layers/__init__.py"), ""))
    texts = {str(path): path.read_text() for path in folder.glob("*.py")}
    result = translate_together(texts, "tf2torch")[str(folder / "user.py")]
    assert "from .moved import (\n    f,  # shapes\n    g as h\n)\n" in result.text and not refused(result)


def test_scripts_beside_each_other(tmp_path: Path) -> None:
    texts = put(tmp_path, {
        "parts.py": "from keras import layers\n\n\ndef stem(x, n):\n    return layers.Dense(n)(x)\n",
        "main.py": "import keras\nimport parts\n\n\ndef build():\n    i = keras.Input((5,))\n"
                   "    return keras.Model(i, parts.stem(parts.stem(i, 4), 3))\n"})
    text = translate_together(texts, "tf2torch")[str(tmp_path / "main.py")].text
    assert "import parts\n" in text and "parts.Stem(5, 4)" in text and "parts.Stem(4, 3)" in text


def test_imports_in_a_circle(tmp_path: Path) -> None:
    texts = put(tmp_path, {
        "a.py": "from keras import layers\nfrom b import two\n\n\ndef one(x):\n    return layers.Dense(4)(x)\n\n\n"
                "def three(x):\n    return two(one(x))\n",
        "b.py": "import a\n\n\ndef two(x):\n    return a.one(a.one(x))\n"})
    results = translate_together(texts, "tf2torch")
    assert "a.One(" in results[str(tmp_path / "b.py")].text
    assert "from b import Two" in results[str(tmp_path / "a.py")].text


def test_what_stays_in_keras_is_imported_as_it_was(tmp_path: Path) -> None:
    texts = put(tmp_path, {
        "parts.py": "from keras import layers\n\n\ndef stem(x, n):\n    return layers.Dense(n)(x)\n",
        "main.py": "import keras\nfrom parts import stem\n\n\ndef build():\n    i = keras.Input((5,))\n"
                   "    return keras.Model(i, stem(i, 3))\n\n\ndef left(x):\n"
                   "    return keras.utils.unheard(stem(x, 3))\n"})
    results = translate_together(texts, "tf2torch")
    assert "from parts import Stem, stem\n" in results[str(tmp_path / "main.py")].text
    parts = results[str(tmp_path / "parts.py")].text
    assert "class Stem(nn.Module)" in parts and "def stem(x, n):\n    from keras import layers\n" in parts


def test_the_frameworks_own_files_are_followed_to_their_neighbours_only() -> None:
    keras = pytest.importorskip("importlib.util").find_spec("keras")
    folder = Path(keras.origin).parent / "src/applications"
    files = {str(folder / name): (folder / name).read_text() for name in ("resnet_v2.py", "resnet.py")}
    results = translate_together(files, "tf2torch")
    text = results[str(folder / "resnet_v2.py")].text
    assert "import resnet\n" in text and "resnet.StackResidualBlocksV2(" in text
    assert "class StackResidualBlocksV2(nn.Module)" in results[str(folder / "resnet.py")].text


# ---------------------------------------------------------------- which files
def none(symbol: str) -> bool:
    return False


@pytest.mark.parametrize(("level", "module", "name", "expected"), [
    (1, "", "blocks", ("net/blocks.py", "")), (1, "blocks", "twice", ("net/blocks.py", "twice")),
    (0, "net.blocks", "twice", ("net/blocks.py", "twice")), (0, "net", "build", ("net/__init__.py", "build")),
    (0, "net.heads", "classify", ("net/heads/classify.py", "")), (0, "net.heads.classify", "", (
        "net/heads/classify.py", "")),
    (0, "blocks", "twice", None), (0, "numpy", "array", None), (2, "", "net", ("net/__init__.py", "")),
    (1, "model", "build", None)])
def test_where_an_import_leads(level: int, module: str, name: str, expected: tuple[str, str] | None,
                               tmp_path: Path) -> None:
    put(tmp_path, PACKAGE | {"numpy/__init__.py": "", "blocks.py": ""})
    found = project.locate(tmp_path / "net/model.py", level, module, name)
    assert (None if found is None else (str(found.path.relative_to(tmp_path)), found.name)) == expected


def test_a_file_stands_behind_what_it_imports(tmp_path: Path) -> None:
    texts = put(tmp_path, PACKAGE)
    top = tmp_path / "net/heads/classify.py"
    order = [str(p.relative_to(tmp_path)) for p in project.closure({top: texts[str(top)]}, none)]
    assert order.index("net/sizes.py") < order.index("net/blocks.py") < order.index("net/model.py")
    assert order[-1] == "net/heads/classify.py"


def test_a_symbol_with_rows_is_not_followed(tmp_path: Path) -> None:
    texts = put(tmp_path, {"keras/__init__.py": "", "keras/a.py": "from keras import b, c\n", "keras/b.py": "",
                           "keras/c.py": ""})
    found = project.closure({tmp_path / "keras/a.py": texts[str(tmp_path / "keras/a.py")]},
                            project.has_rows(["keras.b.relu"]))
    assert [p.name for p in found] == ["c.py", "a.py"]


COMMON = """import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

L = keras.layers
Dense = L.Dense
relu = tf.nn.relu
"""


def test_names_of_the_framework_that_another_file_hands_on(tmp_path: Path) -> None:
    texts = put(tmp_path, {"net/__init__.py": "", "net/common.py": COMMON, "net/model.py": """from . import common
from .common import Dense, L, keras, relu, layers as lay


class Block(L.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense = Dense(units)
        self.norm = common.L.LayerNormalization()
        self.drop = lay.Dropout(0.2)

    def call(self, x):
        return self.drop(relu(self.norm(self.dense(x))) + common.tf.square(x))


def build(units=7):
    inputs = keras.Input((units,))
    return keras.Model(inputs, Block(units)(inputs))
"""})
    results = translate_together(texts, "tf2torch")
    text = results[str(tmp_path / "net/model.py")].text
    assert "nn.Linear(units, units)" in text and "self.drop = nn.Dropout(0.2)" in text and "from .common" not in text
    assert "F.relu(self.norm(self.dense(x))) + torch.square(x)" in text and "nn.LayerNorm(units, eps=0.001)" in text
    assert "import" not in results[str(tmp_path / "net/common.py")].text
    assert not any(r.findings for r in results.values())


def test_what_stays_keeps_the_names_that_another_file_hands_on(tmp_path: Path) -> None:
    texts = put(tmp_path, {"net/__init__.py": "", "net/common.py": COMMON, "net/model.py": """from . import common
from .common import Dense, layers


class Block(layers.Layer):
    def __init__(self, kind=common.L.Conv2D, other=Dense):
        super().__init__()
        self.made = kind(2, 3)
"""})
    results = translate_together(texts, "tf2torch")
    model, common = (results[str(tmp_path / f"net/{name}.py")].text for name in ("model", "common"))
    assert "from . import common\nfrom .common import Dense, layers\n" in model and "common.L.Conv2D" in model
    assert "from tensorflow.keras import layers\n" in common and "layers as L\n" in common and "Dense\n" in common
    assert "relu" not in common


def test_packages_that_are_ported_together_are_read_together(tmp_path: Path) -> None:
    """Of a folder with several packages those that are named are followed; others only lie there."""
    texts = put(tmp_path, {
        "parts/__init__.py": "from .stem import Stem\n",
        "parts/stem.py": "from keras import layers\n\n\nclass Stem(layers.Layer):\n"
                         "    def __init__(self, n, **kwargs):\n        super().__init__(**kwargs)\n"
                         "        self.dense = layers.Dense(n)\n\n"
                         "    def call(self, x):\n        return self.dense(x)\n",
        "nets/__init__.py": "",
        "nets/net.py": "import keras\nfrom parts import Stem\n\n\ndef build():\n    i = keras.Input((5,))\n"
                       "    return keras.Model(i, Stem(3, name='stem')(i))\n"})
    place = str(tmp_path / "nets/net.py")
    alone = translate_together({place: texts[place]}, "tf2torch")[place]
    assert any("`Stem` comes from `parts`, whose code is not read here" in m for m in refused(alone)), refused(alone)
    both = translate_together(texts, "tf2torch")
    assert "self.stem = Stem(5, 3)" in both[place].text and not refused(both[place]), both[place].text
    assert "def __init__(self, in_features, n):" in both[str(tmp_path / "parts/stem.py")].text
