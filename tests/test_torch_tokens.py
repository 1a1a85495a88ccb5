"""Tokens that become images and images that become tokens: class tokens cut off, resized, given to convolutions."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n\n"
IMAGES = HEAD + """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.proj = nn.Linear(6, 8)
        self.conv = nn.Conv2d(8, 5, 2)

    def forward(self, x):
        B, N, C = x.shape
        y = self.proj(x[:, 1:])
        y = y.reshape(B, 3, 4, -1).permute(0, 3, 1, 2).contiguous()
        return self.conv(y)
"""


def test_the_channels_of_images_are_a_number_where_the_batch_is_not_known(tmp_path: Path) -> None:
    result = translate(IMAGES, "torch2tf")
    assert not result.findings
    agree(tmp_path, IMAGES, result.text, "torch2tf", [Case("Net()", ("f32[2,13,6]",))])  # traced without the batch


FACTOR = HEAD + """class Net(nn.Module):
    def _resize(self, x, factor):
        return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)

    def forward(self, x):
        return self._resize(x, 2.0), self._resize(x, 1 / 2), self._resize(x, (1.5, 0.5))
"""


def test_images_are_resized_by_a_factor_that_is_given(tmp_path: Path) -> None:
    result = translate(FACTOR, "torch2tf")
    assert not [f for f in result.findings if f.code != "P101"]
    agree(tmp_path, FACTOR, result.text, "torch2tf", [Case("Net()", ("f32[2,3,6,8]",))])


CUT = HEAD + """def remove_first(x):
    return {expression}


def tokens(read, path):
    x = read(path)
    return F.relu(remove_first(x).clone())
"""


@pytest.mark.parametrize(("expression", "found"), [
    ("x[:, 1:, :]", []), ("x[1:]", ["P204"]), ("x[:, 1:, np.newaxis]", ["P204"])])
def test_what_is_sliced_along_two_axes_is_a_tensor(expression: str, found: list[str]) -> None:
    text = CUT.format(expression=expression)
    result = translate("import numpy as np\n" + text if "np." in text else text, "torch2tf")
    assert [f.code for f in result.findings if f.code != "P103"] == found, result.text
