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
