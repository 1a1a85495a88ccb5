"""Branches that a default keeps from running raise where Keras lacks what they need; their class is ported."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"
NET = HEAD + '''def spectrum(x):
    return torch.special.airy_ai(x)


class Net(nn.Module):
    def __init__(self, n, fancy=False, scale=None, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(n, 4, 1)
        self.fancy = fancy
        self.pruned = kwargs.pop("pruned", False)

    def odd(self, x):
        return x.requires_grad

    def forward(self, x):
        y = self.conv(x)
        {test}:
            y = {value}
        else:
            y = F.relu(y)
        return y
'''


@pytest.mark.parametrize(("test", "kept"), [
    ("if self.fancy", "if self.fancy"),
    ("if self.fancy and self.odd(y)", "if self.fancy"),
    ("if self.fancy and y.shape[0] > 2", "if self.fancy and keras.ops.shape(y)[0] > 2"),
    ("if self.pruned", "if self.pruned"),
])
@pytest.mark.parametrize("value", ["spectrum(y)", "torch.special.airy_ai(y)"])
def test_what_is_off_by_default_raises(test: str, kept: str, value: str) -> None:
    done = translate(NET.format(test=test, value=value), "torch2tf")
    body = done.text.partition("def call")[2]
    assert f"        {kept}:\n            # port: P20" in body
    assert '            raise NotImplementedError("this setting is not ported from PyTorch")' in body
    assert "class Net(keras.Model)" in done.text and "layers.Conv2D(4, 1" in done.text
    assert any(f.code in ("P201", "P203", "P205", "P206") and f.line in (22, 23) for f in done.findings)


@pytest.mark.parametrize("test", ["if not self.fancy", "if x.shape[0] > 2", "if self.training", "if x is not None"])
def test_what_runs_by_default_is_refused(test: str) -> None:
    text = translate(NET.format(test=test, value="spectrum(y)"), "torch2tf").text
    assert "class Net(nn.Module)" in text and "raise NotImplementedError" not in text


def test_an_attribute_that_is_set_elsewhere_is_no_setting() -> None:
    source = NET.format(test="if self.fancy", value="spectrum(y)").replace(
        "self.fancy = fancy", "self.fancy = fancy\n        self.fancy = n > 3")
    assert "class Net(nn.Module)" in translate(source, "torch2tf").text


def test_the_other_class_of_an_attribute_is_off() -> None:
    source = HEAD + '''class Net(nn.Module):
    def __init__(self, n, stem=None):
        super().__init__()
        if stem is not None:
            self.first = nn.Sequential(stem)
        else:
            self.first = nn.Conv2d(n, 4, 1)
        if isinstance(self.first, nn.Conv2d):
            nn.init.zeros_(self.first.weight)
        elif self.first.last is not None:
            nn.init.zeros_(self.first.last.weight)

    def forward(self, x):
        return self.first(x)
'''
    text = translate(source, "torch2tf").text
    assert "class Net(keras.Model)" in text
    assert "self.first.kernel_initializer = initializers.Zeros()\n        else:\n            # port: P20" in text


PASSED = HEAD + '''def load(model):
    return torch.special.airy_ai(model.weight)


def build(cls, name, pretrained, **kwargs):
    model = cls(**kwargs)
    if pretrained:
        load(model)
    return dict(model=model)


class Net(nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.conv = nn.Conv2d(3, n, 1)

    def forward(self, x):
        return self.conv(x)


def small(pretrained=False, **kwargs):
    return build(Net, "small", pretrained, **kwargs)


def large(pretrained={large}, **kwargs):
    return build(Net, "large", pretrained=pretrained, n=8, **kwargs)
'''


def test_what_all_callers_leave_off_raises() -> None:
    text = translate(PASSED.replace("{large}", "False"), "torch2tf").text
    assert "    if pretrained:\n        # port: P206 it uses `load`" in text
    assert "def large(pretrained=False, **kwargs):\n    return build(Net" in text and "class Net(keras.Model)" in text


@pytest.mark.parametrize("large", ["True", "settings['on']"])
def test_what_one_caller_turns_on_is_refused(large: str) -> None:
    text = translate(PASSED.replace("{large}", large), "torch2tf").text
    assert "raise NotImplementedError" not in text
    assert "# port: P206 it uses `load`, which is not ported\ndef build(" in text


def test_what_a_setting_turns_on_later_in_the_constructor_is_off() -> None:
    source = NET.format(test="if not self.fancy", value="spectrum(y)").replace(
        "self.fancy = fancy", "if scale is None:\n            self.fancy = True\n        else:\n"
        "            self.fancy = fancy")
    assert "class Net(keras.Model)" in translate(source, "torch2tf").text


LEAVES = HEAD + '''from torch.nn.attention import SDPBackend


class Attend(nn.Module):
    def __init__(self, flash=False):
        super().__init__()
        self.flash = flash
        self.kernels = [SDPBackend.FLASH_ATTENTION, SDPBackend.MATH]

        if not torch.cuda.is_available() or not flash:
            return

        # what the device can do
        properties = torch.cuda.get_device_properties(torch.device('cuda'))
        self.new = properties.major >= 8

    def forward(self, x):
        if {test}:
            return x.softmax(-1)
        with torch.nn.attention.sdpa_kernel(self.kernels):
            return torch.special.airy_ai(x)
'''


def test_what_stands_behind_a_return_that_is_the_default() -> None:
    """The values that name kernels of PyTorch say nothing in Keras; contexts that choose one are dropped."""
    text = translate(LEAVES.replace("{test}", "not self.flash"), "torch2tf").text
    assert "self.kernels = ['FLASH_ATTENTION', 'MATH']" in text
    raised = '''raise NotImplementedError("this setting is not ported from PyTorch")\n'''
    assert "            return\n\n        # port: P203 `torch.cuda.get_device_properties`: TensorFlow places" in text
    assert "            return tf.nn.softmax(x, axis=-1)\n        # port: P201 `torch.special.airy_ai`" in text
    assert "self.new" not in text and text.count(raised) == 2


@pytest.mark.parametrize("test", ["self.flash", "len(x) > 2"])
def test_what_stands_behind_another_return_is_ported_or_nothing_is(test: str) -> None:
    assert "class Attend(nn.Module)" in translate(LEAVES.replace("{test}", test), "torch2tf").text


def test_what_nothing_here_makes_may_be_given_a_module_that_is_none_by_default() -> None:
    """The module would get, and give, the source's axes, and be added to a tensor with channels last."""
    source = """
from typing import Optional
from torch import nn


class Block(nn.Module):
    def __init__(self, a: int, down: Optional[nn.Module] = None):
        super().__init__()
        self.conv = nn.Conv2d(a, a, 3, padding=1)
        self.down = down

    def forward(self, x):
        y = self.conv(x)
        if self.down is not None:
            x = self.down(x)
        return y + x
"""
    result = translate(source, "torch2tf")
    assert [f.code for f in result.findings if f.outcome.value == "refused"] == ["P204"]
    assert "raise NotImplementedError" in result.text and "self.down(" not in result.text.replace("`", "")


@pytest.mark.parametrize("flag", ["True", "False"])
def test_an_argument_that_only_some_callers_pass_through_stars_may_be_its_default(flag: str) -> None:
    """One caller says `last=True`: the other branch is read as well."""
    text = translate(f"""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, **kwargs):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        last = kwargs.pop("last", False)
        if last:
            self.end = nn.Identity()
        else:
            self.end = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        return torch.cat([self.end(self.conv(x)), self.conv(x)], 1)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = Net(last={flag}), Net()

    def forward(self, x):
        return self.a(x) + self.b(x)
""", "torch2tf").text
    assert "port:" not in text and text.count("tf.transpose") == 2 and "axis=-1" in text
