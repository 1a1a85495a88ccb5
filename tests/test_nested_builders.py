"""Builder functions inside functions (tf2torch/nested): classes of the module, given what they close over."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port import names
from port.findings import CATALOGUE, Outcome
from port.tf2torch.nested import taking
from port.translate import translate
from port.units import Unit
from port.verify.parent import Case

HEAD = "import keras\nfrom keras import layers, regularizers\n\n\n"
IMAGE, VECTOR = "f32[2,16,16,3]", "f32[2,6]"
UNET = '''def build_unet(input_shape=(16, 16, 3), width=2, activation="relu", depth=2):
    """A small U-Net."""
    # two convolutions
    def conv_block(x, n, kernel=3):
        for _ in range(2):
            x = layers.Conv2D(n * width, kernel, padding="same")(x)
            x = layers.Activation(activation)(x)
        return x

    def up_block(x, skip, n):
        """Twice as large, joined with what comes from the left."""
        x = layers.Conv2DTranspose(n * width, 2, strides=2, padding="same")(x)
        x = layers.Concatenate()([x, skip])
        return conv_block(x, n, 1)

    inputs = keras.Input(input_shape)
    a = conv_block(inputs, 2)
    b = conv_block(layers.MaxPooling2D()(a), 3)
    c = conv_block(layers.MaxPooling2D()(b), 4)
    x = up_block(c, b, 3)
    x = up_block(x, skip=a, n=2)
    return keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
'''
RESNET = '''def resnet(width=4, slope=0.1, use_norm=True):
    def conv(x, n, strides=1):
        x = layers.Conv2D(n, 3, strides=strides, padding="same", use_bias=not use_norm)(x)
        if use_norm:
            x = layers.BatchNormalization()(x)
        return x

    def block(x, n, strides=1):
        y = layers.LeakyReLU(negative_slope=slope)(conv(x, n, strides))
        y = conv(y, n)
        if strides > 1:
            x = layers.Conv2D(n, 1, strides=strides)(x)
        return layers.Add()([x, y])

    inputs = keras.Input((16, 16, 3))
    x = conv(inputs, width)
    for i in range(2):
        x = block(x, width)
    x = block(x, 2 * width, 2)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))
'''
# Two outer functions whose inner ones have one name, which the file has, too.
SAME_NAMES = '''def block(x):
    return layers.Dense(2)(x)


def build_wide(units=5):
    def block(x):
        return layers.Dense(units, "relu")(x)
    i = keras.Input((6,))
    return keras.Model(i, block(block(i)))


def build_deep(units=3):
    def block(x):
        return layers.Dense(units, "tanh")(x)
    i = keras.Input((6,))
    return keras.Model(i, block(i))


def plain():
    i = keras.Input((6,))
    return keras.Model(i, block(i))
'''
# A closure reads a variable when it is called: `n` is 4 at the first call and 7 at the second one.
LATER = '''def build(rate=0.0):
    n = 4

    def block(x):
        return layers.Dense(n)(x)

    i = keras.Input((6,))
    x = block(i)
    n = 7
    x = block(x)
    for n in (2, 3):
        x = block(x)
    return keras.Model(i, x)
'''
SKIP = '''def build(units=4):
    inputs = keras.Input((6,))

    def block(x, n):
        return layers.Concatenate()([layers.Dense(n * units)(x), inputs])

    x = block(inputs, 1)
    x = block(x, 2)
    return keras.Model(inputs, x)
'''
DEEPER = '''def build(units=4, act="tanh"):
    def outer(x, n):
        def inner(y, m):
            return layers.Dense(m * units + n, activation=act)(y)
        x = inner(x, 2)
        return inner(x, 3)

    inputs = keras.Input((6,))
    return keras.Model(inputs, outer(outer(inputs, 1), n=2))
'''
# What an inner function takes by default from the outer one, and a function that only computes.
DEFAULTS = '''def build(units=4, act="tanh"):
    def size(n):
        return n * units

    def dense(x, n=1, activation=act):
        return layers.Dense(size(n), activation=activation)(x)

    inputs = keras.Input((6,))
    x = dense(inputs)
    x = dense(x, 2)
    x = dense(x, 3, "relu")
    return keras.Model(inputs, x)
'''
# The width that the lambda gives is that of its own argument; `scale` is read when the layer is called.
LAMBDA = '''def build(scale=2.0):
    def block(x):
        x = layers.Dense(4)(x)
        return layers.Lambda(lambda t: t * scale)(x)

    i = keras.Input((6,))
    return keras.Model(i, block(block(i)))
'''
OTHER_WAYS = '''def build(units=4):
    from keras.layers import Dense as D, ReLU

    def block(x, n, **kwargs):
        """A block."""
        return ReLU()(D(n * units, **kwargs)(x))

    def curried(n):
        def apply(x):
            return layers.Dense(n * units)(x)
        return apply

    def stack(x, times=2):
        for k in range(times):
            x = block(x, k + 1)
        return curried(k)(x)

    inputs = keras.Input((6,))
    x = layers.Concatenate()([block(inputs, n, activation="tanh") for n in (1, 2)])
    return keras.Model(inputs, stack(x))
'''
# A width that takes too many words: the block cannot say it, so no one may ask it for it.
WIDE = '''def build(multiplier=1):
    def dense(x, filters):
        return layers.Dense(max(1, int(filters * multiplier)))(x)

    def module(x, first, second, third):
        def last():
            return dense(x, third)
        return layers.Concatenate()([dense(x, first[0]), dense(x, second[0]), dense(x, second[1]), last()])

    inputs = keras.Input((6,))
    x = module(inputs, (1, 2), (3, 4), 5)
    return keras.Model(inputs, layers.Dense(2)(module(x, (1, 2), (3, 4), 5)))
'''
MODELS = {
    "lambda": (LAMBDA, {"build()": VECTOR, "build(3.0)": VECTOR}),
    "other ways": (OTHER_WAYS, {"build()": VECTOR, "build(2)": VECTOR}),
    "unet": (UNET, {"build_unet()": IMAGE, "build_unet((16, 16, 3), 1)": IMAGE}),
    "resnet": (RESNET, {"resnet()": IMAGE, "resnet(3, 0.3, False)": IMAGE}),
    "same names": (SAME_NAMES, {"build_wide()": VECTOR, "build_deep(4)": VECTOR, "plain()": VECTOR}),
    "later": (LATER, {"build()": VECTOR}),
    "skip": (SKIP, {"build()": VECTOR, "build(2)": VECTOR}),
    "deeper": (DEEPER, {"build()": VECTOR, "build(2)": VECTOR}),
    "defaults": (DEFAULTS, {"build()": VECTOR, "build(2)": VECTOR}),
}


def _ported(source: str) -> str:
    result = translate(source, "tf2torch")
    refused = [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    assert not refused, (refused, result.text)
    return result.text


@pytest.mark.parametrize("name", MODELS)
def test_numbers(name: str, tmp_path: Path) -> None:
    """The numbers of Keras, and classes at the top of the file."""
    source, calls = MODELS[name]
    text = _ported(HEAD + source)
    assert "\n    class " not in text and "FunctionalModel" not in text, text
    agree(tmp_path, HEAD + source, text, "tf2torch", [Case(call, (given,)) for call, given in calls.items()])


def test_reads_well() -> None:
    """The settings go in by name, and what stood above a function goes with it."""
    text = _ported(HEAD + UNET)
    assert "# two convolutions\nclass ConvBlock(nn.Module):" in text
    assert "self.conv_block1 = ConvBlock(input_shape[-1], 2, width=width, activation=activation)" in text
    assert '"""Twice as large, joined with what comes from the left."""' in text
    names = _ported(HEAD + SAME_NAMES)
    assert all(f"class {c}(nn.Module)" in names for c in ("Block", "WideBlock", "DeepBlock")), names


# What is not certain is left as it is: a value that is read later than the call, a name that means something else at
# the call, a variable that may have no value, one that another function changes, a function that is a value.
STAYING = {
    "read later": """def build(scale=2.0):
    def block(x):
        return layers.Lambda(lambda t: t * scale)(layers.Dense(4)(x))
    x = block(keras.Input((6,)))
    scale = 3.0
    return block(x)
