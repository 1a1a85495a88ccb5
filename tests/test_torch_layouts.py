"""Layout: what one place gives channels last reaches every other in the order that it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from oneline import oneline

from port.findings import Outcome
from port.translate import translate
from port.verify.parent import Case
from tests.proving import agree

HEAD = """import torch
from einops import rearrange, reduce
from einops.layers.torch import Rearrange, Reduce
from torch import einsum, nn


"""


def port(text: str) -> str:
    return oneline(translate(HEAD + text, "torch2tf").text)


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


def test_axes_that_a_pattern_adds_are_not_channels_moved() -> None:
    text = port('''class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)
        self.position = nn.Parameter(torch.randn(16))

    def forward(self, x):
        position = rearrange(self.position, '(h w) -> () () h w', h = 4)
        return self.conv(x) + position
''')
    assert "+ tf.transpose(position, [0, 2, 3, 1])" in text


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


MEETING = '''class P(nn.Module):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x):
        return self.fn(x)


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = P(FIRST)
        self.b = P(nn.Linear(5, 5))

    def forward(self, x):
        b, n, d = x.shape
        return self.b(self.a(x))
'''
CONV = "layers.Conv1D(7, 1, **default_init(7))"


@pytest.mark.parametrize(("first", "written"), [
    ("nn.Linear(5, 5)", "P(layers.Dense(5, **default_init(5)))"),
    ("nn.Conv1d(7, 7, 1)", f"P(keras.Sequential([layers.Permute((2, 1)), {CONV}, layers.Permute((2, 1))]))"),
    ("nn.Sequential(nn.Conv1d(7, 7, 1), nn.ReLU())",
     f"P(keras.Sequential([layers.Permute((2, 1)), {CONV}, layers.ReLU(), layers.Permute((2, 1))]))"),
])
def test_a_module_that_meets_others_keeps_the_axes_of_the_source(first: str, written: str) -> None:
    text = port(MEETING.replace("FIRST", first))
    assert f"self.a = {written}" in text and "tf.transpose" not in text


def test_what_makes_such_modules_keeps_the_axes_as_well() -> None:
    text = port("""from functools import partial


def mix(dim, dense=nn.Linear):
    return nn.Sequential(dense(dim, dim), nn.GELU(), dense(dim, dim))


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = mix(7, partial(nn.Conv1d, kernel_size=1))
        self.b = mix(5)

    def forward(self, x):
        b, n, d = x.shape
        return self.b(self.a(x))
""")
    assert "self.a = mix(7, partial(channels_first(conv1d, 1), kernel_size=1))" in text and "tf.transpose" not in text


def test_modules_of_the_file_that_meet_give_the_axes_of_the_source() -> None:
    text = port("""class A(nn.Module):
    def forward(self, x):
        return x.mean(-1)


class B(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        return self.conv(x.sum(-1))


class Q(nn.Module):
    def __init__(self, flag):
        super().__init__()
        chosen = A if flag else B
        self.fn = chosen()

    def forward(self, x):
        b, c, h, w, d = x.shape
        return self.fn(x) + x[..., 0]
""")
    given = "return tf.transpose(self.conv(tf.transpose(tf.reduce_sum(x, axis=-1), [0, 2, 3, 1])), [0, 3, 1, 2])"
    assert given in text, text


def test_a_choice_in_a_sequential_is_given_channels_last_if_one_of_it_takes_them() -> None:
    text = port("""class A(nn.Module):
    def __init__(self, down):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 6), nn.AvgPool2d(2) if down else nn.Identity(), nn.BatchNorm2d(3))

    def forward(self, x):
        return self.net(x)
""")
    assert text.count("layers.Permute((2, 3, 1))") == 1 and "layers.Permute((2, 3, 1)), layers.AveragePooling2D" in text


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


@pytest.mark.parametrize(("pattern", "more"), [("h d -> h () d", "h w d -> (h w) d"),
                                               ("a b c d e f -> a b (c d) (e f)", "a b c d -> a (b c d)")])
def test_a_pattern_that_adds_or_joins_axes_keeps_the_order(pattern: str, more: str) -> None:
    text = port(f"""class A(nn.Module):
    def forward(self, x):
        y = rearrange(x, '{pattern}')
        return rearrange(y, '{more}')
""")
    assert f"rearrange(y, '{more}')" in text and "tf.transpose" not in text


def test_f_unfold_takes_what_a_convolution_gives() -> None:
    text = port("""import torch.nn.functional as F


class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return F.unfold(self.conv(x), 3, padding=1)
""")
    assert "return unfold(self.conv(x), 3, padding=1)" in text


UNKNOWN = {  # what is handed in, or imported, may take and give either order of axes
    "a child of a Sequential": ("self.net = nn.Sequential(nn.Conv2d(c, c, 3), act)", "return self.net(x)"),
    "a module": ("self.act = act\n        self.c = nn.Conv2d(c, c, 1)", "return self.act(self.c(x))"),
    "a module before": ("self.act = act\n        self.c = nn.Conv2d(c, c, 1)",
                        "x = self.act(x)\n        return self.c(x)"),
    "a function": ("self.c = nn.Conv2d(c, c, 1)", "return self.c(helper(x))"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_what_is_not_known_gets_no_channels_last(what: str) -> None:
    made, body = UNKNOWN[what]
    result = translate(HEAD + f"""from other import helper


