"""Sizes where functions of the framework meet them: numbers of Python in PyTorch, and a shape is a sequence of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case

HEAD = "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import backend as K\n\n\n"
# What stands in the source, and what in the port; `x` has the shape (4, 6).
SAME = {
    "tf.reshape(x, tf.stack([tf.shape(x)[0], 2, 3]))": "torch.reshape(x, [x.shape[0], 2, 3])",
    "tf.reshape(x, tf.concat([tf.shape(x)[:1], [2, 3]], 0))": "torch.reshape(x, [*x.shape[:1], 2, 3])",
    "tf.cast(tf.concat([tf.shape(x)[:1], [2, 3]], 0), x.dtype)":
        "torch.tensor([*x.shape[:1], 2, 3], dtype=x.dtype, device=x.device)",
    "tf.zeros([tf.add(x.shape[1], 1), tf.maximum(tf.shape(x)[0], 3)]) + 1.0":
        "torch.zeros([x.shape[1] + 1, max(x.shape[0], 3)], device=x.device) + 1.0",
    "x[:, :tf.math.mod(tf.shape(x)[1], 4)]": "x[:, :x.shape[1] % 4]",
    "x[:, :tf.clip_by_value(tf.shape(x)[1], 1, 3)]": "x[:, :min(max(x.shape[1], 1), 3)]",
    "x * tf.cast(tf.subtract(tf.rank(x), 5), x.dtype)": "x * (x.dim() - 5)",
    "x * tf.cast(tf.square(tf.shape(x)[1]), x.dtype)": "x * (x.shape[1] ** 2)",
    "x * tf.cast(tf.size(tf.shape(x)), x.dtype)": "x * len(x.shape)",
    "x * tf.cast(tf.less(tf.shape(x)[1], 7), x.dtype)": "x * float(x.shape[1] < 7)",
    "x[:, :tf.where(tf.shape(x)[1] > 3, 2, 1)]": "x[:, :2 if (x.shape[1] > 3) else 1]",
    "tf.where(tf.shape(x)[1] > 3, x, -x)": "torch.where(torch.tensor(x.shape[1] > 3, device=x.device), x, -x)",
    "tf.ones(tf.gather(tf.shape(x), [1, 0]))": "torch.ones([x.shape[1], x.shape[0]], device=x.device)",
    "tf.ones(tf.shape(x)[1:] - 1)": "torch.ones([n - 1 for n in x.shape[1:]], device=x.device)",
    "tf.ones(tf.shape(x)[:1] + tf.shape(x)[1:])":
        "(torch.tensor(x.shape[:1], device=x.device) + torch.tensor(x.shape[1:], device=x.device)).tolist()",
    "tf.reshape(x, tf.concat([[x.shape[0] or 4], [6]], 0))": "torch.reshape(x, [x.shape[0] or 4, 6])",
    "tf.ones(x.shape[:1] + [2])": "torch.ones([*x.shape[:1], 2], device=x.device)",
    "tf.ones(tf.reverse(tf.shape(x), [0]))": "torch.flip(torch.tensor(x.shape, device=x.device), [0]).tolist()",
    "tf.cast(tf.shape(x) == [4, 9], x.dtype)":
        "torch.tensor(x.shape, device=x.device) == torch.tensor([4, 9], device=x.device)",
    "tf.reshape(x, [-1, tf.reduce_prod(tf.shape(x)[1:], axis=0)])": "torch.reshape(x, [-1, math.prod(x.shape[1:])])",
    "tf.reshape(x, K.concatenate([K.shape(x)[:1], [6]]))": "torch.reshape(x, [*x.shape[:1], 6])",
    "x[:, :2] * tf.stack([1.5, 0.1])": "x[:, :2] * torch.tensor([1.5, 0.1])",
    "tf.multiply(x, [1.0, 2.0, 0.1, 3.0, 4.0, 5.0])":
        "torch.mul(x, torch.tensor([1.0, 2.0, 0.1, 3.0, 4.0, 5.0], dtype=x.dtype, device=x.device))",
    "tf.stack([tf.reduce_max(x), 0.1])": "torch.stack([torch.amax(x), ",
    "x[:, :keras.ops.floor_divide(keras.ops.shape(x)[1], 4)]": "x[:, :x.shape[1] // 4]",
}
NET = HEAD + '''class Groups(keras.layers.Layer):
    """As TensorFlow Addons' normalisation writes it."""

    def call(self, x):
        return self.split(x, tf.shape(x))

    def split(self, x, shape):
        sizes = [shape[i] for i in range(2)]
        sizes[1] = sizes[1] // 2
        sizes.insert(1, 2)
        sizes = tf.stack(sizes)
        b, n = tf.unstack(shape)
        return tf.reshape(x, sizes) * tf.cast(tf.minimum(b, n), x.dtype)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.groups = Groups()

    def call(self, x):
        x = tf.sigmoid(x)
        parts = [self.groups(x)]
LINES
        return tf.concat([tf.reshape(p, [-1]) for p in parts], 0)
'''


def test_functions_of_sizes_give_what_they_give_in_tensorflow(tmp_path: Path) -> None:
    source = NET.replace("LINES", "\n".join(f"        parts.append({line})" for line in SAME))
    result = translate(source, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    agree(tmp_path, source, result.text, "tf2torch", [Case("Net()", ("f32[4,6]",))])


@pytest.mark.parametrize(("line", "written"), SAME.items())
def test_they_are_written_as_python_says_it(line: str, written: str) -> None:
    text = translate(f"{HEAD}def f(x):\n    x = tf.sigmoid(x)\n    return {line}\n", "tf2torch").text
    assert written in text, text


def test_a_variable_keeps_the_sizes() -> None:
    text = translate(f"{HEAD}def f(x):\n    s = tf.stack([tf.shape(x)[0], 2, 3])\n    n = tf.maximum(x.shape[1], 3)\n"
                     "    return tf.reshape(x, s) * tf.sqrt(tf.cast(n, tf.float32))\n", "tf2torch").text
    assert "s = [x.shape[0], 2, 3]\n    n = max(x.shape[1], 3)\n    return torch.reshape(x, s) * math.sqrt(n)" in text


@pytest.mark.parametrize(("body", "why"), [
    ("s = tf.stack(dims)\n    return tf.reshape(x, s)", "P208 whether `dims` holds sizes"),
    ("return tf.cast(tf.shape(x)[tf.newaxis], x.dtype)", "P206 a shape with more axes"),
    ("return tf.ones(tf.shape(x) / dims)", "P206 arithmetic with a whole shape")])
def test_what_is_not_known_to_be_sizes_is_refused(body: str, why: str) -> None:
    found = translate(f"{HEAD}def f(x, dims):\n    {body}\n", "tf2torch").findings
    assert [f for f in found if f"{f.code} {f.message}".startswith(why)], found
