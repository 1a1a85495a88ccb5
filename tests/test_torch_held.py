"""Classes that inherit from a container or layer of torch.nn are read as classes that hold one."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, Settings, verify

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n"
BLOCKS = HEAD + '''
class ConvBlock(nn.Sequential):
    """A block."""

    def __init__(self, c, d, norm=nn.BatchNorm2d):
        layers = [nn.Conv2d(c, d, 3)]
        if norm is not None:
            layers.append(norm(d))
        super().__init__(*layers, nn.ReLU())
        self.out_channels = d


class Narrow(ConvBlock):
    def __init__(self, c):
        super(Narrow, self).__init__(c, 4)


class Pooled(nn.Sequential):
    def __init__(self, c):
        super().__init__()
        self.add_module("pool", nn.AdaptiveAvgPool2d(2))
        self.add_module("conv", nn.Conv2d(c, c, 1))

    def forward(self, x):
        y = x
        for part in self:
            y = part(y)
        return y.mean((2, 3), keepdim=True) + super().forward(x).sum() + len(self) * x


class Dense(nn.ModuleDict):
    def __init__(self, n):
        super().__init__()
        for i in range(n):
            self.add_module("l%d" % i, nn.Conv2d(4 * (i + 1), 4, 1))

    def forward(self, x):
        found = [x]
        for _, layer in self.items():
            found.append(layer(torch.cat(found, 1)))
        return torch.cat(found, 1)


class Same(nn.Conv2d):
    def __init__(self, a, b):
        super().__init__(in_channels=a, out_channels=b, kernel_size=3, padding=1)


class Norm(nn.LayerNorm):
    def forward(self, x):
        x = x.permute(0, 2, 3, 1)
        x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return x.permute(0, 3, 1, 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Narrow(3)
        self.pooled = Pooled(self.block.out_channels)
        self.dense = Dense(2)
        self.tail = nn.Sequential(Same(12, 5), Norm(5, eps=1e-3))

    def forward(self, x):
        return self.tail(self.dense(self.pooled(self.block(x))))
'''


SPACES = """

class Block(torch.nn.Sequential):
    def __init__(self, c, d, norm=nn.BatchNorm2d, conv=nn.Conv2d):
        layers = [conv(c, d, 3, padding=1, bias=norm is None)]
        if norm is not None:
            layers.append(norm(d))
        super().__init__(*layers)


class Block2(Block):
    def __init__(self, c, d, norm=nn.BatchNorm2d):
        super().__init__(c, d, norm, nn.Conv2d)


class Block3(Block):
    def __init__(self, c, d, norm=nn.BatchNorm3d):
        super().__init__(c, d, norm, nn.Conv3d)


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(Block2(3, 4), Block2(4, 5, norm=None))
        self.b = nn.Sequential(Block3(3, 4), nn.Tanh())
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x, y):
        return torch.flatten(self.pool(self.a(x)), 1), self.b(y)
"""


def test_one_base_of_blocks_over_two_and_three_axes() -> None:
    result = translate(HEAD + SPACES, "torch2tf")
    assert {f.code for f in result.findings} == {"P101"} and "__of_" not in result.text
    assert "class Block3(Block):" in result.text and "x = tf.transpose(x, [0, 2, 3, 1])  # NCHW" in result.text
    assert "y = tf.transpose(y, [0, 2, 3, 4, 1])  # NCDHW to NDHWC" in result.text


def test_a_base_that_would_need_two_forms_is_refused() -> None:
    text = (HEAD + SPACES).replace("super().__init__(*layers)\n", """super().__init__(*layers)

    def forward(self, x):
        return super().forward(x) + torch.ones(x.shape[-1])
""", 1)
    found = {f.message for f in translate(text, "torch2tf").findings}
    assert any("it uses `Block`" in m for m in found) and not any("__of_" in m for m in found)


def test_blocks_that_inherit_verify(tmp_path: Path) -> None:
    result = translate(BLOCKS + SPACES, "torch2tf")
    assert {f.code for f in result.findings} == {"P101"} and "torch" not in result.text
    (tmp_path / "a.py").write_text(BLOCKS + SPACES)
    (tmp_path / "b.py").write_text(result.text)
    cases = [Case("Net()", ("f32[2,3,7,6]",)), Case("Both()", ("f32[2,3,6,5]", "f32[2,3,4,4,6]"))]
    verdicts = verify(tmp_path / "a.py", tmp_path / "b.py", "torch2tf", cases, Settings(timeout=300))
    assert [v.status for v in verdicts] == ["verified"] * 2, verdicts


def test_a_norm_over_channels_is_the_layer() -> None:
    text = translate(HEAD + BLOCKS[BLOCKS.index("class Norm("):BLOCKS.index("class Net(")], "torch2tf").text
    assert "    def __init__(self, normalized_shape, eps=1e-05, elementwise_affine=True, bias=True):\n" in text
    assert "        x = self.norm(x)\n        return tf.transpose(x, [0, 3, 1, 2])  # NHWC to NCHW\n" in text


def test_zip_goes_through_the_parts_as_well() -> None:
    text = translate(HEAD + "class Stack(nn.Sequential):\n    def forward(self, x, scales):\n"
                     "        for part, scale in zip(self, scales):\n            x = part(x) * scale\n"
                     "        return x\n", "torch2tf").text
    assert "in zip(self.blocks.layers, scales):" in text


@pytest.mark.parametrize("use", ["self.block[0](x)", "len(self.block) * x", "[m(x) for m in self.block][0]",
                                 "[m(x) for m, _ in zip(self.block, 'ab')]",
                                 "nn.Sequential(*self.block)(x)", "list(self.block.children())[0](x)"])
def test_what_takes_such_a_module_apart_is_refused(use: str) -> None:
    text = BLOCKS[:BLOCKS.index("class Pooled")] + f'''
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Narrow(3)

    def forward(self, x):
        return {use}
'''
    result = translate(text, "torch2tf")
    assert "`self.block` is taken apart here" in "".join(f.message for f in result.findings)


def test_what_is_refused_stays_as_it_is_written() -> None:
    text = HEAD + "class A(nn.Sequential):\n    def forward(self, x):\n        return self[0](x.storage())\n"
    result = translate(text, "torch2tf")
    assert text.partition("class A")[2] in result.text and result.findings[0].line == 7
    kept = HEAD + "class A(nn.Conv2d, list):\n    pass\n"
    assert "a class that inherits from `torch.nn.Conv2d`" in translate(kept, "torch2tf").findings[0].message


def test_a_loop_goes_through_the_layers_of_a_sequential() -> None:
    text = HEAD + """
