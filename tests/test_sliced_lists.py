"""Lists of tensors that grew in a loop, then are sliced or reversed: `__init__` does the same to their sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

SOURCE = '''
from keras import Input, Model
from keras.layers import Conv2D, MaxPooling2D, UpSampling2D, concatenate


def right(x, others, filters):
    x = UpSampling2D(2)(x)
    x = Conv2D(filters, 3, padding="same")(x)
    return Conv2D(filters, 3, padding="same")(concatenate([x,] + others, axis=-1))


def base(x, widths):
    skips = []
    x = Conv2D(widths[0], 3, padding="same")(x)
    skips.append(x)
    for w in widths[1:]:
        x = Conv2D(w, 3, padding="same")(MaxPooling2D(2)(x))
        skips.append(x)
    skips = skips[:-1][::-1]
    for i, w in enumerate(widths[:-1][::-1]):
        x = right(x, [skips[i],], w)
    return x


def net(size, widths):
    inputs = Input(size)
    return Model(inputs=[inputs], outputs=[base(inputs, widths)])
'''


@pytest.mark.parametrize("line", ["skips = skips[:-1][::-1]", "skips = list(reversed(skips[:-1]))",
                                  "rest = skips[:-1]\n    skips = rest[::-1]"])
def test_their_sizes_are_sliced_alike(line: str) -> None:
    result = translate(SOURCE.replace("skips = skips[:-1][::-1]", line), "tf2torch")
    assert not [f for f in result.findings if f.code == "P102" or CATALOGUE[f.code].outcome is Outcome.REFUSED]
    assert "Right(in_channels, [skips_channels[i]], w)" in result.text and "[:-1]" in result.text
    init = result.text.partition("class Base")[2].partition("def forward")[0]
    assert init.count("skips_channels = ") == 2 and "[::-1]" in init

CASE = Case("net((8, 12, 3), [4, 6, 10])", ("f32[2,8,12,3]",))

def test_the_port_has_its_numbers(tmp_path: Path) -> None:
    agree(tmp_path, SOURCE, translate(SOURCE, "tf2torch").text, "tf2torch", [CASE])


def test_how_many_there_are_is_known_when_the_model_is_built(tmp_path: Path) -> None:
    lines = """skips = skips[::-1]
    x = skips[0]
    rest = skips[1:]
    count = len(rest)
    widths = widths[::-1]
    for i in range(count):
        x = right(x, [rest[i],], widths[i + 1])"""
    head, _, tail = SOURCE.partition("skips = skips[:-1]")
    text = head + lines + "\n    return x" + tail.partition("return x")[2]
    ported = translate(text, "tf2torch").text
    assert "count = len(rest_channels)" in ported.partition("class Base")[2].partition("def forward")[0]
    agree(tmp_path, text, ported, "tf2torch", [CASE])


GROWING = '''
from keras.layers import Conv2D, Input, concatenate
from keras.models import Model


def net(size, last=False):
    inputs = x = Input(size)
    x = Conv2D(4, 1)(x)
    skips = [x]
    for i in range(3):
        if last:
            x = Conv2D(5 + i, 1)(skips[-1])
        else:
            x = Conv2D(5 + i, 1)(concatenate(skips))
        skips.append(x)
    more = []
    more.append(inputs)
    for i in range(2):
        more.append(Conv2D(2 + i, 1)(more[i]))
    return Model(inputs, [concatenate(skips), Conv2D(3, 1)(concatenate(more))])
'''


def test_lists_that_a_loop_reads_and_appends_to(tmp_path: Path) -> None:
    """In later turns they have other elements than in the first: sizes came from that one, or from no list at all."""
    result = translate(GROWING, "tf2torch")
    assert not result.findings or {f.code for f in result.findings} == {"P001"}
    agree(tmp_path, GROWING, result.text, "tf2torch", [
        Case("net((6, 4, 3))", ("f32[2,6,4,3]",)), Case("net((6, 4, 3), last=True)", ("f32[2,6,4,3]",))])
