"""Every edit knows the row or the rule that wrote it, and the lines of the source where it stands."""

from __future__ import annotations

import pytest

from port import table
from port.result import Edit
from port.translate import translate

KERAS = """\
import tensorflow as tf
from tensorflow.keras import layers


def block(x, filters):
    x = layers.Conv2D(
        filters, 3, padding="same",
    )(x)
    return tf.nn.relu(x)


def build():
    inputs = tf.keras.Input((8, 6, 3))
    return tf.keras.Model(inputs, block(inputs, 4))
"""
TORCH = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 5)

    def forward(self, x):
        return torch.flatten(self.fc(x), 1)
"""
REFUSED = """\
import tensorflow as tf


def f(x: tf.Tensor):
    y = tf.abs(x)
    return tf.strings.length(tf.abs(y)), tf.strings.length(tf.abs(x))
"""


def test_rows_and_rules_of_tf2torch() -> None:
    edits = translate(KERAS, "tf2torch").edits
    assert Edit(1, 1, "rule imports") in edits and Edit(2, 2, "rule imports") in edits
    assert Edit(5, 9, "rule builders") in edits and Edit(12, 14, "rule graph_functions") in edits
    assert Edit(6, 8, "row conv2d_layer") in edits and Edit(9, 9, "row relu") in edits


def test_rows_and_rules_of_torch2tf() -> None:
    edits = translate(TORCH, "torch2tf").edits
    assert Edit(5, 11, "rule classes") in edits and Edit(8, 8, "rule layer_conv") in edits
    assert Edit(11, 11, "row torch_flatten") in edits


@pytest.mark.parametrize(("text", "direction"), [(KERAS, "tf2torch"), (TORCH, "torch2tf")])
def test_a_row_that_is_named_can_be_looked_up(text: str, direction: str) -> None:
    names = {row.name for rows in (*table.by_tf_name().values(), *table.by_torch_name().values()) for row in rows}
    rows = [edit.by.removeprefix("row ") for edit in translate(text, direction).edits if edit.by.startswith("row ")]
    assert rows and set(rows) <= names


def test_what_is_refused_names_no_row() -> None:
    result = translate(REFUSED, "tf2torch")
    assert [f.code for f in result.findings] == ["P203"]
    assert not [edit for edit in result.edits if edit.line == 6]


def test_a_file_that_stays_has_no_edits() -> None:
    assert translate("import torch\nx = 1\n", "tf2torch").edits == ()


def test_helpers_stand_behind_the_imports_that_they_use() -> None:
    """Also where a statement stands above these; and no class of the output is named like one of them."""
    text = "x = 1\n" + KERAS.replace("def build()", "def f()").replace("import layers", "import layers\nz = 2")
    made = translate(text, "tf2torch").text
    assert made.startswith("x = 1\n") and made.index("from torch import nn") < made.index("def init_weights")
    assert "class F(" not in made and "class FModel(nn.Module)" in made
