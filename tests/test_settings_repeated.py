"""Settings that change on the way: `forward` computes them as `__init__` does."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

SOURCE = '''
from keras.layers import Conv2D, Input, concatenate
from keras.models import Model


def net(size, depth=3, k=2, slow=False):
    inputs = x = Input(size)
    skips = []
    for i in range(depth):
        scale = i + k
        half = scale / 2
        x = Conv2D(5, 3, padding="same")(x) * half
        skips.append(x)
    count = 0
    for i in range(depth - 1):
        step = 1.0
        if i > 0:
            step = 2.0
        x = Conv2D(i + 1, 3, padding="same")(concatenate([x, skips[count]])) * step
        step = i + 3
        x = Conv2D(4, 3, padding="same")(x) * step
        count += 1
    if slow:
        count = 0
    x = concatenate([x, skips[count]])
    for i in range(2):
        count -= 1
    return Model(inputs, Conv2D(2, 1)(x) * count)
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_they_are_repeated_in_forward(tmp_path: Path) -> None:
    text = translate(SOURCE, "tf2torch").text
    assert not refused(SOURCE)
    for line in ("scale = i + self.k", "half = scale / 2", "step = 2.0", "count += 1", "count -= 1"):
        assert line in text[text.index("def forward"):]
    agree(tmp_path, SOURCE, text, "tf2torch", [
        Case("net((6, 4, 3))", ("f32[2,6,4,3]",)), Case("net((6, 4, 3), k=3, slow=True)", ("f32[2,6,4,3]",))])


@pytest.mark.parametrize("old", ["    count = 0\n    for", "        step = i + 3\n"])
def test_a_parameter_that_changes_makes_no_class(old: str) -> None:
    """Which value `forward` would begin with is not among its arguments; the function stays one, and is traced."""
    text = SOURCE.replace("slow=False", "slow=False, count=0, step=0.0")
    text = text.replace(old, old.replace("count = 0\n    ", ""))
    new = translate(text, "tf2torch").text
    assert not refused(text) and "class Net(" not in new and "return FunctionalModel(" in new
    lines = [new.index(s) for s in ("        step = i + 3\n", "        count = count + 1\n", "count = count - 1")]
    assert lines == sorted(lines)


def test_a_size_stays_where_a_loop_changes_the_setting_that_it_was_written_with() -> None:
    text = translate("""
from keras.layers import Conv2D, Input
from keras.models import Model


def net(size):
    inputs = Input(size)
    n = 6
    x = Conv2D(n, 3)(inputs)
    for i in range(2):
        n -= 1
    return Model(inputs, Conv2D(n, 1)(x))
""", "tf2torch").text
    lines = [line.strip() for line in text.splitlines()]
    assert lines.index("in_channels = n") < lines.index("n -= 1")
    assert "nn.Conv2d(in_channels, n, 1)" in text
