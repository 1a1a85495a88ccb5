"""Translating stays cheap: counted in calls of functions, which are the same on every machine.

`python -m corpus.bench translation` has the times.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import libcst as cst
import pytest

from port.translate import translate
from port.tree import walk

GOLDEN = Path(__file__).parent / "golden" / "tf2torch"
# Calls for each node of the source's code, with a third to spare; libcst's own walks and printing make it 380 to 570.
LIMITS = {"functional_resnet": 200, "rnn_masking": 220, "sequential_mnist": 120, "subclass_transformer": 120}


def calls(text: str) -> int:
    count = 0

    def note(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        translate(text, "tf2torch")
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("case", LIMITS)
def test_a_translation_calls_few_functions(case: str) -> None:
    text = (GOLDEN / case / "tf_version.py").read_text(encoding="utf-8")
    translate(text, "tf2torch")  # the table and the helpers are read once
    nodes = len(walk(cst.parse_module(text)))
    assert calls(text) / nodes < LIMITS[case]


def test_calls_do_not_grow_faster_than_the_file() -> None:
    text = (GOLDEN / "functional_resnet" / "tf_version.py").read_text(encoding="utf-8")
    more = "\n\ndef plain_{0}(values):\n    total = [v * {0} + len(values) for v in values if v]\n    return total\n"

    def longer(functions: int) -> str:
        return text + "".join(more.format(i) for i in range(functions))

    translate(longer(100), "tf2torch")
    none, some, many = (calls(longer(functions)) for functions in (0, 50, 100))
    assert many - some < 1.2 * (some - none)
