"""Functions of keras.ops of images that the port holds channels first, of pairs, and of what has no equivalent."""

from __future__ import annotations

import pytest

from port.translate import translate

MODEL = """
import keras
from keras import layers, ops

class M(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(4, 3)

    def call(self, x, cache, index):
        x = self.conv(x)
        y = {call}
        return x, y
"""


def ported(call: str) -> str:
    result = translate(MODEL.format(call=call), "tf2torch")
    assert not [f.message for f in result.findings if f.outcome.name == "REFUSED"]
    return result.text


@pytest.mark.parametrize(("call", "wanted"), [
    ("ops.nancumsum(x, axis=-1)", "torch.cumsum(x.nan_to_num(), dim=1)"),
    ("ops.percentile(x, 30, axis=-1)", "torch.quantile(x, 30 / 100, dim=1, keepdim=False)"),
    ("ops.nanprod(x, axis=1)", "torch.prod(x.masked_fill(torch.isnan(x), 1), dim=2, keepdim=False)"),
    ("ops.adaptive_average_pool(x, (2, 3))", "F.adaptive_avg_pool2d(x, (2, 3))"),
    ("ops.depth_to_space(x, 2)", "F.pixel_shuffle(x, 2)"),
    ("ops.image.resize(x, (8, 9), interpolation='bicubic')", "resize_bicubic(x, 8, 9)"),
    # these keep the order of axes of the source
    ("ops.rfft(x)", "torch.fft.rfft(x.permute(0, 2, 3, 1))"),
    ("ops.fft((x, x))", "torch.fft.fft(torch.complex(x.permute(0, 2, 3, 1), x.permute(0, 2, 3, 1)))"),
    ("ops.nonzero(x)", "torch.nonzero(x.permute(0, 2, 3, 1), as_tuple=True)"),
    ("ops.hsplit(x, 2)", "torch.hsplit(x.permute(0, 2, 3, 1), 2)"),
    ("ops.slice_update(cache, [0, index, 0, 0], x)", "slice_update(cache, [0, index, 0, 0], x.permute(0, 2, 3, 1))"),
    ("ops.vectorized_map(lambda v: v + 1, x)", "torch.stack([v + 1 for v in x.permute(0, 2, 3, 1)])"),
])
def test_images_are_right_in_either_order(call: str, wanted: str) -> None:
    assert wanted in ported(call)


def test_a_missing_rank_is_said_where_the_setting_is_one_of_a_row() -> None:
    source = "from keras import ops\n\ndef f(x):\n    return ops.image.resize(x, (4, 4), interpolation='nearest')\n"
    messages = [f.message for f in translate(source, "tf2torch").findings if f.outcome.name == "REFUSED"]
    assert len(messages) == 1 and "rank(images)=4" in messages[0]


@pytest.mark.parametrize(("call", "told"), [
    ("ops.fori_loop(0, 3, lambda i, v: v + i, x)", "for loop"), ("ops.scan(lambda c, v: (c + v, c), x, x)", "for loop"),
    ("ops.switch(index, [ops.sin, ops.cos], x)", "branches[int(index)]"),
])
def test_what_has_no_equivalent_says_what_to_write(call: str, told: str) -> None:
    result = translate(MODEL.format(call=call), "tf2torch")
    assert any(f.code == "P203" and told in f.message for f in result.findings)