class A(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.Sequential(nn.Linear(3, 3), nn.Tanh())

    def forward(self, x):
        for i, part in enumerate(self.parts):
            x = part(x) * len(self.parts)
        return nn.Sequential(*self.parts)(x), [p(x) for p in self.parts]
"""
    result = translate(text, "torch2tf")
    assert not result.findings
    assert "in enumerate(self.parts.layers):" in result.text and "len(self.parts.layers)" in result.text
    assert "keras.Sequential(self.parts.layers)" in result.text and "for p in self.parts.layers]" in result.text


def test_permutes_do_not_shift_the_numbers_of_parts() -> None:
    text = HEAD + """
def build():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU())
    net[0].bias
    return net
"""
    assert "Permute layers" in "".join(f.message for f in translate(text, "torch2tf").findings)


def test_an_argument_taken_out_of_the_others_has_its_default() -> None:
    text = HEAD + """
class A(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.parts = nn.Sequential(nn.Conv2d(3, 4, 1), norm(4), nn.Conv2d(4, 4, 1))

    def forward(self, x):
        return self.parts(x)

def build(**kwargs):
    norm = kwargs.pop("norm", nn.BatchNorm2d)
    return A(norm, **kwargs)
"""
    result = translate(text, "torch2tf")
    assert {f.code for f in result.findings} == {"P101"} and 'kwargs.pop("norm", batch_norm)' in result.text


def test_what_a_loop_over_none_gives_says_nothing_of_other_calls() -> None:
    """`stems` is None so far: what its elements hold must not hide what the other callers pass."""
    text = HEAD + """
class Part(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.conv, self.act = nn.Conv2d(3, 3, 1), act()

    def forward(self, x):
        return self.act(self.conv(x))

class A(nn.Module):
    def __init__(self, stems=None):
        super().__init__()
        self.parts = nn.ModuleList([Part(nn.ReLU)])
        if stems is not None:
            for stem in stems:
                self.parts.append(Part(stem.act))

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x
"""
    result = translate(text, "torch2tf")
    assert not result.findings and "torch" not in result.text


PARTS = HEAD + '''
class Transition(nn.Sequential):
    def __init__(self, n):
        super().__init__()
        self.norm = nn.BatchNorm2d(n)
        self.relu = nn.ReLU(inplace=True)
        # then
        self.conv = nn.Conv2d(n, 4, 1, bias=False)


class Apart(nn.Sequential):
    def __init__(self, n):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(x)
'''


def test_attributes_of_a_sequential_are_its_parts() -> None:
    """PyTorch applies them, and the port left them out without a word."""
    text = translate(PARTS, "torch2tf").text
    assert ("self.blocks = keras.Sequential([layers.BatchNormalization(momentum=0.9, epsilon=1e-5), layers.ReLU()])\n"
            "        # then\n"
            "        self.blocks.add(layers.Conv2D(4, 1, use_bias=False, **default_init(n)))") in text
    assert "self.relu = layers.ReLU()" in text  # its own forward applies it


@pytest.mark.parametrize("base", ["nn.Sequential", "Transition"])
def test_attributes_that_are_parts_under_a_condition_are_refused(base: str) -> None:
    source = PARTS + f'''

class Either({base}):
    def __init__(self, n, act):
        super().__init__(n)
        if act:
            self.act = nn.ReLU()
'''
    found = [f for f in translate(source, "torch2tf").findings if f.code == "P206"]
    assert [f.message.split(":")[0] for f in found] == [
        "`self.act` is a part of the container that its class inherits from"]


def test_what_a_sequential_goes_through_under_another_name_and_a_module_does_not(tmp_path: Path) -> None:
    source = HEAD + '''
class Chain(nn.Sequential):
    def forward(self, *x):
        for module in self._modules.values():
            x = module(*x) if isinstance(x, tuple) else module(x)
        return x
'''
    result = translate(source, "torch2tf")
    assert "for module in self.blocks.layers:" in result.text or "for module in self.blocks" in result.text, result.text
    other = HEAD + '''
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)

    def forward(self, x):
        for module in self._modules.values():
            x = module(x)
        return x
'''
    assert any("`_modules` of a module has no counterpart" in f.message for f in translate(other, "torch2tf").findings)
