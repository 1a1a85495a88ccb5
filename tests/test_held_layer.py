"""Classes that derive from an Embedding hold one in PyTorch; their masks are followed, or refused where made."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = '''from tensorflow import keras
from tensorflow.keras import layers


class Ret(layers.Embedding):
    """With its weights."""

    def compute_output_shape(self, input_shape):
        return [super(Ret, self).compute_output_shape(input_shape), (self.input_dim, self.output_dim)]

    def compute_mask(self, inputs, mask=None):
        return [super().compute_mask(inputs, mask), None]

    def call(self, inputs):
        return [super(Ret, self).call(inputs), self.embeddings + 0.0]


'''
BUILD = HEAD + '''def build():
    ids = keras.Input((None,), dtype="int32")
    x, weights = Ret(9, 4, name="ret", {given})(ids)
    return keras.Model(ids, [layers.LSTM(3)(x), weights])
'''
MADE = HEAD + '''class Half(layers.Layer):
    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x, mask=None):
        if mask is not None:
            x = x * keras.backend.expand_dims(keras.backend.cast(mask, x.dtype))
        return x * self.scale


def reader(scale):
    def read(x):
        return Half(scale)(x)
    return read


def wrapped(x, make):
    return layers.Dense(4)(make(x))


def build():
    ids = keras.Input((None,))
    x, weights = Ret(9, 4, mask_zero={zero})(ids)
    return keras.Model(ids, [wrapped(wrapped(x, reader(0.5)), reader(0.25)), weights])
'''


def refused(text: str) -> list[tuple[str, str]]:
    return [(f.code, f.message) for f in translate(text, "tf2torch").findings
            if CATALOGUE[f.code].outcome is Outcome.REFUSED]


@pytest.fixture
def keras_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")  # Keras 3 does not take these shapes


@pytest.mark.parametrize(("given", "masked"), [("mask_zero=True", True), ("mask_zero=False", False), ("", False),
                                               ("weights=None", False)])
def test_a_derived_embedding(keras_two: None, tmp_path: Path, given: str, masked: bool) -> None:
    text = BUILD.format(given=given)
    assert refused(text) == []
    result = translate(text, "tf2torch").text
    assert "self.embedding = nn.Embedding(input_dim, output_dim)" in result and "self.embedding.weight + 0.0" in result
    assert ("mask = ids != 0" in result) is masked and "weights=" not in result
    agree(tmp_path, text, result, "tf2torch", [Case("build()", ("i32[3,6]<9",))])


def test_arrays_as_initial_weights() -> None:
    """A model that is noted while it runs starts from them; the class of another would set initial values again."""
    text = BUILD.format(given="weights=[keras.backend.ones((9, 4))]")
    assert not refused(text) and "with_weights(Ret(9, 4), [torch.ones((9, 4))])" in translate(text, "tf2torch").text
    own = text.replace("return [super(Ret, self).call(inputs)", "return [self.other(super(Ret, self).call(inputs))")
    held = own.replace("def call(", "def build(self, shape):\n        self.other = layers.Dense(4)\n\n    def call(")
    assert refused(held)


def test_a_method_that_calls_another_one_of_the_base_is_left() -> None:
    text = BUILD.format(given="").replace("self.embeddings + 0.0", "super().count_params()")
    assert any("a subclass of `keras.layers.Embedding`" in m for _, m in refused(text))


def test_ids_of_a_traced_model_are_whole_numbers(keras_two: None, tmp_path: Path) -> None:
    text = MADE.format(zero=False)
    assert refused(text) == []
    result = translate(text, "tf2torch").text
    assert "ids = symbolic_input((None,), dtype=torch.int64)" in result
    agree(tmp_path, text, result, "tf2torch", [Case("build()", ("i32[3,6]<9",))])


def test_a_mask_that_readers_may_get_unfollowed_is_refused() -> None:
    """Where another layer that it goes through stands in the same line."""
    assert any("give that a name in a line of its own" in m for _, m in refused(MADE.format(zero=True)))


def test_a_mask_goes_to_readers_that_functions_make(keras_two: None, tmp_path: Path) -> None:
    """Also if other models use the same functions without masks."""
    text = MADE.replace("return layers.Dense(4)(make(x))", "y = make(x)\n    return layers.Dense(4)(y)")
    other = text.format(zero=False) + text.format(zero=True)[len(HEAD):].partition("def build")[2].join(
        ("\n\ndef with_mask", ""))
    assert not refused(other)
    agree(tmp_path, other, translate(other, "tf2torch").text, "tf2torch", [
        Case("build()", ("i32[3,6]<3",)), Case("with_mask()", ("i32[3,6]<3",))])


def test_a_layer_of_which_nothing_is_known_may_get_a_mask() -> None:
    """The mask had been lost, without a finding."""
    text = MADE.replace("x, weights = Ret(", "x = weights = layers.Embedding(")
    assert any("whether a mask reaches this layer" in m for _, m in refused(text.format(zero=True)))
    assert not refused(text.format(zero=False))
