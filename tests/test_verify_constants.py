"""Constants that Keras rounds in float64 models: excused and named; a wrong constant of the port never is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from port.verify import compare
from port.verify.parent import Case, Settings, Verdict, verify

FAST = Settings(dtypes=("float64",))
KERAS = '''
import keras
import tensorflow as tf
from keras import layers


class CustomScale(layers.Layer):
    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        return inputs[0] + keras.ops.cast(self.scale, self.compute_dtype) * inputs[1]


class Root(layers.Layer):
    def call(self, x):
        return x * tf.cast(keras.ops.sqrt(0.3), x.dtype)


def hard_sigmoid(x):
    return layers.ReLU(6.0)(x + 3.0) * tf.cast(1.0 / 6.0, keras.config.floatx())


def build(kind):
    i = keras.Input((5,))
    x = layers.Dense(7, name="first")(i)
    if kind == "rescaling":
        x = layers.Rescaling(1 / 127.5, -0.7, name="pixels")(x)
    if kind == "hard_sigmoid":
        x = layers.Lambda(hard_sigmoid, name="gate")(x)
    if kind == "leaky":
        x = layers.LeakyReLU(0.3, name="leaky")(x)
    if kind == "leaky function":
        x = layers.Lambda(lambda v: tf.nn.leaky_relu(v, 0.1), name="slope")(x)
    if kind == "gelu":
        x = layers.Activation("gelu", name="smooth")(x)
    if kind == "scale":
        x = CustomScale(0.17, name="residual")([x, x])
    if kind == "root":
        x = Root(name="root")(x)
    return keras.Model(i, layers.Dense(3, name="last")(x))
'''
TORCH = '''
import math

import torch
from torch import nn

KINDS = {
    "rescaling": lambda x: x * (1 / 127.5) - 0.7,
    "hard_sigmoid": lambda x: torch.clamp(x + 3.0, 0.0, 6.0) * (1.0 / 6.0),
    "leaky": lambda x: torch.where(x > 0, x, x * 0.3),
    "leaky function": lambda x: torch.where(x > 0, x, x * 0.1),
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "scale": lambda x: x + 0.17 * x,
    "root": lambda x: x * math.sqrt(0.3),
}


class Net(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.first, self.last = nn.Linear(5, 7), nn.Linear(7, 3)
        self.kind = KINDS[kind]

    def forward(self, x):
        return self.last(self.kind(self.first(x)))


build = Net
'''
NAMED = {
    "rescaling": ("Rescaling scale 0.00784313725 (pixels line 29)", "Rescaling offset -0.7 (pixels line 29)"),
    "hard_sigmoid": ("Lambda hard_sigmoid 0.166666667 (gate line 22)",),
    "leaky": ("LeakyReLU negative_slope 0.3 (leaky line 33)",),
    "leaky function": ("Lambda leaky_relu 0.1 (slope line 35)",),
    "gelu": ("Activation gelu 0.707106781 (smooth line 37)",),
    "scale": ("CustomScale scale 0.17 (residual line 13)",),
    "root": ("Root 0.547722558 (root line 18)",),
}
WRONG = {  # by 1e-7 and less, beside a constant that Keras does round
    "rescaling": ("(1 / 127.5)", "(1 / 127.5 * (1 + 1e-7))"),
    "hard_sigmoid": ("(1.0 / 6.0)", "(1.0 / 6.0 * (1 - 1e-7))"),
    "leaky": ("x * 0.3", "x * 0.30000003"),
    "gelu": ("math.sqrt(2)", "math.sqrt(2) * (1 + 1e-7)"),
    "scale": ("0.17 * x", "0.17 * (1 + 4e-8) * x"),
}


def _verify(folder: Path, kinds: Iterable[str], ported: str) -> dict[str, Verdict]:
    paths = folder / "tf_version.py", folder / "torch_version.py"
    for path, text in zip(paths, (KERAS, ported), strict=True):
        path.write_text(text)
    found = verify(*paths, "tf2torch", [Case(f"build({kind!r})", ("f32[4,5]",)) for kind in kinds], FAST)
    return dict(zip(kinds, found, strict=True))


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    return _verify(tmp_path_factory.mktemp("right"), NAMED, TORCH)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    text = TORCH
    for old, new in WRONG.values():
        assert text.count(old) == 1
        text = text.replace(old, new)
    return _verify(tmp_path_factory.mktemp("wrong"), WRONG, text)


@pytest.mark.parametrize("kind", NAMED)
def test_rounded_constants_are_named(kind: str, right: dict[str, Verdict]) -> None:
    verdict = right[kind]
    assert verdict.status == "verified", verdict.message
    for name in NAMED[kind]:
        assert any(name in a for a in verdict.attributed), verdict.attributed
        assert name in verdict.message
    assert any(r.limit > compare.EXACT for r in verdict.rows), "nothing was rounded: the test shows nothing"
    assert all(r.limit <= (1e-6 if r.group in ("y", "buf") else 1e-5) for r in verdict.rows)
    assert re.search(r"one float32 ulp of them changes [1-9]\.\de-0[678]", verdict.message), verdict.message


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_constant_is_a_mismatch(kind: str, wrong: dict[str, Verdict]) -> None:
    verdict = wrong[kind]
    assert verdict.status == "mismatch", verdict.message
    assert verdict.worst < compare.RESIDUE, "too wrong: the test shows nothing"
    assert not verdict.attributed
    if kind in NAMED:
        assert "do not explain it" in verdict.message, verdict.message


def test_the_limit_is_what_the_network_makes_of_an_ulp() -> None:
    row = compare.Row("float64", "y", 0, "train", "0", 5e-6, 1e-9, 1.0)
    moved = compare.effects([replace(row, error=1.3e-6), replace(row, name="1", error=4e-7),
                             replace(row, mode="infer", error=1e-7), replace(row, error=float("inf"))])
    assert moved == {"y/0/train": 1.3e-6, "y/0/infer": 1e-7}
    assert not compare.excused(row, moved).bad
    assert compare.excused(replace(row, mode="infer"), moved).bad
    assert compare.excused(replace(row, group="buf"), moved).bad, "nothing is known to move it"
    assert compare.excused(replace(row, error=5.3e-6), moved).bad
    assert compare.excused(row, {}).limit == row.limit


def test_the_limit_of_rounded_constants() -> None:
    row = compare.Row("float64", "y", 0, "infer", "0", 2e-6, 1e-9, 1.0)
    assert compare.excused(row).bad
    assert not compare.excused(replace(row, error=9e-7)).bad
    assert not compare.excused(replace(row, group="dw")).bad
    assert compare.excused(replace(row, group="dw", error=2e-5)).bad
    assert compare.excused(replace(row, dtype="float32")).limit == row.limit


@pytest.mark.parametrize(("scale", "status"), [("1 / 127.5", "verified"), ("(1 + 1e-7) / 127.5", "mismatch")])
def test_a_keras_port_that_keeps_what_the_source_rounds(tmp_path: Path, scale: str, status: str) -> None:
    source, ported = tmp_path / "source.py", tmp_path / "ported.py"
    source.write_text(KERAS, encoding="utf-8")
    ported.write_text(KERAS.replace('layers.Rescaling(1 / 127.5, -0.7, name="pixels")(x)', f"x * ({scale}) - 0.7"),
                      encoding="utf-8")
    [found] = verify(source, ported, "tf2tf", [Case("build('rescaling')", ("f32[4,5]",))], FAST)
    assert found.status == status, found.message
    assert ("Rescaling scale" in found.message) == (status == "verified")


def test_a_constant_buffer_is_one_in_each_dtype() -> None:
    """A third is no float32 number: the pass in float32 holds the nearest one."""
    third = np.array([1 / 3, 2.0])
    assert compare.constant_buffer(third.astype("float32"), third, "float32")
    assert compare.constant_buffer(third, third, "float64")
    assert not compare.constant_buffer(third + 1e-6, third, "float32")
    assert not compare.constant_buffer(third, None, "float64")
