"""Masks in models that functions build: handed from layer to layer while the model is noted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from port.translate import translate
from port.verify.parent import Case, Settings, verify

HEAD = """from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras import layers


"""
CLASSES = '''class Ret(layers.Embedding):
    def compute_mask(self, inputs, mask=None):
        return [super().compute_mask(inputs, mask), None]

    def call(self, inputs):
        return [super().call(inputs), self.embeddings + 0.0]


class Attention(layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.units = units

    def build(self, input_shape):
        size = input_shape[0][-1] if isinstance(input_shape, list) else input_shape[-1]
        self.kernel = self.add_weight(name='kernel', shape=(size, self.units))

    def compute_mask(self, inputs, mask=None):
        return mask[0] if isinstance(mask, list) else mask

    def call(self, inputs, mask=None):
        q, v = inputs if isinstance(inputs, list) else (inputs, inputs)
        mask = mask[1] if isinstance(mask, list) else mask
        scores = K.batch_dot(K.dot(q, self.kernel), v, axes=2)
        if mask is not None:
            scores -= 10000.0 * (1.0 - K.cast(K.expand_dims(mask, axis=-2), K.floatx()))
        return K.batch_dot(K.softmax(scores), v)


class Similar(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        self.bias = self.add_weight(name='bias', shape=(int(input_shape[1][0]),), initializer='ones')

    def compute_mask(self, inputs, mask=None):
        return None if mask is None else mask[0]

    def call(self, inputs, mask=None):
        x, table = inputs
        return K.bias_add(K.dot(x, K.transpose(table)), self.bias)


'''
BUILD = '''def wrap(x, made, rate=0.1):
    y = made(x)
    if rate > 0:
        y = layers.Dropout(rate)(y)
    if isinstance(x, list):
        x = x[0]
    return layers.Add()([x, y])


def attention(units):
    def apply(x):
        return Attention(units)(x)

    return apply


def build(same=True, start=None, flag=True, count=2):
    if same:
        one = two = Ret(7, 4, mask_zero=True, weights=start, trainable=flag)
    else:
        one = Ret(7, 4, mask_zero=True, weights=start, trainable=flag)
        two = Ret(7, 4, mask_zero=False, weights=start, trainable=flag)
    a = keras.Input((None,))
    x = one(a)[0]
    for _ in range(count):
        x = wrap(x, attention(4))
    b = keras.Input((None,))
    y, table = two(b)
    y = wrap(y, attention(4))
    y = wrap([y, x], attention(4))
    return keras.Model([a, b], Similar()([y, table]))
'''
IDS = ("[i32[2,6]<3, i32[2,5]<3]",)


def test_masks_go_from_layer_to_layer(tmp_path: Path) -> None:
    text = HEAD + CLASSES + BUILD
    result = translate(text, "tf2torch")
    assert not [f.message for f in result.findings if f.outcome.needs_person]
    assert "masked(Attention(units))(x)" in result.text and "inputs != 0 if self.mask_zero else None" in result.text
    assert "carried(traced(nn.Dropout(rate))(y), y)" in result.text and "merged(x + y, [x, y])" in result.text
    source, port = tmp_path / "source.py", tmp_path / "port.py"
    source.write_text(text)
    port.write_text(result.text)
    cases = [Case(f"build({given})", IDS) for given in ("", "count=0", "same=False")]
    found = verify(source, port, "tf2torch", cases, Settings(dtypes=("float64",), environment=(
        ("TF_USE_LEGACY_KERAS", "1"),)))
    assert [v.status for v in found] == ["verified"] * 3, [v.message for v in found]


def test_tables_start_from_what_is_given() -> None:
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(translate(HEAD + CLASSES + BUILD, "tf2torch").text, "port", "exec"), names)
    model = names["build"](start=[torch.full((7, 4), 3.0)])
    assert torch.equal(next(p for p in model.parameters() if p.shape == (7, 4)), torch.full((7, 4), 3.0))
    assert [p.shape for p in names["build"](flag=False).parameters() if not p.requires_grad] == [(7, 4)]


@pytest.mark.parametrize(("old", "new", "told"), [
    ("y = layers.Dropout(rate)(y)", "y = layers.LSTM(4, return_sequences=True)(y)", "whether a mask reaches"),
    ("y = layers.Dropout(rate)(y)", "y = layers.Dropout(rate)(layers.Dense(4)(y))", "give that a name"),
    (CLASSES[CLASSES.index("    def compute_mask"):CLASSES.index("    def call")], "", "mask"),
])
def test_masks_that_are_not_followed_are_told(old: str, new: str, told: str) -> None:
    changed = (HEAD + CLASSES + BUILD).replace(old, new)
    assert changed != HEAD + CLASSES + BUILD
    assert any(told in f.message for f in translate(changed, "tf2torch").findings if f.outcome.needs_person)


LISTED = """def flat(x):
    return K.relu(x) + 0.1


