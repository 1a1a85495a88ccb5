"""Layout: what one place gives channels last reaches every other in the order that it takes."""

from __future__ import annotations

import pytest

from port.translate import translate

HEAD = """import torch
from einops import rearrange, reduce
from einops.layers.torch import Rearrange, Reduce
from torch import einsum, nn


"""


def port(text: str) -> str:
    return translate(HEAD + text, "torch2tf").text


def test_einsum_gets_the_axes_of_the_source() -> None:
    text = port('''class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.Sequential(Rearrange('b h i j -> b i j h'), nn.LayerNorm(4), Rearrange('b i j h -> b h i j'))

    def forward(self, x, v):
        x = self.norm(x)
        return einsum('b h i j, b h j d -> b h i d', x, v)
''')
    assert "tf.einsum('b h i j, b h j d -> b h i d', tf.transpose(x, [0, 3, 1, 2]), v)" in text


def test_permutes_around_a_layer_norm_cost_nothing() -> None:
    text = port('''class Block(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.conv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        x = self.conv(x)
        x = x.permute(0, 2, 3, 1)
        x = self.norm(x)
        return x.permute(0, 3, 1, 2)
''')
    body = text[text.index("def call"):]
    assert body.count("tf.transpose") == 2 and "# NCHW to NHWC" in body  # at the interface, none inside


def test_a_sequential_that_is_a_model_keeps_channels_first() -> None:
    text = port("net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\n")
    assert text.count("layers.Permute((2, 3, 1))") == 1 and text.count("layers.Permute((3, 1, 2))") == 1


def test_two_orders_of_axes_meet() -> None:
    text = port('''class N(nn.Module):
    def __init__(self, flag):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.flag = flag

    def forward(self, x, y):
        z = y.view(2, 4, 5, 6)
        if self.flag:
            z = self.conv(x)
        return z
''')
    assert "z = tf.transpose(z, [0, 3, 1, 2])" in text


@pytest.mark.parametrize("first", ["nn.Conv1d(7, 7, 1)", "nn.Linear(5, 5)"])
def test_modules_that_disagree_are_refused(first: str) -> None:
    result = translate(HEAD + f'''class P(nn.Module):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x):
        return self.fn(x)


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = P({first})
        self.b = P(nn.Linear(5, 5))

    def forward(self, x):
        b, n, d = x.shape
        return self.b(self.a(x))
''', "torch2tf")
    refused = [f for f in result.findings if f.code == "P209"]
    assert bool(refused) is first.startswith("nn.Conv1d")


@pytest.mark.parametrize(("pattern", "written"), [
    ("... h w -> ...", "b h w c -> b c"), ("b ... -> b", "b h w c -> b"), ("b c ... -> b c", "b h w c -> b c"),
    ("... h w -> ... (h w)", "b h w c -> b c (h w)"),
])
def test_an_ellipsis_of_einops_stands_for_the_axes_of_the_source(pattern: str, written: str) -> None:
    text = port(f"""class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)

    def forward(self, x):
        return reduce(self.conv(x), '{pattern}', 'mean')
""")
    assert f"reduce(self.conv(x), '{written}', 'mean')" in text


def test_an_ellipsis_in_a_layer_of_einops() -> None:
    text = port("""class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 6, 3), Reduce('... h w -> ...', 'mean'), nn.Linear(6, 4))

    def forward(self, x):
        return self.net(x)
""")
    assert "Reduce('b h w c -> b c', 'mean')" in text
