"""Attributes that hold one of several layers, by a setting: all are applied alike, or the call is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = '''from tensorflow.keras.layers import Conv1D, Dense, Lambda, Layer


class Mine(Layer):
    def call(self, x):
        return x * 3


'''
MATCHED = HEAD + '''class Block(Layer):
    def __init__(self, filters):
        super().__init__()
        self.filters = filters

    def build(self, input_shape):
        self.conv = Conv1D(self.filters, 3, padding="same")
        if self.filters != input_shape[-1]:
            self.match = Conv1D(self.filters, 1, padding="same")
        else:
            self.match = Lambda(lambda x: x)
        self.head = Dense(5)

    def call(self, x):
        return self.head(self.match(x) + self.conv(x))
'''
CHOICE = HEAD + '''class Choice(Layer):
    def __init__(self, flag):
        super().__init__()
        if flag:
            self.first = {one}
        else:
            self.first = {other}
        self.second = Dense(7)

    def call(self, x):
        return self.second(self.first(x))
'''


def choice(one: str, other: str) -> str:
    return CHOICE.format(one=one, other=other)


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_a_layer_beside_one_that_does_nothing(tmp_path: Path) -> None:
    """The last of the two had been taken for what is held: it was written in place of the call, without a finding."""
    assert "self.match(x)" in translate(MATCHED, "tf2torch").text
    cases = [Case(f"Block({n})", ("f32[2,8,4]",)) for n in (4, 6)]
    agree(tmp_path, MATCHED, translate(MATCHED, "tf2torch").text, "tf2torch", cases)


@pytest.mark.parametrize(("one", "other"), [
    ("Dense(5)", "lambda x: x"), ("lambda x: x", "Dense(5)"), ("Lambda(lambda x: x * 2)", "Lambda(lambda x: x + 5)"),
    ("Dense(5)", "Dense(6)")])
def test_what_follows_fits_both(tmp_path: Path, one: str, other: str) -> None:
    text = choice(one, other)
    assert not refused(text)
    cases = [Case(f"Choice({flag})", ("f32[3,4]",)) for flag in (True, False)]
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


@pytest.mark.parametrize(("one", "other"), [
    ("Mine()", "Dense(5)"), ("Dense(5)", "Mine()"), ("Mine()", "Lambda(lambda x: x * 5)"),
    ("Dense(5)", "Lambda(lambda x: x * 5)"), ("Dense(5)", "lambda x: x * 5"), ("lambda x: x * 2", "Mine()")])
def test_what_is_applied_in_different_ways_is_refused(one: str, other: str) -> None:
    assert refused(choice(one, other))


NAMES = "Conv1D, Conv2D, Dropout, Identity, LayerNormalization, MaxPool2D"
IMAGES = HEAD.replace("Conv1D", NAMES) + '''class Images(Layer):
    def __init__(self, flag):
        super().__init__()
        self.first = Conv2D(4, 3)
        self.second = {one} if flag else {other}
        self.third = Conv2D(5, 3)

    def call(self, x):
        x = self.first(x)
        if self.second is not None:
            x = self.second(x)
        return self.third(x)
'''


@pytest.mark.parametrize(("one", "other"), [
    ("Conv2D(6, 3)", "Lambda(lambda x: x)"), ("(lambda x: x)", "Conv2D(6, 3)"), ("Identity()", "Conv2D(6, 3)"),
    ("Conv2D(6, 3)", "None"), ("None", "LayerNormalization()"), ("Dropout(0.5)", "(lambda x: x)")])
def test_a_choice_in_one_line_keeps_the_axes(tmp_path: Path, one: str, other: str) -> None:
    """What held a layer of images had been given them channels last, without a finding."""
    text = IMAGES.format(one=one, other=other)
    assert not refused(text)
    cases = [Case(f"Images({flag})", ("f32[2,9,12,3]",)) for flag in (True, False)]
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


@pytest.mark.parametrize(("one", "other"), [
    ("Dense(4)", "Conv2D(4, 3)"), ("Conv2D(4, 3, activation='relu')", "(lambda x: x)"), ("MaxPool2D()", "Identity()"),
    ("Conv2D(4, 3)", "flag"), ("Conv2D(4, 3)", "Mine()")])
def test_a_choice_in_one_line_of_what_is_applied_in_different_ways(one: str, other: str) -> None:
    assert refused(IMAGES.format(one=one, other=other))


def test_a_layer_where_nothing_is_given() -> None:
    assert refused(IMAGES.format(one="0", other="0").replace("0 if flag else 0", "flag or Conv2D(4, 3)"))


def test_one_that_may_be_missing_keeps_the_axes_in_the_other_case(tmp_path: Path) -> None:
    """`is not None` had been taken for true where any line makes the layer."""
    text = IMAGES.format(one="0", other="0").replace(
        "self.second = 0 if flag else 0",
        "self.second = None\n        if flag:\n            self.second = LayerNormalization()")
    assert not refused(text)
    cases = [Case(f"Images({flag})", ("f32[2,9,12,3]",)) for flag in (True, False)]
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)
