"""Methods beside `call`: what they are given is told by who calls them, and nobody but users where no code does."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.translate import translate
from port.verify.parent import Case

HEAD = "import operator\n\nimport keras\nimport tensorflow as tf\nfrom keras import layers\n\n\n"
CODER = HEAD + '''class Coder(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.down = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")
        self.up = layers.Conv2DTranspose(4, 3, strides=2, padding="same")

    def encode(self, x):
        return self.down(x)

    def decode(self, z):
        return self.up(z)

    def call(self, x):
        return self.decode(self.encode(x))


def build():
    inputs = keras.Input((8, 8, 4))
    return keras.Model(inputs, Coder()(inputs))
'''
METHODS = HEAD + '''class Pool(layers.Layer):
    def __init__(self, size=3, **kwargs):
        super().__init__(**kwargs)
        self.pool = layers.AveragePooling2D(size, 1)

    def call(self, x):
        return self.pool(x)


class Block(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3, padding="same")
        self.pool = Pool(3)

    def call(self, x):
        return self.conv(x)

    def convolved(self, x):
        return self.conv(x)

    def averaged(self, x):
        x = self.pool(x)
        return tf.reduce_mean(x, axis=-1)


class Net(keras.Model):
    def __init__(self, which, **kwargs):
        super().__init__(**kwargs)
        self.block = Block()
        self.which = which

    def call(self, x):
        return operator.methodcaller(self.which, self.block(x))(self.block)
'''
TORCH_CODER = '''from torch import nn


class Coder(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1)

    def encode(self, x):
        return self.down(x)

    def decode(self, z):
        return self.up(z)

    def forward(self, x):
        return self.decode(self.encode(x))
'''
HELD = HEAD + '''class Net(keras.Model):
    def __init__(self, kind="pool", **kwargs):
        super().__init__(**kwargs)
        self.conv = layers.Conv2D(4, 3)
        self.pool = layers.AveragePooling2D(2)
        self.step = self.pooled if kind == "pool" else self.scaled

    def call(self, x):
        x = self.conv(x)
        return self.step(x)

    def pooled(self, x):
        return self.pool(x)

    def scaled(self, x):
        return x * tf.reduce_mean(x, axis=-1, keepdims=True)
'''


def test_sizes_of_what_a_method_is_given_are_those_that_call_gives_it(tmp_path: Path) -> None:
    """`self.up` got the width of what `call` is given."""
    port = translate(CODER, "tf2torch").text
    assert "self.up = nn.ConvTranspose2d(8, 4, 3, stride=2)" in port
    agree(tmp_path, CODER, port, "tf2torch", [Case("build()", ["f32[2,8,8,4]"])])


def test_a_method_that_no_code_calls_takes_what_users_give_it(tmp_path: Path) -> None:
    """Silent before: it gave the axes of the source, but took PyTorch's."""
    port = translate(METHODS, "tf2torch").text
    agree(tmp_path, METHODS, port, "tf2torch",
          [Case(f"Net({name!r})", ["f32[2,4,4,4]"]) for name in ("convolved", "averaged")])


def test_so_does_a_method_that_is_held_as_a_value(tmp_path: Path) -> None:
    port = translate(HELD, "tf2torch").text
    agree(tmp_path, HELD, port, "tf2torch", [Case(f"Net({kind!r})", ["f32[2,6,6,4]"]) for kind in ("pool", "scale")])


def test_methods_that_call_calls_tell_their_order_of_axes_to_users() -> None:
    """Nothing said that `model.encode(x)` of the port takes and gives images channels first."""
    held = CODER[:CODER.index("    inputs = ")] + "    return Coder()\n"
    assert _told(held, "tf2torch") == ["Coder.encode` has PyTorch's order of axes (x: NCHW, returns NCHW)",
                                       "Coder.decode` has PyTorch's order of axes (z: NCHW, returns NCHW)"]
    assert _told(held.replace("encode", "_encode"), "tf2torch") == [
        "Coder.decode` has PyTorch's order of axes (z: NCHW, returns NCHW)"]
    assert _told(CODER, "tf2torch") == []  # a layer of a model: all of it is as the port has it


def test_methods_that_forward_calls_tell_theirs() -> None:
    assert _told(TORCH_CODER, "torch2tf") == ["Coder.encode` has Keras' order of axes (x: NHWC, returns NHWC)",
                                              "Coder.decode` has Keras' order of axes (z: NHWC, returns NHWC)"]
    assert _told(TORCH_CODER.replace("decode", "_decode"), "torch2tf") == [
        "Coder.encode` has Keras' order of axes (x: NHWC, returns NHWC)"]
    assert _told(TORCH_CODER + "\n\nmodel = nn.Sequential(nn.Conv2d(3, 3, 1), Coder())\n", "torch2tf") == []


def _told(source: str, direction: str) -> list[str]:
    """What is said of interfaces, without its end."""
    found = [f.message for f in translate(source, direction).findings if f.code == "P103"]
    return [m[m.index("`") + 1:m.index("): ") + 1] for m in found]
