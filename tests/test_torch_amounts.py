"""Numbers that settings give: amounts of padding, the length of a tensor, floats of unknown size."""

from __future__ import annotations

from pathlib import Path

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = '''import torch
import torch.nn.functional as F
from torch import Tensor, nn


'''

PADDED = '''def calc_same_padding(kernel_size):
    pad = kernel_size // 2
    return (pad, pad - (kernel_size + 1) % 2)


class Depthwise(nn.Module):
    def __init__(self, chan_in, chan_out, kernel_size, padding):
        super().__init__()
        self.padding = padding
        self.conv = nn.Conv1d(chan_in, chan_out, kernel_size, groups=chan_in)

    def forward(self, x):
        x = F.pad(x, self.padding)
        return self.conv(x)


class Net(nn.Module):
    def __init__(self, dim=4, kernel_size=3, causal=False):
        super().__init__()
        padding = calc_same_padding(kernel_size) if not causal else (kernel_size - 1, 0)
        self.net = nn.Sequential(nn.Conv1d(dim, dim, 1), Depthwise(dim, dim, kernel_size, padding))

    def forward(self, x):
        return self.net(x)


class Pad(nn.Module):
    def __init__(self, pad: int = 2, left: int = 1):
        super().__init__()
        self.pad = pad
        self.amounts = (left, pad)

    def forward(self, x):
        x = F.pad(x, (self.pad, 0))
        return F.pad(x, self.amounts, value=1.0)


class Shifted(nn.Module):
    def forward(self, x):
        shifted = list(map(lambda shift: F.pad(x, shift), ((1, -1, 0, 0), (0, 0, -1, 1))))
        for shift in ((1, -1), (-1, 1)):
            shifted.append(F.pad(x, shift))
        return torch.cat((x, *shifted), dim=1)
'''

SCALED = '''class Scaled(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc = nn.Linear(dim, dim)
        scale = (torch.arange(0, dim, 2) + 0.4 * dim) / (1.4 * dim)
        self.register_buffer('scale', scale, persistent=False)
        self.register_buffer('other', torch.arange(dim) * (dim / 2) + dim ** -0.5)

    def forward(self, x: Tensor) -> Tensor:
        q = self.fc(x)
        n = len(q)
        m = len(x)
        return q.reshape(n, -1) * m + self.scale.sum() + self.other.sum()
'''


def test_amounts_of_padding_that_a_setting_gives(tmp_path: Path) -> None:
    result = translate(HEAD + PADDED, "torch2tf")
    assert not result.findings
    assert "x = tf.pad(x, [[0, 0], [self.padding[0], self.padding[1]], [0, 0]])" in result.text
    agree(tmp_path, HEAD + PADDED, result.text, "torch2tf", [
        Case("Net()", ("f32[2,4,7]",)), Case("Net(causal=True)", ("f32[2,4,7]",)), Case("Pad()", ("f32[2,4,7]",)),
        Case("Shifted()", ("f32[2,4,7]",))])


def test_amounts_whose_number_is_not_known_are_refused_for_images_alone() -> None:
    left = translate(HEAD + PADDED.replace("else (kernel_size - 1, 0)", "else (kernel_size, 0, 0, 0)"), "torch2tf")
    assert [f.code for f in left.findings] == ["P208", "P206"]


COUNTED = '''import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pad_to_multiple(tensor, multiple, dim=-1, value=0):
    seqlen = tensor.shape[dim]
    m = seqlen / multiple
    if m.is_integer():
        return False, tensor
    remainder = math.ceil(m) * multiple - seqlen
    pad_offset = (0,) * (-1 - dim) * 2
    return True, F.pad(tensor, (*pad_offset, 0, remainder), value=value)


def pad_at_dim(t, pad, dim=-1, value=0.):
    dims_from_right = (-dim - 1) if dim < 0 else (t.ndim - dim - 1)
    zeros = (0, 0) * dims_from_right
    return F.pad(t, (*zeros, *pad), value=value)


def look_around(x, backward=1, forward=0, pad_value=-1, dim=2):
    dims = (len(x.shape) - dim) * (0, 0)
    return F.pad(x, (*dims, backward, forward), value=pad_value)


class Net(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        done, x = pad_to_multiple(x, 4, dim=-2)
        x = pad_at_dim(self.fc(x), (1, 2), dim=1, value=0.5)
        return look_around(x)
'''


def test_amounts_for_as_many_axes_as_a_setting_says(tmp_path: Path) -> None:
    result = translate(COUNTED, "torch2tf")
    assert not result.findings
    assert "return pad_last_axes(t, (*zeros, *pad), value)" in result.text
    agree(tmp_path, COUNTED, result.text, "torch2tf", [Case("Net()", ("f32[3,5,4]",))])


def test_the_length_of_a_tensor_and_floats_of_unknown_settings(tmp_path: Path) -> None:
    """`0.4 * dim` is a float whatever `dim` is: the whole numbers that meet it become floats, as PyTorch has it."""
    result = translate(HEAD + SCALED, "torch2tf")
    assert not result.findings
    assert "n = keras.ops.shape(q)[0]" in result.text
    agree(tmp_path, HEAD + SCALED, result.text, "torch2tf", [Case("Scaled(4)", ("f32[3,4]",))])


MEANS = '''

class Mean(nn.Module):
    def __init__(self, dim=4):
        super().__init__()
        self.fc = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        n = x.shape[0]
        whole = self.fc(x).sum()
        whole /= n
        b, c = x.shape
        return x / x.size(0) + whole * len(x) + (b * c) * x
'''


def test_the_size_of_a_batch_meets_a_tensor(tmp_path: Path) -> None:
    """Inside tf.function, with an unknown batch, it is a whole tensor, which TensorFlow does not promote."""
    result = translate(HEAD + MEANS, "torch2tf")
    assert not result.findings
    assert "whole /= tf.cast(n, whole.dtype)" in result.text
    agree(tmp_path, HEAD + MEANS, result.text, "torch2tf", [Case("Mean()", ("f32[3,4]",))])
