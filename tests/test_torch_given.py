"""What modules are given: lists of tensors, settings, parts by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from port.translate import translate
from port.verify.parent import Case, Settings, verify
from tests.proving import agree

HEAD = "from collections import OrderedDict\nimport torch\nfrom torch import Tensor, nn\n\n\n"
DENSE = HEAD + '''class _Layer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.conv = nn.Conv2d(n, 4, 1)

    def joined(self, inputs: list[Tensor]) -> Tensor:
        return self.conv(torch.cat(inputs, 1))

    def apart(self, found: list[Tensor]) -> Tensor:
        def closure(*inputs):
            return self.joined(inputs)

        return closure(*found)

    @torch.jit._overload_method
    def forward(self, x: list[Tensor]) -> Tensor:
        pass

    def forward(self, x: Tensor, times: int = 1) -> Tensor:
        found = [x] if isinstance(x, Tensor) else x
        return self.joined(found) * times


class _Block(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layers_ = nn.ModuleList([_Layer(n), _Layer(n + 4)])

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.layers_:
            features.append(layer(features, 2))
        return torch.cat(features, 1)


class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, n, 1), _Block(n), nn.ReLU())

    def forward(self, x):
        return self.features(x)
'''


def test_lists_of_tensors_have_one_order_of_axes() -> None:
    """A method that nobody calls passed something unknown, and the axes of the others were taken for the source's."""
    text = translate(DENSE, "torch2tf").text
    assert "return self.conv(tf.concat(inputs, axis=-1))" in text
    assert "# port: P209 some tensors in `inputs`" in text and text.count("def call(") == 3
    assert "found = [x] if tf.is_tensor(x) else x" in text


def test_settings_have_keywords_and_private_classes_names() -> None:
    """Keras' layers take nothing but tensors without a keyword, and TensorFlow no scope that begins with `_`."""
    text = translate(DENSE, "torch2tf").text
    assert "features.append(layer(features, times=2))" in text
    assert "super().__init__(name=f\"layer_{keras.backend.get_uid('layer')}\")" in text


def test_dense_block_verifies(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(DENSE)
    (tmp_path / "b.py").write_text(translate(DENSE, "torch2tf").text)
    case = Case("Net(3)", ("f32[2,3,5,7]",))
    verdict = verify(tmp_path / "a.py", tmp_path / "b.py", "torch2tf", [case], Settings())[0]
    assert verdict.status == "verified", verdict.message


def test_a_list_of_the_other_order_is_refused() -> None:
    source = HEAD + '''class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def total(self, found):
        return torch.stack(found).sum((0, 2))

    def forward(self, x, y):
        return self.total([self.conv(x)]) + self.total([y, y])
'''
    done = translate(source, "torch2tf")
    assert "P209" in {f.code for f in done.findings} or "axis=(0, 2)" not in done.text


NAMED = HEAD + '''class Net(nn.Module):
    def __init__(self, dim, pre=None):
        super().__init__()
        self.dim = dim
        held = OrderedDict()
        if pre is not None:
            held["pre"] = nn.Linear(dim, pre)
        held["head"] = nn.Linear(dim if pre is None else pre, 2)
        self.heads = nn.Sequential(held)
        self.stem = nn.Sequential(OrderedDict([("first", nn.Linear(dim, dim)), ("act", nn.Tanh())]))
        if hasattr(self.heads, "pre"):
            nn.init.normal_(self.heads.pre.weight, std=self.heads.pre.in_features ** -0.5)
        nn.init.zeros_(self.heads.head.bias)

    def forward(self, x):
        return self.heads(self.stem.first(x))
'''


def test_parts_of_a_sequential_by_name() -> None:
    text = translate(NAMED, "torch2tf").text
    assert 'if ("pre" in held):' in text or 'if "pre" in held:' in text
    assert 'held["pre"].kernel_initializer = initializers.RandomNormal(stddev=dim ** -0.5)' in text
    assert 'held["head"].bias_initializer = initializers.Zeros()' in text
    assert "self.heads(self.stem.layers[0](x))" in text


def test_parts_by_name_outside_of_where_the_dict_is_are_refused() -> None:
    source = NAMED.replace("self.stem.first(x)", "self.stem.first(x) if hasattr(self.heads, 'pre') else x")
    assert [f.message.split(" of ")[0] for f in translate(source, "torch2tf").findings if f.code == "P206"] == [
        "`hasattr(self.heads, 'pre')` takes a part"]


@pytest.mark.parametrize(("value", "turned"), [("x * 2", False), ("torch.bmm(x, x)", True)])
def test_a_sequential_of_a_dict_filled_in_a_loop_has_its_children(value: str, turned: bool) -> None:
    """It had none, and they got another order of axes than they take, without a finding."""
    source = HEAD + f'''class Part(nn.Module):
    def forward(self, x):
        return {value}


class Net(nn.Module):
    def __init__(self, n):
        super().__init__()
        held = OrderedDict()
        for i in range(n):
            held[f"part_{{i}}"] = Part()
        self.conv = nn.Conv1d(3, 4, 1)
        self.parts = nn.Sequential(held)

    def forward(self, x):
        return self.parts(self.conv(x))
'''
    done = translate(source, "torch2tf")
    assert "class Part(layers.Layer)" in done.text  # some code here applies it
    found = {f.message for f in done.findings}
    assert (found == {"a module of this list needs another order of axes than the one before it gives"}) is turned


def test_a_part_of_a_bias_has_its_own_initial_value() -> None:
    source = HEAD + '''class Net(nn.Module):
    def __init__(self, n, bias=True):
        super().__init__()
        self.qkv = nn.Linear(n, 3 * n, bias=bias)
        if bias:
            length = self.qkv.bias.numel() // 3
            self.qkv.bias[length : 2 * length].data.zero_()

    def forward(self, x):
        return self.qkv(x)
'''
    text = translate(source, "torch2tf").text
    assert "length = self.qkv.units // 3" in text
    assert ("self.qkv.bias_initializer = part_of( self.qkv.bias_initializer, np.s_[length : 2 * length], "
            "initializers.Zeros() )") in " ".join(text.split())


SUBLAYER = '''import torch
from torch import nn


class AddNorm(nn.Module):
    def __init__(self, dim, activation):
        super().__init__()
        self.norm = nn.LayerNorm(dim)

    def forward(self, x, sublayer, activation):
        return self.norm(x + activation(sublayer(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(6, 6)
        self.add = AddNorm(6, None)

    def forward(self, x):
        return self.add(x, self.inner, torch.tanh)
'''


def test_modules_and_functions_are_handed_to_a_module_by_name(tmp_path: Path) -> None:
    result = translate(SUBLAYER, "torch2tf")
    assert "self.add(x, sublayer=self.inner, activation=tf.tanh)" in result.text
    agree(tmp_path, SUBLAYER, result.text, "torch2tf", [Case("Net()", ("f32[2,5,6]",))])
