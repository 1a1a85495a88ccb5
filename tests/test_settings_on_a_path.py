"""Settings, layers and builders that a condition of the constructor chooses, and what forward reads of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

SETTINGS = """import keras
from keras import layers


def build(kind="other"):
    inputs = keras.Input((8, 8, 3))
    scale = None
    if kind == "other":
        scale = 2.0
    x = layers.Conv2D(4, 3)(inputs)
    if scale is not None:
        x = x * scale
    power = 1.0
    if kind == "third":
        power = len(kind) / 10
    elif kind == "fourth":
        power = 3.0
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x * power))
"""

BUILDERS = """import keras
from keras import layers


def wide(x, width):
    return layers.Conv2D(width, 3, padding="same", activation="relu")(x)


def narrow(x, width):
    x = layers.Conv2D(width, 1)(x)
    return layers.BatchNormalization()(x)


def build(kind="wide"):
    inputs = keras.Input((8, 8, 3))
    x = wide(inputs, 8)
{chosen}
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
"""

BLOCKS = """import keras
from keras import layers


def wide(width):
    def f(x):
        return layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    return f


def narrow(width):
    def f(x):
        x = layers.Conv2D(width, 1)(x)
        return layers.BatchNormalization()(x)
    return f


def build(kind="wide"):
    inputs = keras.Input((8, 8, 3))
    x = wide(8)(inputs)
{chosen}
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
"""
KINDS = ("wide", "narrow")


def test_a_setting_that_a_condition_changes_is_there_on_every_path(tmp_path: Path) -> None:
    """`self.scale = scale` stood in the branch alone: an AttributeError without a finding."""
    port = translate(SETTINGS, "tf2torch")
    assert not port.findings
    kinds = ("other", "third", "fourth", "none")
    agree(tmp_path, SETTINGS, port.text, "tf2torch", [Case(f"build({k!r})", ["f32[2,8,8,3]"]) for k in kinds])


@pytest.mark.parametrize("chosen", [
    "f = wide if kind == 'wide' else narrow\nx = f(x, 4)",
    "x = (wide if kind == 'wide' else narrow)(x, 4)",
    "f = wide if kind == 'wide' else narrow\nfor width in (4, 6):\n    x = f(x, width)",
    "f = None\nif kind == 'wide':\n    f = wide\nif f is not None:\n    x = f(x, 4)",
])
def test_one_of_several_builders(tmp_path: Path, chosen: str) -> None:
    """The port called a class with a tensor, or as a function, where another place calls the builder by its name."""
    check(tmp_path, BUILDERS, chosen)


@pytest.mark.parametrize("chosen", [
    "f = wide if kind == 'wide' else narrow\nx = f(4)(x)",
    "x = (wide if kind == 'wide' else narrow)(4)(x)",
])
def test_one_of_several_blocks(tmp_path: Path, chosen: str) -> None:
    check(tmp_path, BLOCKS, chosen)


def check(tmp_path: Path, text: str, chosen: str) -> None:
    source = text.replace("{chosen}", "\n".join("    " + line for line in chosen.split("\n")))
    port = translate(source, "tf2torch")
    assert {f.code for f in port.findings} <= {"P101"}
    agree(tmp_path, source, port.text, "tf2torch", [Case(f"build({k!r})", ["f32[2,8,8,3]"]) for k in KINDS])
