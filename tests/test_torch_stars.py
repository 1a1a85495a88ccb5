"""`forward(self, x, *args, **kwargs)`: what callers pass gets its name, as Keras' layers want it."""

from __future__ import annotations

import pytest
from oneline import oneline

from port.findings import Outcome
from port.result import Result
from port.translate import translate

HEAD = """import torch
from torch import nn


class Attention(nn.Module):
    def forward(self, x, context=None, scale=1.0):
        return x if context is None else x * scale + context


class Feed(nn.Module):
    def forward(self, x):
        return x * 2


class Wrap(nn.Module):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x, *args, **kwargs):
        return self.fn(x, *args, **kwargs) + x


"""
NET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = {made}

    def forward(self, x, y):
        return {call}
"""


def ported(made: str, call: str) -> Result:
    return translate(HEAD + NET.format(made=made, call=call), "torch2tf")


@pytest.mark.parametrize(("made", "call", "wanted"), [
    ("Wrap(Attention())", "self.a(x)", ["def call(self, x):", "return self.fn(x) + x"]),
    ("Wrap(Attention())", "self.a(x, context=y, scale=0.5)",
     ["def call(self, x, context=None, scale=1.0):", "return self.fn(x, context=context, scale=scale) + x"]),
    ("Wrap(Wrap(Attention()))", "self.a(x, context=y, scale=0.5)", ["def call(self, x, context=None, scale=1.0):"]),
])
def test_arguments_get_their_names(made: str, call: str, wanted: list[str]) -> None:
    result = ported(made, call)
    assert not result.findings and all(line in result.text for line in wanted), result.text


def test_tensors_alone_may_come_in_a_dict() -> None:
    text = ported("Wrap(Attention()) if True else Wrap(Feed())", "self.a(x, context=y)").text
    assert "def call(self, x, *args, **kwargs):" in text


def test_a_mixture_that_keras_refuses_is_refused() -> None:
    result = ported("Wrap(Attention()) if True else Wrap(Feed())", "self.a(x, context=y, scale=0.5)")
    found = [f for f in result.findings if f.outcome is Outcome.REFUSED]
    assert found and found[0].code == "P206" and "`**kwargs` carries the tensor `context`" in found[0].message


def test_a_mixture_is_refused_where_the_dict_is_read_as_well() -> None:
    reads = HEAD.replace("        return self.fn(x, *args, **kwargs) + x",
                         "        context = kwargs['context']\n        return self.fn(x, **kwargs) + context")
    assert reads != HEAD
    result = translate(reads + NET.format(made="Wrap(Attention())", call="self.a(x, context=y, scale=0.5)"), "torch2tf")
    assert "`**kwargs` carries the tensor `context` and `scale`" in "".join(f.message for f in result.findings)


def test_a_model_that_others_call_keeps_its_stars() -> None:
    text = translate(HEAD, "torch2tf").text
    assert "def call(self, x, *args, **kwargs):" in text


def test_a_dict_of_device_and_dtype_says_nothing_of_what_a_sequential_or_a_parameter_holds() -> None:
    text = oneline(translate("""import torch
from torch import nn


def block(width, device=None, dtype=None):
    dd = {"device": device, "dtype": dtype}
    return nn.Sequential(nn.Conv2d(3, width, 1, bias=False, **dd), nn.ReLU())


class Net(nn.Module):
    def __init__(self, width=8, device=None, dtype=None):
        super().__init__()
        dd = {"device": device, "dtype": dtype}
        self.block = block(width, **dd)
        self.scale = nn.Parameter(torch.zeros(width, **dd))

    def forward(self, x):
        return self.block(x).mean((2, 3)) * self.scale
""", "torch2tf").text)
    assert "layers.Conv2D(width, 1, use_bias=False, **default_init(3))" in text and "torch" not in text, text
    assert "self.add_weight(shape=(width,), initializer=\"zeros\", name=\"scale\")" in text
