"""Convolutions that a class inherits from and applies in its own way: with padding or a kernel that it computes."""

from __future__ import annotations

from pathlib import Path

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n\n"
SAME = HEAD + '''class ConvSame(nn.Conv2d):
    def __init__(self, c, d, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True):
        super().__init__(c, d, kernel_size, stride, 0, dilation, groups, bias)

    def forward(self, x):
        ih, iw = x.size()[-2:]
        kh, kw = self.weight.size()[-2:]
        pad_h = max((math.ceil(ih / self.stride[0]) - 1) * self.stride[0] + (kh - 1) * self.dilation[0] + 1 - ih, 0)
        pad_w = max((math.ceil(iw / self.stride[1]) - 1) * self.stride[1] + (kw - 1) * self.dilation[1] + 1 - iw, 0)
        x = F.pad(x, [pad_w // 2, pad_w - pad_w // 2, pad_h // 2, pad_h - pad_h // 2])
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = ConvSame(3, 4, 3, stride=2, bias=False)
        self.b = ConvSame(4, 4, 3, dilation=2, groups=2)

    def forward(self, x):
        return self.b(self.a(x))
'''
STANDARD = HEAD + '''class Standard(nn.Conv2d):
    def forward(self, x):
        weight = self.weight - self.weight.mean(dim=(1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Scaled(nn.Conv2d):
    def __init__(self, c, d, kernel_size, padding=0):
        super().__init__(c, d, kernel_size, padding=padding, bias=False)

    def forward(self, x):
        return F.conv2d(x, self.weight * 2, self.bias, padding=self.padding) + super().forward(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Standard(3, 4, 3, padding=1)
        self.b = Standard(4, 5, 3, stride=2, bias=False)
        self.c = Scaled(5, 2, 3, padding=1)

    def forward(self, x):
        return self.c(self.b(self.a(x)))
'''


def test_a_convolution_that_pads_its_input_itself(tmp_path: Path) -> None:
    result = translate(SAME, "torch2tf")
    assert not result.findings
    assert "kh, kw = self.conv.kernel_size" in result.text
    assert "        return self.conv(x)" in result.text
    agree(tmp_path, SAME, result.text, "torch2tf", [Case("Net()", ("f32[2,3,17,22]",))])


def test_a_convolution_with_a_kernel_that_is_computed(tmp_path: Path) -> None:
    result = translate(STANDARD, "torch2tf")
    assert not [f for f in result.findings if f.outcome is not Outcome.EXACT], result.findings
    assert "self.conv.build((None, None, None, self.conv_inputs))" in result.text
    assert "out_channels,\n            kernel_size,\n            strides=stride,\n" in result.text
    agree(tmp_path, STANDARD, result.text, "torch2tf", [Case("Net()", ("f32[2,3,11,12]",))])


def test_padding_that_is_read_as_a_pair_is_not_kept_as_it_was_given() -> None:
    read = STANDARD.replace("padding=self.padding) +", "padding=self.padding) * self.padding[0] +")
    assert any("`.padding` of `nn.Conv2d`" in f.message for f in translate(read, "torch2tf").findings)


PAIRED = HEAD + '''class Same(nn.Conv2d):
    def __init__(self, c, d, kernel_size, stride=1, **kwargs):
        super().__init__(c, d, kernel_size, stride, **kwargs)
        self.stride = self.stride if len(self.stride) == 2 else [self.stride[0]] * 2
        kh, kw = self.weight.size()[-2:]
        self.pad = nn.ZeroPad2d((kw // 2, kw - 1 - kw // 2, kh // 2 * self.dilation[0], kh - 1 - kh // 2))

    def forward(self, x):
        return F.conv2d(self.pad(x), self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


def drop(x, p, training):
    assert 0 <= p <= 1
    if not training:
        return x
    keep = 1 - p
    mask = keep
    mask += torch.rand([x.shape[0], 1, 1, 1], dtype=x.dtype)
    return x / keep * torch.floor(mask)


class Net(nn.Module):
    def __init__(self, rate=0.0):
        super().__init__()
        self.rate = rate
        self.a = Same(3, 4, 3, stride=[2], bias=False)
        self.b = Same(4, 5, (3, 2), groups=1)

    def forward(self, x):
        return drop(self.b(self.a(x)), self.rate, self.training)
'''


def test_a_stride_of_one_number_in_a_list_is_made_a_pair(tmp_path: Path) -> None:
    result = translate(PAIRED, "torch2tf")
    assert not [f for f in result.findings if f.outcome is Outcome.REFUSED], result.findings
    assert "stride = stride if isinstance(stride, int) or len(stride) == 2 else [stride[0]] * 2\n" in result.text
    agree(tmp_path, PAIRED, result.text, "torch2tf", [Case("Net()", ("f32[2,3,11,12]",))])


def test_a_number_that_becomes_a_tensor_is_not_changed_in_place() -> None:
    assert "    mask += tf.random.uniform(" in translate(PAIRED, "torch2tf").text
    tensor = PAIRED.replace("    assert 0 <= p <= 1\n", "").replace("self.rate, self.t", "x.mean((0, 2, 3)), self.t")
    assert any("may share its memory with `keep`" in f.message for f in translate(tensor, "torch2tf").findings)