def make_inputs(size):
    return [keras.Input((size,), name='in-%d' % i) for i in range(3)]


def embedded(given, units=4):
    parts = [Ret(9, units, mask_zero=True)(given[0]), layers.Embedding(2, units)(given[1])]
    parts[0], table = parts[0]
    return layers.Add()(parts), table


def build(act='relu', second=False):
    if act == 'flat':
        act = flat
    inputs = make_inputs(None)
    x, table = embedded(inputs)
    if second:
        other = Ret(9, 4, mask_zero=True)(inputs[2])[0]
        x = layers.Add()([x, other])
    x = wrap(x, attention(4))
    y = layers.Dense(4, activation=act)(x)
    return keras.Model(inputs, Similar()([y, table]))
"""


def test_masks_of_merged_tensors_are_those_of_the_keras_that_takes_such_layers(tmp_path: Path) -> None:
    """And inputs that functions hand on in lists are ids if an Embedding gets one of them."""
    text = HEAD + CLASSES + BUILD[:BUILD.index("def build")] + LISTED
    result = translate(text, "tf2torch")
    assert not [f.message for f in result.findings if f.outcome.needs_person]
    assert any("that of Keras 2" in f.message and f.code == "P103" for f in result.findings)
    assert "dtype=torch.int64, name='in-%d' % i" in result.text and "act if callable(act) else" in result.text
    source, port = tmp_path / "source.py", tmp_path / "port.py"
    source.write_text(text)
    port.write_text(result.text)
    given = ("[i32[2,6]<3, i32[2,6]<2, i32[2,6]<3]",)
    cases = [Case(f"build({g})", given) for g in ("", "'flat'", "None", "second=True")]
    found = verify(source, port, "tf2torch", cases, Settings(dtypes=("float64",), environment=(
        ("TF_USE_LEGACY_KERAS", "1"),)))
    assert [v.status for v in found] == ["verified"] * 4, [v.message for v in found]


def test_tensors_with_other_masks_are_not_merged() -> None:
    """Where nothing shows the version of Keras."""
    pytest.importorskip("torch")
    names: dict[str, Any] = {}
    text = (HEAD + CLASSES + BUILD).replace("y = wrap([y, x], attention(4))", "z = wrap([x, y], attention(4))\n"
                                            "    y = layers.Add()([y, z])")
    text = text.replace("        return [super().call(inputs), self.embeddings + 0.0]", (
        "        found = [super().call(inputs), self.embeddings + 0.0]\n        return found"))
    ported = translate(text, "tf2torch").text
    assert "carried(x + y, x, y)" in ported
    exec(compile(ported, "port", "exec"), names)
    with pytest.raises(NotImplementedError, match="different masks"):
        names["build"]()


def test_tensors_are_compared_value_by_value_while_a_model_is_noted() -> None:
    """As `compute_mask` does; they stay keys of dicts."""
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(translate(HEAD + CLASSES + BUILD, "tf2torch").text, "port", "exec"), names)
    x = names["symbolic_input"]((3,))
    assert (x != 0).examples[0].dtype == (x == 0).examples[0].dtype == torch.bool and {x: 1}[x] == 1
    assert (x == None) is False  # noqa: E711
