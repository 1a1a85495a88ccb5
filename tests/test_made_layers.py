"""Functions that give functions of layers, and what stands beside them: settings not followed, masks, `compile`."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate, translate_together
from port.verify.parent import Case

HEAD = '''import keras
import tensorflow as tf
from keras import layers
from keras import ops as K


'''
MADE = HEAD + '''class Scaled(layers.Layer):
    def __init__(self, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(units)
        self.activation = keras.activations.get(activation)

    def call(self, x):
        x = self.dense(x)
        if self.activation is not None:
            x = self.activation(x)
        return x


def half(x):
    return x * 0.5


def maker(units, activation):
    def apply(x):
        return Scaled(units, activation=activation)(x)
    return apply


def wrapped(x, make):
    return layers.Add()([x, make(x)])


def build(activation=None):
    inputs = keras.Input((4,))
    x = wrapped(inputs, maker(4, activation))
    x = wrapped(x, maker(4, half))
    model = keras.Model(inputs, x)
    model.compile(
        optimizer="adam",
        loss="mse",
    )
    return model
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_makers_that_are_handed_on_are_traced(tmp_path: Path) -> None:
    result = translate(MADE, "tf2torch")
    assert refused(MADE) == ["`compile` of a Keras model: the line is a comment now"]
    assert "self.activation = activation if callable(activation) else ACTIVATIONS[activation]" in result.text
    assert '# model.compile(optimizer="adam", loss="mse")\n    return model\n' in result.text
    agree(tmp_path, MADE, result.text, "tf2torch",
          [Case("build()", ("f32[3,4]",)), Case("build('tanh')", ("f32[3,4]",))])


def test_compile_stays_where_nothing_gives_the_model() -> None:
    text = translate(HEAD + "def train(data):\n    model = keras.Sequential([layers.Dense(3)])\n"
                     "    model.compile(loss='mse')\n    model.fit(data)\n", "tf2torch").text
    assert "\n    model.compile(loss='mse')\n" in text


def test_the_last_line_of_a_branch_may_be_compile() -> None:
    text = translate(HEAD + "def build(fast):\n    inputs = keras.Input((4,))\n"
                     "    model = keras.Model(inputs, layers.Dense(3)(inputs))\n    if fast:\n"
                     "        model.compile(loss='mse')\n    return model\n", "tf2torch").text
    assert "\n        # model.compile(loss='mse')\n        pass\n    return model\n" in text


MASKS = HEAD + '''class Positions(layers.Layer):
    ADD = "add"
    EXPAND = "expand"

    def __init__(self, mode=EXPAND, mask_zero=False, **kwargs):
        super().__init__(**kwargs)
        self.mode = mode
        self.mask_zero = mask_zero
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        if self.mode == self.EXPAND:
            if self.mask_zero:
                output_mask = K.not_equal(inputs, self.mask_zero)
            else:
                output_mask = None
        else:
            output_mask = mask
        return output_mask

    def call(self, x):
        return x + 1.0


class First(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, mask=None):
        if mask is None:
            return None
        return mask[0]

    def call(self, inputs):
        return inputs[0]


def build():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero={zero})(ids)
    x = Positions({mode})(x)
    x = First()([x, layers.Embedding(9, 4)(ids)])
    return keras.Model(ids, layers.LSTM(3)(x))
'''


@pytest.mark.parametrize(("mode", "zero", "masked"), [
    ("mode=Positions.ADD", True, True), ("", True, False), ("mode=Positions.ADD", False, False)])
def test_masks_that_a_method_gives_are_followed(tmp_path: Path, mode: str, zero: bool, masked: bool) -> None:
    text = MASKS.format(mode=mode, zero=zero)
    assert refused(text) == []
    result = translate(text, "tf2torch")
    assert ("mask = ids != 0" in result.text) is masked
    agree(tmp_path, text, result.text, "tf2torch", [Case("build()", ("i32[3,6]<4",))])


def test_a_mask_of_other_ids_is_refused() -> None:
    assert refused(MASKS.format(mode="mask_zero=2", zero=True))


def test_both_forms_of_a_function_are_exported() -> None:
    parts = HEAD + '''__all__ = ["block", "other"]


def block(x, units):
    return layers.Dense(units)(x)


def other(x):
    return tf.unheard_of(block(x, 3))
'''
    use = '''import keras
from parts import *


def build():
    inputs = keras.Input((4,))
    return keras.Model(inputs, block(inputs, 3))
'''
    text = translate_together({"parts.py": parts, "use.py": use}, "tf2torch")["parts.py"].text
    assert '__all__ = ["Block", "block", "other"]' in text and "class Block(" in text and "def block(" in text


def test_noise_of_the_shape_of_the_input_is_all_of_it() -> None:
    text = "import tensorflow as tf\n\n\ndef f(x, y):\n    return tf.nn.dropout(x, 0.3, tf.shape({}))\n"
    assert "F.dropout(x, 0.3)" in translate(text.format("x"), "tf2torch").text
    assert refused(text.format("y"))


BLOCKS = HEAD + '''def block(x, filters):
    return layers.ReLU()(layers.Conv2D(filters, 1)(x))


def stack(x, filters, blocks):
    x = block(x, filters)
    for i in range(blocks):
        x = block(x, filters)
    return x


'''


def test_a_builder_that_nothing_calls_knows_its_tensor_by_the_builders_that_it_calls(tmp_path: Path) -> None:
    result = translate(BLOCKS, "tf2torch")
    assert not result.findings and "class Stack(nn.Module):" in result.text
    build = "def build():\n    inputs = keras.Input((4, 6, 3))\n    return keras.Model(inputs, stack(inputs, 8, 2))\n"
    agree(tmp_path, BLOCKS + build, translate(BLOCKS + build, "tf2torch").text, "tf2torch",
          [Case("build()", ("f32[2,4,6,3]",))])


@pytest.mark.parametrize("use", [
    "def use(cfg):\n    return block(cfg.x, 4)\n",
    "def use(xs):\n    ys = []\n    for x in xs:\n        ys.append(block(x, 4))\n    return ys\n",
    "use = lambda x: block(x, 4)\n",
    "ALL = {'a': block}\n\n\ndef use(cfg):\n    return ALL[cfg.name](cfg.x, 4)\n"])
def test_a_call_of_a_builder_that_no_module_can_keep_is_refused(use: str) -> None:
    said, = refused(BLOCKS + use)
    assert said == "`block` makes layers, and no module keeps them here: call it where layers are called"


def test_blocks_that_a_table_holds_are_filled_by_who_makes_them() -> None:
    text = translate(BLOCKS + "ALL = {'block': block}\n\n\ndef chosen(name):\n    return ALL[name]\n\n\n"
                     "def build(name):\n    inputs = keras.Input((4, 6, 3))\n"
                     "    return keras.Model(inputs, chosen(name)(inputs, 8))\n", "tf2torch").text
    assert "        self.block = chosen(name)(3, 8)\n        self.apply(init_weights)\n" in text


MAKERS = HEAD + '''def dense(n, units):
    return layers.Dense(n * units)


def conv(n, k=3):
    return layers.Conv2D(n, k, padding="same")


def build(units=3):
    i = keras.Input((6, 8, 3))
    x = conv(5)(i)
    x = conv(4, k=1)(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = dense(2, units)(x)
    return keras.Model(i, dense(3, units)(x))
'''


def test_a_layer_that_a_function_makes_is_kept_by_the_model_that_applies_it(tmp_path: Path) -> None:
    text = translate(MAKERS, "tf2torch").text
    assert "self.conv1 = nn.Conv2d(3, 5, 3, padding='same')" in text
    agree(tmp_path, MAKERS, text, "tf2torch", [Case("build()", ("f32[2,6,8,3]",))])


def test_a_layer_that_a_function_chooses_is_not_made_at_each_call(tmp_path: Path) -> None:
    chosen = HEAD + '''def norm(kind):
    if kind == "bn":
        return layers.BatchNormalization()
    return layers.LayerNormalization()


def build(kind):
    i = keras.Input((6,))
    return keras.Model(i, norm(kind)(i))
'''
    agree(tmp_path, chosen, translate(chosen, "tf2torch").text, "tf2torch", [Case("build('ln')", ("f32[5,6]",))])
