"""Classes of the user's own layers that a table, a variable or a parameter holds: what is called may be any of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

SOURCE = '''import keras
import tensorflow as tf
from keras import layers


class Shift(layers.Layer):
    def __init__(self, width, epsilon=None, **kwargs):
        super().__init__(**kwargs)
        self.bias = self.add_weight(name="bias", shape=[width], initializer="ones")

    def call(self, x):
        return x + self.bias


class Scale(layers.Layer):
    def __init__(self, width, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=[input_shape[-1]], initializer="ones")

    def call(self, x):
        return x * tf.math.rsqrt(tf.reduce_mean(tf.square(x), axis=-1, keepdims=True) + self.epsilon) * self.scale


KINDS = {"shift": Shift, "scale": Scale}


class Block(layers.Layer):
    def __init__(self, width, kind="shift", **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(width)
        self.norm = KINDS[kind](width, epsilon=1e-3, name="norm")

    def call(self, x):
        return x + self.norm(self.dense(x))


def build(kind="shift"):
    inputs = keras.Input((5, 8))
    return keras.Model(inputs, layers.Dense(3)(Block(8, kind, name="block")(inputs)))
'''
HELD = "        self.norm = KINDS[kind](width, epsilon=1e-3, name=\"norm\")\n"
CHOSEN = {
    "table": HELD,
    "expression": "        made = Shift if kind == \"shift\" else Scale\n" + HELD.replace("KINDS[kind]", "made"),
    "branches": ("        if kind == \"shift\":\n            made = Shift\n        else:\n            made = Scale\n"
                 + HELD.replace("KINDS[kind]", "made")),
}
IMAGES = SOURCE.replace('shape=[width], initializer="ones")\n\n    def call(self, x):\n        return x + self.bias', (
    'shape=[width], initializer="ones")\n        self.pool = layers.AveragePooling2D(3, 1, padding="same")\n\n'
    '    def call(self, x):\n        return self.pool(x) + self.bias')).replace(
    "layers.Dense(width)", "layers.Conv2D(width, 3, padding=\"same\")").replace("(5, 8)", "(6, 6, 8)")
PARAMETER = (IMAGES.replace('kind="shift"', "kind=Scale").replace("KINDS[kind]", "kind"))


BACK = '''from torch import nn


class Pool(nn.Module):
    def __init__(self, size=3):
        super().__init__()
        self.pool = nn.AvgPool2d(size, 1, size // 2)

    def forward(self, x):
        return self.pool(x)


class Norm(nn.Module):
    def __init__(self, size=3):
        super().__init__()

    def forward(self, x):
        return x * x.square().mean(dim=-1, keepdim=True)


class Block(nn.Module):
    def __init__(self, made=Pool):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)
        self.norm = made(size=3)

    def forward(self, x):
        return self.norm(self.conv(x))


class Net(nn.Module):
    def __init__(self, size=3):
        super().__init__()
        self.block = Block()

    def forward(self, x):
        return self.block(x)
'''


def told(text: str, direction: str = "tf2torch") -> list[str]:
    return [f"{f.code} {f.message}" for f in translate(text, direction).findings if f.code not in ("P101", "P102")]


@pytest.mark.parametrize("chosen", CHOSEN.values(), ids=CHOSEN)
def test_any_of_them_takes_what_pytorch_takes(tmp_path: Path, chosen: str) -> None:
    """`name=` was left in the call, and the port crashed where the layer was made."""
    text = SOURCE.replace(HELD, chosen)
    assert not told(text)
    cases = [Case("build()", ["f32[2,5,8]"]), Case("build('scale')", ["f32[2,5,8]"])]
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


def test_all_of_them_are_given_images_in_one_order_of_axes(tmp_path: Path) -> None:
    """Silent before: what the first of them takes was taken for all."""
    assert not told(IMAGES)
    cases = [Case("build()", ["f32[2,6,6,8]"]), Case("build('scale')", ["f32[2,6,6,8]"])]
    agree(tmp_path, IMAGES, translate(IMAGES, "tf2torch").text, "tf2torch", cases)


def test_the_class_that_a_parameter_is_by_default_is_told() -> None:
    """Silent before: whoever passes another class, which the file has for that, gives images channels first to it."""
    assert [t for t in told(PARAMETER) if t.startswith("P103 `kind` is taken for `Scale`")]
    assert not told(SOURCE.replace('kind="shift"', "kind=Scale").replace("KINDS[kind]", "kind"))
    alone = PARAMETER[:PARAMETER.index("class Shift")] + PARAMETER[PARAMETER.index("class Scale"):]
    assert not told(alone.replace('KINDS = {"shift": Shift, "scale": Scale}\n', ""))


def test_what_only_keras_takes_is_refused() -> None:
    text = SOURCE.replace(', name="norm")', ', dtype="float32")')
    assert any("is not for the constructor of each class" in t for t in told(text))


def test_a_class_that_takes_a_size_more_is_refused() -> None:
    """Silent before where the call passes numbers by place: the size got what was meant for another parameter."""
    text = SOURCE.replace("(self, width, epsilon=1e-6, **kwargs)", "(self, power=2, **kwargs)").replace(
        "self.epsilon = epsilon", "self.epsilon = 1e-6").replace('KINDS[kind](width, epsilon=1e-3, name="norm")',
                                                                 "KINDS[kind](8)")
    assert "def __init__(self, in_features, power=2)" in translate(text, "tf2torch").text
    assert any("`Scale`, which `KINDS[kind]` may be, takes the size `in_features`" in t for t in told(text))


def test_the_same_from_pytorch() -> None:
    found = told(BACK, "torch2tf")
    assert found == ["P103 `made` is taken for `Pool`, which gets tensors channels last; `Norm`, which nothing here "
                     "makes, is not ported for that"]
    alone = BACK[:BACK.index("class Norm")] + BACK[BACK.index("class Block"):]
    assert not told(alone, "torch2tf")
    assert not told(BACK.replace("Block()", "Block(Norm)"), "torch2tf")


FUNCTIONS = '''import keras
import tensorflow as tf
from keras import layers


def pool(x, size):
    return layers.AveragePooling2D(size, 1, padding="same")(x)


def norm(x, size):
    return x * keras.ops.mean(x, axis=-1, keepdims=True) + size


def build(block=pool):
    inputs = keras.Input((6, 6, 4))
    return keras.Model(inputs, block(layers.Conv2D(4, 3)(inputs), 3))
'''
BACK_FUNCTIONS = '''import torch
from torch import nn
import torch.nn.functional as F


def pool(x, size):
    return F.avg_pool2d(x, size)


def norm(x, size):
    return x * x.mean(dim=-1, keepdim=True) + size


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)

    def forward(self, x):
        return self.conv(step(self.conv(x)))


def step(x, block=pool):
    return block(x, 3)
'''


@pytest.mark.parametrize(("text", "direction", "function"), [
    (FUNCTIONS, "tf2torch", "keras.ops.relu"), (BACK_FUNCTIONS, "torch2tf", "F.relu")])
def test_functions_that_are_passed_in(text: str, direction: str, function: str) -> None:
    found = [t for t in told(text, direction) if t.startswith("P103 `block` is taken for `pool`")]
    assert len(found) == 1 and "`norm`, which nothing here calls" in found[0]
    rest = text[text.index("def build" if direction == "tf2torch" else "class Net"):]
    by_element = f"{text[:text.index('def norm')]}def norm(x, size=3):\n    return {function}(x)\n\n\n{rest}"
    assert not [t for t in told(by_element, direction) if "is taken for" in t]


PICKED = '''import keras
import tensorflow as tf
from keras import layers


class Pool(layers.Layer):
    def __init__(self, size=3, **kwargs):
        super().__init__(**kwargs)
        self.pool = layers.AveragePooling2D(size, 1, padding="same")

    def call(self, x):
        return self.pool(x)


class Norm(layers.Layer):
    def __init__(self, size=3, **kwargs):
        super().__init__(**kwargs)

    def call(self, x):
        return x * tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)


def half(x):
    return x * 0.5


def norm(x):
    return x * tf.reduce_mean(tf.square(x), axis=-1, keepdims=True)


def pick(kind):
    if kind == "pool":
        return FIRST
    return SECOND


class Block(layers.Layer):
    def __init__(self, kind="pool", **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same")
        self.norm = PICK

    def call(self, x):
        x = self.conv(x)
        return x + self.norm(x)


def build(kind="pool"):
    inputs = keras.Input((4, 4, 4))
    return keras.Model(inputs, layers.Conv2D(3, 1)(Block(kind)(inputs)))
'''


@pytest.mark.parametrize(("first", "second", "pick", "reason"), [
    ("half", "norm", "pick(kind)", "what `self.norm(x)` is is not known"),
    ("layers.AveragePooling2D(3, 1)", "layers.LayerNormalization()", "pick(kind)", "one of several layers is applied"),
    ("layers.AveragePooling2D(3, 1)", "Norm(3)", "pick(kind)", "what `self.norm(x)` is is not known")])
def test_what_a_function_picks_is_not_taken_for_the_first(first: str, second: str, pick: str, reason: str) -> None:
    """Silent before: what the first `return` gives was taken for all."""
    text = PICKED.replace("FIRST", first).replace("SECOND", second).replace("PICK", pick)
    assert any(reason in t for t in told(text))


@pytest.mark.parametrize(("first", "second", "pick"), [
    ("Pool", "Norm", "pick(kind)(size=3)"), ("Pool(3)", "Norm(3)", "pick(kind)")])
def test_layers_of_the_user_that_a_function_picks(tmp_path: Path, first: str, second: str, pick: str) -> None:
    text = PICKED.replace("FIRST", first).replace("SECOND", second).replace("PICK", pick)
    assert not told(text)
    cases = [Case(f"build({kind!r})", ["f32[2,4,4,4]"]) for kind in ("pool", "norm")]
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


def test_what_is_not_known_gives_tensors_with_the_axes_of_the_source(tmp_path: Path) -> None:
    """Silent before: `x + self.norm(x)` added one order of axes to the other."""
    text = PICKED.replace("FIRST", "Pool").replace("SECOND", "Norm").replace("PICK", (
        'globals()["Pool" if kind == "pool" else "Norm"](size=3)'))
    port = translate(text, "tf2torch").text
    agree(tmp_path, text, port, "tf2torch", [Case(f"build({kind!r})", ["f32[2,4,4,4]"]) for kind in ("pool", "norm")])


@pytest.mark.parametrize("kind", ["Average", "Max"])
def test_a_pool_whose_size_is_a_setting_keeps_its_padding(tmp_path: Path, kind: str) -> None:
    """Silent before: the padding was left out, in the class of a pool whose size only the constructor knows."""
    text = PICKED.replace("FIRST", "Pool").replace("SECOND", "Norm").replace("PICK", "Pool(3)").replace("Average", kind)
    assert not told(text)
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", [Case("build()", ["f32[2,4,4,4]"])])


LISTED = (PICKED[:PICKED.index("def pick")] + PICKED[PICKED.index("class Block"):]).replace(
    "self.norm = PICK", 'self.parts = [layers.AveragePooling2D(3, 1, padding="same"), OTHER]').replace(
    "        return x + self.norm(x)\n",
    "        for i in range(2):\n            x = self.parts[i](x)\n        return x\n")


@pytest.mark.parametrize("other", ["LayerNormalization()", "Dense(4)"])
def test_layers_of_a_list_by_number_are_applied_alike_or_refused(other: str) -> None:
    """Silent before: the line was written for the first of them."""
    text = LISTED.replace("OTHER", f"layers.{other}")
    assert any("`self.parts[i]` is one of several layers" in t for t in told(text))


@pytest.mark.parametrize("other", ["BatchNormalization()", "Softmax()", "Conv2D(4, 3, padding=\"same\")"])
def test_all_layers_of_a_list_are_told_what_they_get(tmp_path: Path, other: str) -> None:
    text = LISTED.replace("OTHER", f"layers.{other}")
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", [Case("build()", ["f32[2,4,4,4]"])])
