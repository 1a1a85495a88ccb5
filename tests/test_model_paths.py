"""Models that are made on several paths of a function, and lists of tensors that a function gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case

HEAD = "from keras.layers import Conv2D, Dense, Input, concatenate\nfrom keras.models import Model\n\n\n"

SOURCE = HEAD + '''
def base(x, filters):
    outs = []
    for f in filters:
        x = Conv2D(f, 3, padding="same")(x)
        outs.append(x)
    return outs


def net(size, filters=(4, 6, 5), deep=False):
    inputs = Input(size)
    OUT_list = base(inputs, filters)
    OUT_list = OUT_list[::-1]
    if deep:
        made = []
        for i in range(len(OUT_list)):
            made.append(Conv2D(2, 1)(OUT_list[i]))
        model = Model([inputs], made)
    else:
        model = Model([inputs], [Conv2D(3, 1)(OUT_list[0])])
    return model


def grown(size, deep=False):
    inputs = Input(size)
    outs = base(inputs, (2, 3))
    outs.append(inputs)
    x = concatenate(outs)
    if deep:
        return Model(inputs, [Conv2D(4, 1)(x), x])
    return Model(inputs, Conv2D(2, 1)(x))
'''


LISTS = HEAD + '''
def net(size, labels="auto"):
    made = []; other = []
    if labels == "auto":
        labels = 2
    inputs = Input(size)
    made.append(Conv2D(labels, 1)(inputs))
    for i in range(2):
        made.append(Conv2D(labels + i, 1)(inputs))
    return Model(inputs, Conv2D(3, 1)(concatenate(made)))
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_one_class_has_all_paths(tmp_path: Path) -> None:
    text = translate(SOURCE, "tf2torch").text
    assert not refused(SOURCE)
    assert "model = Net(size, filters, deep)\n    return model" in text and "return Grown(size, deep)" in text
    agree(tmp_path, SOURCE, text, "tf2torch", [Case(call, ("f32[2,6,4,3]",)) for call in (
        "net((6, 4, 3))", "net((6, 4, 3), deep=True)", "grown((6, 4, 3))", "grown((6, 4, 3), deep=True)")])


def test_a_list_made_above_the_input_is_one_of_forward() -> None:
    text = translate(LISTS, "tf2torch").text
    assert not refused(LISTS) and "        made = []\n        made.append(self.conv1(inputs))" in text
    assert "return Net(size, labels)" in text and "sum(made_channels)" in text


PATHS = HEAD + '''
def net(size, deep, scope):
    inputs = Input((4,))
    x = Dense(3)(inputs)
'''


@pytest.mark.parametrize("rest", [
    "    with scope:\n        model = Model(inputs, x)\n    return model\n",
    "    for i in range(2):\n        model = Model(inputs, x)\n    return model\n",
    "    model = None\n    if deep:\n        model = Model(inputs, x)\n    return model\n",
    "    if deep:\n        model = Model(inputs, x)\n        x = Dense(2)(x)\n"
    "    else:\n        model = Model(inputs, x)\n"
    "    return model\n",
    "    if deep:\n        a = Model(inputs, x)\n    else:\n        b = Model(inputs, x)\n    return a\n",
    "    other = Input((3,))\n    if deep:\n        return Model(inputs, x)\n"
    "    return Model([inputs, other], [x, other])\n",
    "    return Model(inputs, x) if deep else Model(inputs, Dense(2)(x))\n"])
def test_paths_that_one_class_cannot_have_are_traced(rest: str) -> None:
    """Else the function would keep lines that use what went into the class: a NameError without a finding."""
    assert not refused(PATHS + rest) and "FunctionalModel(inputs, x)" in translate(PATHS + rest, "tf2torch").text


def test_at_the_top_of_a_file_too() -> None:
    text = HEAD + ("deep = True\ninputs = Input((4,))\nif deep:\n    model = Model(inputs, Dense(3)(inputs))\n"
                   "else:\n    model = Model(inputs, Dense(2)(inputs))\n")
    assert not refused(text) and "\nmodel = Net()\n" in translate(text, "tf2torch").text
    other = text.replace("deep = True", "import sys\ndeep = len(sys.argv)")
    assert not refused(other) and refused(other.replace("else:", "if not deep:"))