class A(nn.Module):
    def __init__(self, c, act):
        super().__init__()
        {made}

    def forward(self, x):
        {body}
""", "torch2tf")
    code = "P201" if what == "a function" else "P204"  # of a package that is not read
    assert [f.code for f in result.findings if f.outcome is Outcome.REFUSED] == [code]


def test_a_class_that_is_passed_makes_modules_that_are_known() -> None:
    """Read first with its default alone, None, which nobody calls."""
    text = port('''class A(nn.Module):
    def __init__(self, c, act=None):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(c, c, 3), nn.Identity() if act is None else act(), nn.MaxPool2d(2))

    def forward(self, x):
        return self.net(x)


class B(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = A(3, nn.ReLU)

    def forward(self, x):
        return self.a(x)
''')
    assert "Permute" not in text and "layers.Identity() if act is None else act(), layers.MaxPooling2D(2)" in text


def test_a_parameter_that_is_transposed_before_a_convolution_stays_as_it_is() -> None:
    text = port("""class Conv(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.conv = nn.Sequential(nn.Conv1d(dim, dim, 3), nn.GLU(dim=1))

    def forward(self, x):
        x = self.norm(x)
        x = x.transpose(1, 2)
        x = self.conv(x)
        return x.transpose(1, 2)


class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.layer = Conv(dim)

    def forward(self, x):
        return self.layer(x.transpose(0, 1)).transpose(0, 1)
""")
    assert "x = self.norm(x)\n        x = self.conv(x)\n        return x\n" in text, text


def test_a_shape_that_is_unpacked_with_other_values() -> None:
    """It says how many axes there are, and what the values behind it are."""
    text = port('''class A(nn.Module):
    def forward(self, x):
        b, n, d, dtype = *x.shape, x.dtype
        return rearrange(x, '... d -> d ...').mean(0), torch.arange(n).type(dtype)
''')
    assert "tf.cast(tf.range(n, dtype=tf.int64), dtype)" in text or "tf.range(n, dtype=dtype)" in text


def test_a_number_that_is_whole_by_its_default_makes_whole_numbers() -> None:
    text = port('''class A(nn.Module):
    def __init__(self, size=7):
        super().__init__()
        self.size = size

    def forward(self, x):
        return torch.arange(self.size) * torch.tensor([2 * self.size - 1])
''')
    assert "tf.range(self.size, dtype=tf.int64) * tf.constant([2 * self.size - 1], tf.int64)" in text


def test_what_may_be_a_variable_becomes_a_tensor_for_einops() -> None:
    text = port("""class A(nn.Module):
    def __init__(self, causal):
        super().__init__()
        self.bias = nn.Parameter(torch.ones(4, 6))
        self.causal = causal

    def forward(self, x):
        bias = self.bias
        if self.causal:
            bias = bias[:, :3]
        return x + rearrange(bias, 'h n -> () h n ()') + rearrange(self.bias, 'h n -> n h')
""")
    assert "rearrange(tf.convert_to_tensor(bias), 'h n -> () h n ()')" in text
    assert "rearrange(self.bias.value, 'h n -> n h')" in text


def test_a_list_whose_modules_need_other_axes_than_they_get_is_refused() -> None:
    """No Permute can be put between the elements of a list that is built step by step."""
    text = translate("""
import torch
from torch import nn
from einops.layers.torch import Rearrange


class Mix(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.one = nn.Linear(dim, dim)

    def forward(self, x):
        return self.one(x) + x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        steps = [nn.Unfold(3, padding=1), Rearrange("b c n -> b n c")]
        steps.append(Mix(36))
        self.steps = nn.Sequential(*steps)

    def forward(self, x):
        return self.steps(x)


def build():
    return Mix(36)
""", "torch2tf")
    assert any("needs another order of axes" in f.message for f in text.findings), text.text


SELECT = '''class Select(nn.Module):
    def __init__(self, kind='avg', size=1, flatten=False):
        super().__init__()
        if kind == 'fast':
            self.pool = Mean(flatten)
        elif kind == 'max':
            self.pool = nn.AdaptiveMaxPool2d(size)
        else:
            self.pool = nn.AdaptiveAvgPool2d(size)
        self.flatten = nn.Flatten(1) if flatten and kind != 'fast' else nn.Identity()

    def forward(self, x):
        return self.flatten(self.pool(x))


class Mean(nn.Module):
    def __init__(self, flatten):
        super().__init__()
        self.flatten = flatten

    def forward(self, x):
        return x.mean((2, 3), keepdim=not self.flatten)
'''


def test_modules_of_which_one_flattens_get_the_axes_of_the_source() -> None:
    result = translate(HEAD + SELECT, "torch2tf")
    text = oneline(result.text)
    assert not [f for f in result.findings if f.outcome is Outcome.REFUSED], result.findings
    assert ("self.pool = keras.Sequential([layers.Permute((2, 3, 1)), "
            "layers.Lambda(lambda x: adaptive_pool(x, size, 'max')), layers.Permute((3, 1, 2))])") in text
    assert "layers.Flatten() if flatten and kind != 'fast' else layers.Identity()" in text
    assert "return self.flatten(self.pool(x))" in text


def test_each_path_of_an_elif_gets_the_axes_of_the_source() -> None:
    text = port('''class A(nn.Module):
    def __init__(self, kind=0):
        super().__init__()
        self.kind = kind
        self.proj = nn.Conv2d(3, 4, 2)

    def forward(self, x):
        x = self.proj(x)
        if self.kind == 0:
            x = x.flatten(2).transpose(1, 2)
        elif self.kind == 1:
            x = x.relu()
        elif self.kind == 2:
            raise ValueError(self.kind)
        return x * 2
''')
    back = "x = tf.transpose(x, [0, 3, 1, 2])\n"
    assert f"x = tf.nn.relu(x)\n            {back}        elif self.kind == 2:" in text, text
    assert f"raise ValueError(self.kind)\n        else:\n            {back}        return x * 2" in text, text


def test_what_one_of_several_unknown_things_gives_is_not_mixed_with_channels_last() -> None:
    """A function or a module, as the turn says: nobody knows what it gives, and the next turn takes it."""
    result = translate(HEAD + """class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        y = torch.matmul(x, x)
        z = self.conv(x)
        for f in [lambda t: t * 2., self.conv]:
            z = f(z)
        return z + y
""", "torch2tf")
    assert [f.code for f in result.findings if f.outcome is Outcome.REFUSED] == ["P209"]


STRAIGHT = '''import torch
from torch import nn


class Mlp(nn.Sequential):
    def __init__(self, n, hidden):
        super().__init__(nn.Linear(n, hidden), nn.ReLU(), nn.Linear(hidden, n))


class Mixer(nn.Module):
    """Along the positions of a sequence that has channels first."""

    def __init__(self, channels=3, length=6):
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, padding=1)
        self.mlp = Mlp(length, 5)

    def forward(self, x):
        x = self.conv(x)
        return x + self.mlp(x)


class Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.norm = nn.LayerNorm(n)
        self.mlp = Mlp(n, 2 * n)

    def forward(self, x: torch.Tensor):
        torch._assert(x.dim() == 3, "a sequence")
        return x + self.mlp(self.norm(x))


class Tokens(nn.Module):
    def __init__(self, n=4):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(n) for _ in range(2)])

    def forward(self, x: torch.Tensor):
        torch._assert(x.dim() == 3, "a sequence")
        return self.blocks(x)
'''


def test_one_caller_with_channels_last_does_not_turn_what_works_along_the_last_axis(tmp_path: Path) -> None:
    """A Linear takes the last axis of the source: the caller turns its tensor, not the module that holds it."""
    result = translate(STRAIGHT, "torch2tf")
    assert not result.findings
    assert "self.mlp(tf.transpose(x, [0, 2, 1]))" in result.text
    assert "return x + self.mlp(self.norm(x))" in result.text
    cases = [Case("Mixer()", ("f32[2,3,6]",)), Case("Tokens()", ("f32[2,3,4]",))]
    agree(tmp_path, STRAIGHT, result.text, "torch2tf", cases)


def test_a_base_class_that_applies_its_objects_makes_them_no_parts(tmp_path: Path) -> None:
    """`self(x)` in a class above took the model for a block of another one: it lost its permutes, silently."""
    source = """import torch
from torch import nn


class Base(nn.Module):
    def score(self, x):
        return self(x)


class Net(Base):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x)
"""
    result = translate(source, "torch2tf")
    assert not result.findings and "# NHWC to NCHW" in result.text
    agree(tmp_path, source, result.text, "torch2tf", [Case("Net()", ("f32[2,3,7,9]",))])


ABOVE = """import torch
from torch import nn


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, x):
        return self.conv(x)


class Twice(Base):
    def forward(self, x):
        return super().forward(x) * 2
"""


def test_a_model_that_another_model_inherits_from_is_one_as_well(tmp_path: Path) -> None:
    """`super().forward(x)` took the class above for a block: its objects lost their permutes, silently."""
    result = translate(ABOVE, "torch2tf")
    assert not result.findings and "return super().call(x) * 2" in result.text
    cases = [Case(f"{name}()", ("f32[2,3,7,9]",)) for name in ("Base", "Twice")]
    agree(tmp_path, ABOVE, result.text, "torch2tf", cases)


def test_blocks_and_what_they_inherit_from_keep_channels_last(tmp_path: Path) -> None:
    source = ABOVE + """

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Twice()
        self.b = Twice()

    def forward(self, x):
        return self.b(self.a(x))
"""
    text = translate(source, "torch2tf").text
    assert text.count("tf.transpose(") == 2
    agree(tmp_path, source, text, "torch2tf", [Case("Net()", ("f32[2,3,7,9]",))])
