"""Whole numbers taken out of tensors: sizes stay tensors, everything else is a Python number."""

from __future__ import annotations

import pytest

from port.translate import translate


def port(body: str) -> str:
    lines = "\n    ".join(line.strip() for line in body.split(";"))
    head = "import torch\n\n\ndef f(x: torch.Tensor, n: torch.LongTensor, k: int):\n    "
    result = translate(f"{head}{lines}\n", "torch2tf")
    assert not [f for f in result.findings if f.code.startswith("P2")], result.findings
    return result.text[result.text.index("def f("):]


@pytest.mark.parametrize(("body", "written"), [
    ("m = int(n.max().item()); return torch.arange(m)", "m = tf.cast(tf.reduce_max(n), tf.int32)"),
    ("m = n.max().item(); return x[:, :m + 1]", "m = tf.cast(tf.reduce_max(n), tf.int32)"),
    ("return x.expand(int(n.max()) * k, -1)", "tf.cast(tf.reduce_max(n), tf.int32) * k"),
    ("return torch.zeros((2, int(x.mean())))", "tf.zeros((2, tf.cast(tf.reduce_mean(x), tf.int32))"),
    ("m = int(n.max().int()); return torch.ones(m)", "m = tf.cast(tf.reduce_max(n), tf.int32)"),
    ("m = int(x.shape[0]); return m + 1", "m = keras.ops.shape(x)[0]"),
    ("m = int(x.shape[0] / k); return x[:m]", "m = keras.ops.shape(x)[0] // k"),
    ("m = int(x.shape[0] / (k * k / k / 2)); return x[:m]", "m = keras.ops.shape(x)[0] * k * 2 // (k * k)"),
    ("m = torch.max(x).item(); return torch.arange(0, m, dtype=x.dtype)", "m = tf.reduce_max(x)"),  # of any dtype
    ("return torch.arange(x.max().item(), dtype=x.dtype)", "tf.range(tf.reduce_max(x), dtype=x.dtype)"),
])
def test_sizes(body: str, written: str) -> None:
    assert written in port(body) and "int(" not in port(body)[port(body).index("\n"):]


@pytest.mark.parametrize("body", [
    "m = int(n.max()); return torch.arange(m), m",  # a caller gets a number
    "m = int(n.max()); return [x for _ in range(m)]",
    "m = int(n.max()); return x if m > 3 else x[:m]",
    "m = int(n.max()); m = m + 1; return x[:m]",
    "m = int(n.max()); return x[:m] + m",
    "m = int(n.max()); return x[:m * 0.5]",  # no size: Python says so
    "m = int(n[:2]); return x[:m]",  # one element, in an axis
    "m = int(n.max()); return g(m)",
    "m = int(x.shape[0] / k); return m",
    "m = torch.max(n).item(); return torch.arange(m, dtype=x.dtype), m",
    "m = int((x.shape[0] - 5) / k); return x[:m]",  # towards zero, which `//` is not
    "m = int(x.shape[0] / 0.5); return x[:m]",
    "m = int(x.shape[0] * 0.5); return x[:m]",
    "m = 0.5 * x.shape[0]; return x[:int(m)]",
])
def test_numbers(body: str) -> None:
    assert "int(" in port(body)[port(body).index("\n"):]


def test_what_may_be_a_float_is_no_size() -> None:
    text = port("m = n.float().max().item(); return torch.arange(m)")
    assert "m = float(tf.reduce_max(tf.cast(n, keras.config.floatx())))" in text and "tf.range(m, dtype=keras." in text


@pytest.mark.parametrize(("hint", "made", "filled"), [
    ("", "x / int(self.scale * keras.ops.shape(x)[-1])", "tf.fill((2,), self.scale * keras.ops.shape(x)[-1])"),
    (": int", "x / (self.scale * keras.ops.shape(x)[-1])",
     "tf.constant(self.scale * keras.ops.shape(x)[-1], tf.int64)"),
])
def test_a_size_times_a_setting_is_whole_if_the_setting_is(hint: str, made: str, filled: str) -> None:
    """`int()` around it was left out, whatever the setting was."""
    text = translate(f"""import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, scale{hint}):
        super().__init__()
        self.scale = scale

    def forward(self, x: torch.Tensor):
        return x / int(self.scale * x.shape[-1]), torch.full((2,), self.scale * x.shape[-1])
""", "torch2tf").text
    assert made in text and filled in text, text