""",
    "other meaning": """def build(units=2):
    def block(x):
        return layers.Dense(units)(x)
    i = keras.Input((6,))
    return keras.Model(i, layers.Add()([block(i) for units in (1, 2)]))
""",
    "no value": """def build(extra=False):
    def block(x):
        return layers.Dense(more)(x) if extra else layers.Dense(2)(x)
    if extra:
        more = 5
    i = keras.Input((6,))
    return keras.Model(i, block(i))
""",
    "changed elsewhere": """def build(units=2):
    def grow():
        nonlocal units
        units += 3
    def block(x):
        return layers.Dense(units)(x)
    x = block(keras.Input((6,)))
    grow()
    return block(x)
""",
    "a value": """def build(units=2):
    def block(x):
        return layers.Dense(units)(x)
    i = keras.Input((6,))
    blocks = [block, block]
    return keras.Model(i, blocks[0](i))
""",
    "calls itself": """def build(units=2):
    def block(x, n):
        x = layers.Dense(units)(x)
        return x if n == 0 else block(x, n - 1)
    i = keras.Input((6,))
    return keras.Model(i, block(i, 2))
""",
    "decorated": """def build(units=2):
    @staticmethod
    def block(x):
        return layers.Dense(units)(x)
    i = keras.Input((6,))
    return keras.Model(i, block(i))
""",
    "changing default": """def build(units=2):
    def block(x, n=units):
        return layers.Dense(n)(x)
    units = 3
    i = keras.Input((6,))
    return keras.Model(i, block(i))
""",
    "only computes": """def build(units=2):
    def size(n):
        return n * units
    i = keras.Input((6,))
    return keras.Model(i, layers.Dense(size(2))(i))
""",
}


@pytest.mark.parametrize("source", STAYING.values(), ids=STAYING)
def test_stay_inside(source: str) -> None:
    module = cst.parse_module(HEAD + source)
    unit = Unit("", HEAD + source, module, module, names.collect(module))
    assert taking.taken_out([unit], lambda *_: False, set()) is None


def test_findings_have_their_lines() -> None:
    """A refusal inside a function that was taken out is placed where the author wrote it."""
    source = HEAD + """def build(units=2):
    def block(x, n):
        x = layers.Dense(n * units)(x)
        return layers.NoSuchLayer(units)(x)
    i = keras.Input((6,))
    return keras.Model(i, block(i, 3))
"""
    found = translate(source, "tf2torch").findings
    assert any(f.line == 8 and "NoSuchLayer" in f.message for f in found), found


def test_width_that_takes_too_many_words(tmp_path: Path) -> None:
    agree(tmp_path, HEAD + WIDE, _ported(HEAD + WIDE), "tf2torch", [Case("build()", (VECTOR,))])
