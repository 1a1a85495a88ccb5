"""A source that runs on Keras 2: its weights, modes and draws are found, and a fault in its port too."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify import keras_version
from port.verify.parent import Case, Settings, verify
from port.verify.verdict import MISMATCH, VERIFIED

SOURCE = '''
import tf_keras as keras
from tf_keras import layers


class Attention(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, activation="tanh")
        self.drop = layers.Dropout(0.3)

    def build(self, shape):
        self.context = self.add_weight("context", (self.units, 1), initializer="glorot_uniform")

    def call(self, x, training=None):
        scores = keras.backend.softmax(keras.backend.dot(self.dense(x), self.context), axis=1)
        return keras.backend.sum(self.drop(x, training=training) * scores, axis=1)


def build_model(frames=12, bands=7):
    x = inputs = layers.Input((frames, bands, 2))
    x = layers.DepthwiseConv2D((3, 2), padding="same", depth_multiplier=2)(x)
    x = layers.BatchNormalization(momentum=0.8)(x)
    x = layers.SeparableConv2D(4, 3, activation="relu")(x)
    x = layers.Reshape((frames - 2, (bands - 2) * 4))(x)
    x = layers.Bidirectional(layers.GRU(5, return_sequences=True))(x)
    x = layers.MultiHeadAttention(2, 3)(x, x)
    return keras.Model(inputs, layers.Dense(3)(Attention(6)(x)))
'''


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(folder with the source and a recording of it, text of its port)"""
    folder = tmp_path_factory.mktemp("keras2")
    (folder / "source.py").write_text(SOURCE)
    port = translate(SOURCE, "tf2torch")
    assert {f.code for f in port.findings} == {"P101"}
    return folder, port.text


def _verdict(folder: Path, port: str, **settings: str) -> tuple[str, tuple[str, ...]]:
    (folder / "port.py").write_text(port)
    found = verify(folder / "source.py", folder / "port.py", "tf2torch", [Case("build_model()")], Settings(**settings))
    return found[0].status, tuple(found[0].notes)


def test_a_port_of_keras_two_is_verified_and_a_fault_in_it_is_found(recorded: tuple[Path, str]) -> None:
    folder, port = recorded
    record = str(folder / "source.npz")
    _verdict(folder, port, record=record)
    status, notes = _verdict(folder, port, against=record)
    assert status == VERIFIED and not any("not compared" in n for n in notes), notes
    assert port.count("momentum=0.2") == 1
    status, notes = _verdict(folder, port.replace("momentum=0.2", "momentum=0.8"), against=record)
    assert status == MISMATCH, notes
    assert port.count("torch.tanh(") == 1
    status, notes = _verdict(folder, port.replace("torch.tanh(", "torch.sigmoid("), against=record)
    assert status == MISMATCH, notes


def test_the_file_may_have_tf_keras_from_a_file_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "compat.py").write_text("try:\n    import tf_keras as keras\nexcept ImportError:\n    import keras\n")
    (tmp_path / "model.py").write_text("from compat import keras\n\n\ndef build_model():\n    x = keras.Input((6,))\n"
                                       "    return keras.Model(x, keras.layers.Dense(3)(x))\n")
    (tmp_path / "port.py").write_text("from torch import nn\n\n\ndef build_model():\n    return nn.Linear(6, 3)\n")
    verdict = verify(tmp_path / "model.py", tmp_path / "port.py", "tf2torch", [Case("build_model()")])[0]
    assert verdict.status == VERIFIED, verdict


def test_keras_itself_is_no_file_of_the_user(tmp_path: Path) -> None:
    """The folder of a file that is installed holds TensorFlow and Keras too, which name tf_keras."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("import tf_keras\n")
    model = tmp_path / "model.py"
    model.write_text("import tensorflow as tf\nfrom tensorflow import keras\n")
    assert list(keras_version._texts(model)) == [model.read_text()]
