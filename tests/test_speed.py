"""Translating stays cheap: counted in calls of functions, which are the same on every machine.

`python -m corpus.bench translation` has the times.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
from pathlib import Path
from typing import Any

import libcst as cst
import pytest

from port.torch2tf.refused import Refused
from port.torch2tf.values import Class, Function
from port.translate import translate
from port.tree import walk

GOLDEN = Path(__file__).parent / "golden"
# Calls for each node of the source's code, with a tenth (TensorFlow) to a third (PyTorch) to spare; libcst's own walks
# and printing made it 380 to 570.
LIMITS = {"tf2torch/functional_resnet": 125, "tf2torch/rnn_masking": 146, "tf2torch/sequential_mnist": 90,
          "tf2torch/subclass_transformer": 78, "torch2tf/gpt": 104, "torch2tf/rnn_seq2seq": 107,
          "torch2tf/tensor_methods": 96}
MOVED = 108  # the same of a file whose layers are read where they are applied


def calls(text: str, direction: str = "tf2torch", most: int = 10**8) -> int:
    count = 0

    def note(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"
        assert count < most

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        translate(text, direction)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("case", LIMITS)
def test_a_translation_calls_few_functions(case: str) -> None:
    direction = case.split("/")[0]
    text = (GOLDEN / case / f"{direction.split('2')[0]}_version.py").read_text(encoding="utf-8")
    translate(text, direction)  # the table and the helpers are read once
    nodes = len(walk(cst.parse_module(text)))
    assert calls(text, direction) / nodes < LIMITS[case]


def test_a_file_whose_layers_are_moved_is_read_once() -> None:
    """ConvNeXt, which was also read as it stands (167 calls); a loop over blocks of open rank once had no end."""
    spec = importlib.util.find_spec("keras")
    assert spec is not None and spec.origin is not None
    text = (Path(spec.origin).parent / "src" / "applications" / "convnext.py").read_text(encoding="utf-8")
    nodes = len(walk(cst.parse_module(text)))
    translate(text, "tf2torch")  # the table and the helpers are read once
    assert calls(text, most=400 * nodes) / nodes < MOVED


def test_a_long_chain_of_modules_stays_cheap() -> None:
    """Each module of a class of the user's is a choice of what its children are: they are not compared pair by pair."""
    head = ("from torch import nn\n\n\nclass Wrap(nn.Module):\n    def __init__(self, inner):\n"
            "        super().__init__()\n        self.inner = inner\n\n    def forward(self, x):\n"
            "        return self.inner(x)\n\n\nnet = nn.Sequential(\n")

    def chain(length: int) -> str:
        return head + "".join(f"    Wrap(nn.Linear({i + 1}, {i + 2})),\n" for i in range(length)) + ")\n"

    short, long = (calls(chain(length), "torch2tf") for length in (20, 80))
    assert long < 8 * short


def test_a_decorator_that_decorates_what_it_was_given_comes_to_an_end() -> None:
    """torch-geometric's `deprecated`: `func.__init__.__init__...` was another function each time."""
    head = """
import functools
import inspect
import torch
from torch import nn


def old(details=None, func_name=None):
    def decorator(func):
        name = func_name or func.__name__
        if inspect.isclass(func):
            cls = type(func.__name__, (func,), {})
            cls.__init__ = old(details, name)(func.__init__)
            return cls

        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            return func(*args, **kwargs)

        return wrapper

    return decorator
"""
    more = """

@old()
def f{0}(x):
    return torch.relu(x)


class C{0}(nn.Module):
    def __init__(self):
        super().__init__()

    @old()
    def run(self, x):
        return f{0}(x)


D{0} = old("use C{0}")(C{0})
"""
    assert calls(head + "".join(map(more.format, range(4))), "torch2tf", most=2_000_000) < 60_000


def test_calls_of_one_function_are_not_all_joined_for_each() -> None:
    def text(count: int) -> str:
        return "import torch\n\n\ndef f(x, n):\n    return torch.relu(x) * n\n" + "".join(
            f"\n\ndef g{i}(x):\n    return f(torch.exp(x), {i})\n" for i in range(count))

    short, long = (calls(text(count), "torch2tf") for count in (50, 200))
    assert long < 5 * short


def test_calls_do_not_grow_faster_than_the_file() -> None:
    text = (GOLDEN / "tf2torch" / "functional_resnet" / "tf_version.py").read_text(encoding="utf-8")
    more = "\n\ndef plain_{0}(values):\n    total = [v * {0} + len(values) for v in values if v]\n    return total\n"

    def longer(functions: int) -> str:
        return text + "".join(more.format(i) for i in range(functions))

    translate(longer(100), "tf2torch")
    none, some, many = (calls(longer(functions)) for functions in (0, 50, 100))
    assert many - some < 1.2 * (some - none)


def test_what_was_known_does_not_wait_for_the_collector() -> None:
    """Functions and classes know each other, and a refusal knew the frames that it came through: whole trees with them.

    `fit` stays in PyTorch, alone; `draw` is refused.
    """
    text = ("import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, width=6):\n"
            "        super().__init__()\n        self.fc = nn.Linear(width, 2)\n\n    def fit(self, data):\n"
            "        optimizer = torch.optim.Adam(self.parameters())\n        for x, y in data:\n"
            "            nn.functional.cross_entropy(self(x), y).backward()\n            optimizer.step()\n\n"
            "    def forward(self, x):\n        return self.fc(x)\n\n\ndef draw(x):\n    return torch.no_such(x)\n")
    translate(text, "torch2tf")
    gc.collect()
    gc.disable()
    try:
        codes = {finding.code for finding in translate(text, "torch2tf").findings}
        left = [type(o).__name__ for o in gc.get_objects() if type(o) in (Function, Class, Refused)]
    finally:
        gc.enable()
    assert {"P205", "P201"} <= codes and not left, (codes, left)


def test_nor_does_what_was_known_of_a_keras_model() -> None:
    text = (GOLDEN / "tf2torch" / "functional_resnet" / "tf_version.py").read_text(encoding="utf-8")
    translate(text, "tf2torch")
    gc.collect()
    gc.disable()
    try:
        translate(text, "tf2torch")
        left = gc.collect()
    finally:
        gc.enable()
    assert left < 100  # it was 3 to 8 thousand
