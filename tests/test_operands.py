"""What takes the place of an operand is read as one operand, whatever it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case


def ported(lines: str, direction: str) -> str:
    head = "import tensorflow as tf" if direction == "tf2torch" else "import functools\nimport torch"
    body = "\n    ".join(lines.splitlines())
    found = translate(f"{head}\n\n\ndef f(a, b, c, d: bool):\n    {body}\n", direction)
    assert not any(f.code.startswith("P9") for f in found.findings), found.findings
    return found.text


COND = "tf.cond(c, lambda: a, lambda: b)"


@pytest.mark.parametrize(("source", "port"), [
    (f"return -{COND}", "-(a if c else b)"),
    (f"return {COND} ** 2", "(a if c else b) ** 2"),
    (f"return {COND}[0]", "(a if c else b)[0]"),
    (f"return {COND} > 0", "(a if c else b) > 0"),
    (f"return 0 < {COND}", "0 < (a if c else b)"),
    (f"return {COND} if d else b", "(a if c else b) if d else b"),
    (f"return {COND} and b", "(a if c else b) and b"),
    (f"return {COND}.shape", "(a if c else b).shape"),
])
def test_choices_in_pytorch(source: str, port: str) -> None:
    text = ported(source, "tf2torch")
    assert ast.dump(ast.parse(text).body[-1].body[-1].value) == ast.dump(  # type: ignore[attr-defined]
        ast.parse(port, mode="eval").body)


@pytest.mark.parametrize(("source", "port"), [
    ("return torch.Tensor if d else b", "(lambda data: tf.constant(data, tf.float32)) if d else b"),
    ("return b if d else torch.Tensor", "b if d else (lambda data: tf.constant(data, tf.float32))"),
    ("return b or torch.Tensor", "b or (lambda data: tf.constant(data, tf.float32))"),
])
def test_functions_in_tensorflow(source: str, port: str) -> None:
    text = ported(source, "torch2tf")
    assert ast.dump(ast.parse(text).body[-1].body[-1].value) == ast.dump(  # type: ignore[attr-defined]
        ast.parse(port, mode="eval").body)


@pytest.mark.parametrize("test", ["type(a) is torch.Tensor", "torch.Tensor != type(a)",
                                  "type(a) in (torch.Tensor, int)"])
def test_a_class_that_becomes_a_function_is_not_compared(test: str) -> None:
    """`type(a) is (lambda data: ...)` is never true."""
    text = ported(f"return {test}", "torch2tf")
    assert test in text and "# port: P203" in text


def test_stars_of_a_call_stand_before_what_a_partial_holds() -> None:
    """partial(f, **c)(*a) is f(*a, **c)."""
    text = ported("make = functools.partial(torch.add, **c)\nreturn make(*a)", "torch2tf")
    assert "make(*a)" in text


def test_a_partial_of_itself_is_not_followed() -> None:
    assert "functools.partial(f, alpha=e)" in ported(
        "f = torch.add\nfor e in c:\n    f = functools.partial(f, alpha=e)\nreturn f(a, b)", "torch2tf")


@pytest.mark.parametrize("call", ["torch.ones()", "torch.exp(a).view()", "torch.exp(a).expand()",
                                  "torch.exp(a).permute()", "torch.exp(a).repeat()", "torch.meshgrid()"])
def test_no_sizes_at_all_are_a_missing_argument(call: str) -> None:
    text = ported(f"return {call}", "torch2tf")
    assert "# port: P202" in text and "is missing" in text


def test_functions_that_are_no_values_are_said_to_be_called() -> None:
    found = translate("import tensorflow as tf\n\n\ndef f(x):\n    return [tf.math.divide_no_nan, x]\n", "tf2torch")
    assert [f.message for f in found.findings if f.code == "P201"] == [
        "`tf.math.divide_no_nan` has no counterpart that could stand as a value: call it"]


def test_a_size_in_parentheses_keeps_them(tmp_path: Path) -> None:
    """`(dim // heads) ** -0.5` was written as `dim // heads ** -0.5` where the size stood for the whole."""
    text = '''import keras


class Scaled(keras.layers.Layer):
    def __init__(self, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, shape):
        dim = shape[-1]
        self.a = (dim // self.heads) ** -0.5
        self.b = 1.5 / (shape[-1] * self.heads)
        self.dense = keras.layers.Dense(4)

    def call(self, x):
        return self.dense(x) * self.a + self.b


def model():
    inputs = keras.Input((5, 12))
    return keras.Model(inputs, Scaled(3)(inputs))
'''
    result = translate(text, "tf2torch")
    assert "self.a = (dim // heads) ** -0.5" in result.text
    agree(tmp_path, text, result.text, "tf2torch", [Case("model()", ("f32[2,5,12]",))])
