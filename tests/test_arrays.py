"""NumPy arrays and lists of numbers where they meet tensors: PyTorch takes them for tensors only where it is told."""

from __future__ import annotations

from pathlib import Path

from proving import agree

from port.translate import translate
from port.verify.parent import Case

HEAD = "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n\nMEAN = np.array([0.4, 0.5, 0.6])\n"
NET = HEAD + '''STD = [0.2, 0.3, 0.4]


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = keras.layers.Conv2D(3, 3, padding="same")
        self.std = np.asarray(STD, dtype="float32")
        self.mix = (np.eye(3) + 0.1).reshape(3, 3)

    def call(self, x):
        x = self.conv(x)
        x = (x - MEAN) / self.std
        x = self.conv(x)
        x = ([1.0, 2.0, 3.0] - x) / STD
        x = self.conv(x)
        x = tf.where(x > MEAN, x, 0.1 * x)
        y = tf.reduce_mean(x, (1, 2)) @ self.mix
        y = tf.maximum((1 - self.std) * y, np.float32([0.1, 0.2, 0.3]))
        return tf.concat([y, tf.matmul(y, self.mix) + tf.einsum("bi,ij->bj", y, self.mix)], 1)
'''


def test_arrays_become_tensors_where_they_meet_one(tmp_path: Path) -> None:
    """The image is three pixels wide: per-channel numbers that met its columns would raise nothing."""
    result = translate(NET, "tf2torch")
    assert not [f for f in result.findings if f.outcome.needs_person]
    assert "x - torch.as_tensor(MEAN, dtype=x.dtype, device=x.device)[:, None, None]" in result.text
    agree(tmp_path, NET, result.text, "tf2torch", [Case("Net()", ("f32[2,8,3,3]",))])


def port(body: str) -> str:
    made = translate(f"{HEAD}TABLE = np.load('t.npy')\n\n\nclass A(keras.layers.Layer):\n"
                     f"    def call(self, x):\n        {body}\n", "tf2torch")
    return made.text + "".join(f"{f.code} {f.message}\n" for f in made.findings)


def test_an_array_stays_one_among_values_of_python() -> None:
    assert "return x * float(np.sum(MEAN * 2))" in port("return x * float(np.sum(MEAN * 2))")
    assert "y = MEAN - np.arange(3)\n" in port("y = MEAN - np.arange(3)\n        return x * y")


def test_an_array_of_open_rank_does_not_meet_a_channels_first_tensor() -> None:
    assert "P209 the axes of `TABLE` are not known" in port(
        "x = keras.layers.Conv2D(3, 3)(x)\n        return keras.layers.Conv2D(3, 3)(x * TABLE)")


def test_an_array_that_a_row_takes_alone_keeps_its_dtype() -> None:
    assert "torch.sum(torch.as_tensor(TABLE, device=x.device))" in port("return x * tf.reduce_sum(TABLE)")
    assert "torch.as_tensor(TABLE, dtype=x.dtype, device=x.device)" in port("return x + tf.cast(TABLE, x.dtype)")


def test_an_array_that_indexes_may_leave_any_number_of_axes() -> None:
    assert "P209 the axes of `MEAN[[0, 1, 2]]` are not known" in port(
        "x = keras.layers.Conv2D(3, 3)(x)\n        return keras.layers.Conv2D(3, 3)(x * MEAN[[0, 1, 2]])")
    assert "x * torch.as_tensor(MEAN[0]," in port("return x * MEAN[0]")


def test_a_shape_that_is_cast_is_a_tensor() -> None:
    text = port("size = tf.shape(x)[1:3]\n        return tf.sigmoid(x) / tf.cast(size, x.dtype)")
    assert "torch.sigmoid(x) / torch.tensor(size, dtype=x.dtype, device=x.device)" in text
