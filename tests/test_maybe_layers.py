"""Layers that an object may or may not have, by a setting, and layers that are passed to it.

All silent before: the port asked for an attribute that it had dropped, took a layer for granted, or gave images with
the source's axes to a module of PyTorch's.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = """import keras
import tensorflow as tf
from keras import layers


class Block(layers.Layer):
    def __init__(self, filters=4, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(filters, 3, padding="same")

    def call(self, x):
        return self.conv(x)


"""
PARTS = HEAD + '''class Base(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.pool = None


class First(layers.Layer):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        self.pool = None
        if wide:
            self.pool = layers.MaxPooling2D(2)

    def call(self, x):
        if self.pool is not None:
            x = self.pool(x)
        return x


class Asked(layers.Layer):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        if wide:
            self.pool = layers.AveragePooling2D(2)
            self.act = layers.ReLU()

    def call(self, x):
        if hasattr(self, "pool"):
            x = self.pool(x)
        return self.act(x) if getattr(self, "act", None) else x


class Inherited(Base):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        if wide:
            self.pool = layers.Softmax()

    def call(self, x):
        return self.pool(x) if self.pool else x


class Listed(layers.Layer):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        self.parts = [Block(4) if wide else None, None]
        self.more = [None, None]
        if wide:
            self.more[0] = layers.LayerNormalization()

    def call(self, x):
        for part in self.parts:
            if part is not None:
                x = part(x)
        if self.more[0] is not None:
            x = self.more[0](x)
        return x


class Net(keras.Model):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same")
        self.first = First(wide)
        self.asked = Asked(wide)
        self.inherited = Inherited(wide)
        self.listed = Listed(wide)

    def call(self, x):
        return self.listed(self.inherited(self.asked(self.first(self.conv(x)))))
'''
PASSED = HEAD + '''class Residual(layers.Layer):
    def __init__(self, fn, after=None, **kwargs):
        super().__init__(**kwargs)
        self.fn = fn
        self.after = after

    def call(self, x):
        x = x + self.fn(x)
        if self.after is not None:
            x = self.after(x)
        return x


class Net(keras.Model):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        self.stem = Block(4)
        self.parts = [Residual(Block(4))]
        self.conv = Residual(layers.Conv2D(4, 3, padding="same", activation="relu"))
        self.both = Residual(keras.Sequential([layers.Conv2D(4, 1), layers.ReLU()]))
        self.dense = Residual(layers.Dense(4), layers.MaxPooling2D(2) if wide else None)

    def call(self, x):
        x = self.stem(x)
        for part in self.parts:
            x = part(x)
        return self.dense(self.both(self.conv(x)))
'''


TO_FUNCTIONS = HEAD + '''def apply(fn, x):
    return fn(x)


def added(x, fn):
    return x + fn(x)


def Net(wide):
    inputs = keras.Input((8, 6, 4))
    x = layers.Conv2D(4, 3)(inputs)
    x = apply(layers.Conv2D(4, 3, padding="same"), x)
    x = added(x, layers.MaxPooling2D(3, 1, padding="same"))
    x = added(x, lambda t: layers.AveragePooling2D(3, 1, padding="same")(t))
    return keras.Model(inputs, apply(layers.Dense(4 if wide else 3), x))
'''


PICK = HEAD + '''def pick(wide):
    if wide:
        return layers.LayerNormalization()
    return None


'''
FUNCTIONAL = PICK + '''def Net(wide):
    inputs = keras.Input((8, 6, 4))
    x = layers.Conv2D(4, 3)(inputs)
    norm, act, pool = None, layers.Softmax() if wide else None, pick(wide)
    if wide:
        norm = layers.LayerNormalization()
    if norm is not None:
        x = norm(x)
    if act:
        x = act(x)
    if pool is not None:
        x = pool(x)
    parts = {"pool": layers.MaxPooling2D(2), "none": None}
    part = parts["pool" if wide else "none"]
    if part is not None:
        x = part(x)
    for layer in [layers.UpSampling2D(2)] if wide else []:
        x = layer(x)
    return keras.Model(inputs, x)
'''
VARIABLES = PICK + '''def Net(wide):
    inputs = keras.Input((8, 6, 4))
    x = layers.Conv2D(4, 3)(inputs)
    norm = None
    if wide:
        norm = layers.LayerNormalization()
    if norm is not None:
        x = norm(x)
    pool = layers.MaxPooling2D(2) if wide else None
    if pool is not None:
        x = pool(x)
    last = pick(wide)
    if last is not None:
        x = last(x)
    return keras.Model(inputs, x)
'''


@pytest.mark.parametrize("source", [PARTS, PASSED, TO_FUNCTIONS, FUNCTIONAL, VARIABLES], ids=[
    "parts", "passed", "to functions", "functional", "variables"])
def test_layers_that_may_be_there_and_layers_that_are_passed(source: str, tmp_path: Path) -> None:
    port = translate(source, "tf2torch")
    assert not [f for f in port.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    agree(tmp_path, source, port.text, "tf2torch", [Case(f"Net({w})", ["f32[2,8,6,4]"]) for w in (True, False)])


def test_what_is_only_called_is_still_no_attribute() -> None:
    made, used = "            self.pool = layers.MaxPooling2D(2)\n", "            x = self.pool(x)\n"
    source = PARTS.replace("        self.pool = None\n        if wide:\n" + made, made[4:]).replace(
        "        if self.pool is not None:\n" + used, used[4:])
    assert "self.pool = nn.MaxPool2d" not in translate(source, "tf2torch").text


LOST = {
    "a tuple": ("self.pool, self.rate = (layers.MaxPooling2D(2), 2) if wide else (None, 1)",
                "return self.pool(x) if self.pool else x"),
    "a dict": ('self.parts = {"pool": layers.MaxPooling2D(2)} if wide else {}', 'return self.parts.get("pool")(x)'),
    "try": ("self.pool = layers.MaxPooling2D(2) if wide else None",
            "try:\n            return self.pool(x)\n        except TypeError:\n            return x"),
    "a list beside": ("self.parts = [wide, layers.Conv2D(4, 1)]", "for part in self.parts:\n            x = part(x)\n"
                      "        return x"),
    "an unknown place": ("self.parts = make(3)\n        self.parts[0] = layers.Conv2D(4, 1)", "return x"),
}


@pytest.mark.parametrize("made, used", LOST.values(), ids=LOST)
def test_layers_that_are_lost_are_refused(made: str, used: str) -> None:
    source = HEAD + f'''class Net(keras.Model):
    def __init__(self, wide, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same")
        {made}

    def call(self, x):
        x = self.conv(x)
        {used}
'''
    found = translate(source, "tf2torch").findings
    assert [f for f in found if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_an_attribute_of_the_class_does_not_hide_a_module() -> None:
    """PyTorch finds `pool` of the class before the module of the object: silent before, it stayed None."""
    source = PARTS.replace("class First(layers.Layer):\n", "class First(layers.Layer):\n    pool = None\n\n")
    assert [f.code for f in translate(source, "tf2torch").findings if f.code == "P206"]


def test_a_passed_layer_of_unknown_rank_is_refused() -> None:
    source = PASSED.replace("Residual(layers.Dense(4),", "Residual(layers.BatchNormalization(),")
    assert [f.code for f in translate(source, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED] == [
        "P208"]


def test_a_held_layer_that_a_function_calls_is_refused() -> None:
    source = TO_FUNCTIONS + """

class Held(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3)

    def call(self, x):
        return apply(self.conv, x)
"""
    found = translate(source, "tf2torch").findings
    assert [f.code for f in found if CATALOGUE[f.code].outcome is Outcome.REFUSED] == ["P206"]
