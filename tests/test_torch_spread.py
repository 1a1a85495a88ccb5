"""Layers of PyTorch that are given `**` arguments of which not all is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = "import torch\nfrom torch import nn\n\n\n"

CONV = '''def conv(cin, cout, kernel_size, **kwargs):
    padding = kwargs.pop('padding', 0)
    kwargs.setdefault('bias', False)
    return nn.Conv2d(cin, cout, kernel_size, padding=padding, **kwargs)


class Net(nn.Module):
    def __init__(self, cin, cout, norm_kwargs=None):
        super().__init__()
        self.a = conv(cin, cout, 3, padding=1)
        self.n = nn.BatchNorm2d(cout, **(norm_kwargs or {}))
        self.b = conv(cout, cout, 3, stride=2, groups=2)

    def forward(self, x):
        return self.b(self.n(self.a(x)))
'''

SHIFT = '''class Shift(nn.Module):
    def __init__(self, cin, cout, kernel_size, stride=1, bias=True):
        super().__init__()
        self.fc = nn.Linear(cin, cout, bias)
        self.stride = stride

    def forward(self, x):
        return self.fc(x[:, :, ::self.stride, ::self.stride].permute(0, 2, 3, 1)).permute(0, 3, 1, 2).view(
            x.shape[0], -1, x.shape[2] // self.stride, x.shape[3] // self.stride)


def conv(cin, cout, kernel_size, **kwargs):
    shift = kwargs.pop('shift', False)
    kwargs.setdefault('bias', False)
    if shift:
        return Shift(cin, cout, kernel_size, **kwargs)
    else:
        return nn.Conv2d(cin, cout, kernel_size, padding=1, **kwargs)


class Net(nn.Module):
    def __init__(self, cin, cout, shift=False):
        super().__init__()
        self.a = conv(cin, cout, 3, shift=shift)
        self.b = conv(cout, cout, 3, stride=2)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))
'''


PLACED = '''def conv(cin, cout, kernel_size, **kwargs):
    kwargs.setdefault('bias', False)
    return nn.Conv2d(cin, cout, kernel_size, padding=1, **kwargs)


class Net(nn.Module):
    def __init__(self, cin, cout, device=None, dtype=None):
        super().__init__()
        dd = {'device': device, 'dtype': dtype}
        self.a = conv(cin, cout, 3, **dd)
        self.b = conv(cout, cout, 3, stride=2, **dd)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))
'''


@pytest.mark.parametrize(("source", "written", "call"), [
    (PLACED, "conv2d(cin, cout, kernel_size, padding=1, **kwargs)", "Net(3, 4)"),
    (CONV, "conv2d(cin, cout, kernel_size, padding=padding, **kwargs)", "Net(3, 4, {'eps': 1e-3, 'momentum': 0.3})"),
    (SHIFT, "conv2d(cin, cout, kernel_size, padding=1, **kwargs)", "Net(3, 4)")])
def test_a_function_with_the_arguments_of_pytorch_makes_the_layer(source: str, written: str, call: str, tmp_path: Path
                                                                  ) -> None:
    result = translate(HEAD + source, "torch2tf")
    assert written in result.text
    agree(tmp_path, HEAD + source, result.text, "torch2tf", [Case(call, ("f32[2,3,8,6]",))])


def test_what_no_function_makes_is_refused() -> None:
    source = CONV.replace("nn.BatchNorm2d(cout, **(norm_kwargs or {}))", "nn.FractionalMaxPool2d(2, **norm_kwargs)")
    assert "P202" in {f.code for f in translate(HEAD + source, "torch2tf").findings}


BEHIND = '''def make(inner, **kwargs):
    return Shift(3, 4, 1, **kwargs) if inner else nn.Conv2d(3, 4, 1, **kwargs)


class Shift(nn.Module):
    def __init__(self, cin, cout, kernel_size):
        super().__init__()
        self.fc = nn.Linear(cin, cout)

    def forward(self, x):
        return self.fc(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2).reshape(-1, 4, 5, 6)


class Net(nn.Module):
    def __init__(self, inner=False):
        super().__init__()
        self.layer = make(inner)

    def forward(self, x):
        y = x[0] if isinstance(x, list) else x
        return self.layer(y)
'''


def test_a_convolution_between_permutes_needs_no_rank_that_is_known(tmp_path: Path) -> None:
    """Silent before: where nothing was known of its tensor, it stood without them."""
    result = translate(HEAD + BEHIND, "torch2tf")
    assert result.text.count("layers.Permute") == 2
    assert "conv2d(3, 4, 1, **kwargs)" in result.text  # silent before: left out, as nobody in this file gives any
    agree(tmp_path, HEAD + BEHIND, result.text, "torch2tf", [Case("Net()", ("f32[2,3,5,6]",))])


@pytest.mark.parametrize("made", ["nn.Conv2d(3, 4, 3, 1, 0, 1, 1, True, 'circular', **kwargs)",
                                  "nn.BatchNorm2d(3, 1e-5, 0.1, True, False, **kwargs)"])
def test_what_the_function_does_not_take_raises(made: str, tmp_path: Path) -> None:
    """By place as well: a mode of padding must not be taken for a device."""
    source = HEAD + f"def make(**kwargs):\n    return {made}\n"
    text = translate(source, "torch2tf").text
    assert f"{'conv2d' if 'Conv' in made else 'batch_norm'}(3" in text
    space: dict[str, Any] = {}
    exec(text, space)
    with pytest.raises(TypeError, match="positional"):
        space["make"]()


WRITTEN_OUT = '''from functools import partial

from torch import arange


def points(x, domain=(-5, 5), knots=7):
    device = dict(device=x.device)
    proj = torch.ones(x.shape[-1], 3, **device)
    t = torch.linspace(*domain, knots, **device)
    return torch.einsum("bd,dm->bm", x, proj)[..., None] * t


class Net(nn.Module):
    def __init__(self, sizes=(2, 3), domain=(-1, 2)):
        super().__init__()
        self.sizes = sizes
        self.fc = nn.Linear(4, 4)
        self.register_buffer("ends", torch.linspace(domain[0], domain[1], 7))

    def forward(self, x):
        kept = dict(dim=-1, keepdim=True)
        new = {"device": x.device, "dtype": x.dtype}
        count = partial(torch.arange, device=x.device)
        y = self.fc(x)
        y = y - y.square().mean(**kept)
        grid = torch.stack(torch.meshgrid(*(arange(n, **new) for n in self.sizes), indexing="ij"), dim=-1)
        return points(y) * count(7) * count(2, 9) + grid.sum() + self.ends
'''


def test_settings_that_are_known_stand_for_themselves(tmp_path: Path) -> None:
    """Of a dict, of a tuple, and of a partial; what a tuple holds by default is no more sure than another default."""
    source = HEAD + WRITTEN_OUT
    result = translate(source, "torch2tf")
    assert not result.findings, result.findings
    assert "tf.constant(domain[0], keras.config.floatx()), domain[1], knots)" in result.text
    assert "tf.reduce_mean(tf.square(y), axis=-1, keepdims=True)" in result.text and "tf.range(2, 9" in result.text
    assert not {"kept", "new", "count", "device", "partial"} & set(result.text.replace("(", " ").split())
    agree(tmp_path, source, result.text, "torch2tf", [Case(c, ("f32[3,4]",)) for c in ("Net()", "Net((3, 4), (0, 4))")])


@pytest.mark.parametrize(("before", "after"), [
    ("kept = dict(dim=-1, keepdim=True)", "kept = dict(dim=-1)\n        kept['keepdim'] = True"),
    ("kept = dict(dim=-1, keepdim=True)", "kept = dict(dim=-1, keepdim=True)\n        print(kept)"),
    ("kept = dict(dim=-1, keepdim=True)", "k = True\n        kept = dict(dim=-1, keepdim=k)\n        k = False"),
    ("count = partial(torch.arange, device=x.device)",
     "n = 2\n        count = partial(torch.arange, n)\n        n = 3"),
    ("count = partial(torch.arange, device=x.device)",
     "count = partial(torch.arange, device=x.device)\n        self.count = count"),
])
def test_what_may_be_another_one_is_refused(before: str, after: str) -> None:
    result = translate(HEAD + WRITTEN_OUT.replace(before, after), "torch2tf")
    assert {f.code for f in result.findings if f.code != "P206"} <= {"P201", "P202"} and result.findings
