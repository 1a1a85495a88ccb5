"""Activations and norms that are chosen: by a word or a class, from tables, at places with and without images."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify.parent import Case, Settings, verify

HEAD = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"
ACTIVATIONS = HEAD + '''class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad):
        return grad


def quick(x, inplace: bool = False):
    return x * torch.sigmoid(1.702 * x)


class Quick(nn.Module):
    """Of images and of tokens."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.inplace = inplace

    def forward(self, x):
        return quick(x, self.inplace)


class Hard(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu = nn.ReLU6(inplace=True)

    def forward(self, x):
        return x * self.relu(x + 3) / 6


class SwishModule(nn.Module):
    def __init__(self, inplace=False):
        super().__init__()

    def forward(self, x):
        return Swish.apply(x)


class Learned(nn.PReLU):
    def __init__(self, n=1, inplace=False):
        super().__init__(n)

    def forward(self, x):
        return F.prelu(x, self.weight)


TABLE = dict(relu=nn.ReLU, silu=nn.SiLU, quick=Quick, swish=SwishModule, learned=Learned)


def get_act(name="relu"):
    if name is None:
        return None
    if not isinstance(name, str):
        return name
    return TABLE[name.lower()]


def create_act(name, inplace=None, **kwargs):
    act = get_act(name)
    if act is None:
        return None
    if inplace is None:
        return act(**kwargs)
    try:
        return act(inplace=inplace, **kwargs)
    except TypeError:
        return act(**kwargs)


class Gate(nn.Module):
    def __init__(self, n, gate="quick"):
        super().__init__()
        self.conv = nn.Conv2d(n, n, 1)
        self.gate = create_act(gate)

    def forward(self, x):
        return x * self.gate(self.conv(x.mean((2, 3), keepdim=True)))


class Net(nn.Module):
    def __init__(self, act=nn.ReLU):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.act = create_act(act, inplace=True)
        self.hard = nn.Sequential(Hard(), nn.Conv2d(4, 5, 1), Quick())
        self.gate = Gate(5)
        self.fc = nn.Linear(5, 6)
        self.last = create_act("Quick")

    def forward(self, x):
        x = self.gate(self.hard(self.act(self.conv(x))))
        x = x.flatten(2).transpose(1, 2)
        return self.last(self.fc(x)) + quick(self.fc(x))
'''


def test_activations_of_images_and_of_tokens_take_both(tmp_path: Path) -> None:
    result = translate(ACTIVATIONS, "torch2tf")
    assert "Net(keras.Model)" in result.text and "Permute" not in result.text, result.text
    assert result.text.count("tf.transpose(") == 1  # where images arrive
    (tmp_path / "a.py").write_text(ACTIVATIONS)
    (tmp_path / "b.py").write_text(result.text)
    verdicts = verify(tmp_path / "a.py", tmp_path / "b.py", "torch2tf", [
        Case(call, ("f32[2,3,7,9]",)) for call in ("Net()", "Net('silu')", "Net(Quick)")], Settings(timeout=300))
    assert [v.status for v in verdicts] == ["verified"] * 3, verdicts


MIXING = HEAD + """class Act(nn.Module):
    def __init__(self, scale=2.0):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 1, 1))
        self.scale = scale

    def forward(self, x):
        return BODY


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.act = Act()

    def forward(self, x):
        return self.act(self.conv(x))
"""


@pytest.mark.parametrize("body", ["F.softmax(x, 1) * self.scale", "x * x.shape[1]", "x * self.weight",
                                  "x.flip(1)", "x - x.mean(1, keepdim=True)"])
def test_what_mixes_numbers_is_no_such_activation(body: str, tmp_path: Path) -> None:
    """Softmax over an axis, and a weight for each channel, need the axes as they are in the source, or another axis."""
    source = MIXING.replace("BODY", body)
    text = translate(source, "torch2tf").text
    (tmp_path / "a.py").write_text(source)
    (tmp_path / "b.py").write_text(text)
    verdict = verify(tmp_path / "a.py", tmp_path / "b.py", "torch2tf", [Case("Net()", ("f32[2,3,7,9]",))],
                     Settings(timeout=300))[0]
    assert verdict.status == "verified", text


NORMS = HEAD + '''FAST = False


def is_fast():
    return FAST


def set_fast(enable=True):
    global FAST
    FAST = enable


def fast_norm(x, shape, weight, bias, eps):
    return F.layer_norm(x.to(torch.get_autocast_gpu_dtype()), shape, weight, bias, eps)


class Norm(nn.LayerNorm):
    def __init__(self, channels, eps=1e-6, affine=True, **kwargs):
        super().__init__(channels, eps=eps, elementwise_affine=affine, **kwargs)
        self.fast = is_fast()
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        if self.fast:
            x = fast_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        else:
            x = F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return self.act(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 6)
        self.norm = Norm(6)

    def forward(self, x):
        return self.norm(self.fc(x))
'''


def test_words_that_nobody_passes_are_those_of_the_layer(tmp_path: Path) -> None:
    """`**kwargs` that go to a layer alone; a switch of the file that is off, as it is where it is asked."""
    result = translate(NORMS, "torch2tf")
    assert "def __init__(self, channels, eps=1e-6, affine=True, bias=True):" in result.text
    assert "            raise NotImplementedError(" in result.text and "x = self.norm(x)" in result.text
    (tmp_path / "a.py").write_text(NORMS)
    (tmp_path / "b.py").write_text(result.text)
    verdict = verify(tmp_path / "a.py", tmp_path / "b.py", "torch2tf", [Case("Net()", ("f32[2,5,4]",))],
                     Settings(timeout=300))[0]
    assert verdict.status == "verified", verdict
    on = translate(NORMS.replace("FAST = False", "FAST = True", 1), "torch2tf").text
    assert "class Norm(nn.LayerNorm):" in on


def test_sets_of_choices_and_questions_after_what_stays() -> None:
    source = HEAD + '''class Kept(nn.PReLU):
    pass


class Own(nn.Module):
    def forward(self, x):
        return torch.relu(x)


KINDS = {Own, Kept}


def is_kept(act):
    return isinstance(act, (Own, Kept)) or issubclass(type(act), Kept)


def known(kind):
    return kind in KINDS
'''
    result = translate(source, "torch2tf")
    assert 'KINDS = {Own, not_ported("Kept")}' in result.text, result.text
    assert "return isinstance(act, (Own, ())) or issubclass(type(act), ())" in result.text
    assert sum("nothing is one of these" in f.message for f in result.findings) == 2


def test_a_setting_of_something_unknown_is_no_choice_among_those_that_are_known() -> None:
    """`cfg.act` may be anything: as one more choice it had hidden the default behind `or`, and refused the module."""
    source = "from configs import load\n" + HEAD + '''def get_act(name):
    if not isinstance(name, str):
        return name
    return {"relu": nn.ReLU, "tanh": nn.Tanh}[name]


def other(name):
    return get_act(load(name).act)


class Net(nn.Module):
    def __init__(self, act=None):
        super().__init__()
        act = get_act(act) or nn.GELU
        self.conv = nn.Conv2d(3, 4, 3)
        self.act = act()
        self.last = nn.Conv2d(4, 5, 1)

    def forward(self, x):
        return self.last(self.act(self.conv(x)))


def word():
    return Net("relu")
'''
    text = translate(source, "torch2tf").text
    assert "Net(keras.Model)" in text and "self.last(self.act(self.conv(x)))" in text, text


TABLES = HEAD.replace("from torch import nn", "from torch import Tensor, nn") + '''class Shared(nn.Module):
    def __init__(self, n: int, dim: int):
        super().__init__()
        self.embed = nn.Embedding(n, dim)

    def forward(self, X: Tensor) -> Tensor:
        return self.embed(X) * 2


class Embedded(nn.Module):
    def __init__(self, columns=("a", "b"), shared=False):
        super().__init__()
        self.shared = shared
        self.columns = columns
        if shared:
            self.embed = nn.ModuleDict({"e_" + c: Shared(5, 3) for c in columns})
        else:
            self.embed = nn.Embedding(9, 3)

    def forward(self, X: Tensor) -> Tensor:
        if self.shared:
            parts = [self.embed["e_" + c](X[:, i].long()).unsqueeze(1) for i, c in enumerate(self.columns)]
            return torch.cat(parts, 1)
        return self.embed(X.long())
'''


@pytest.mark.parametrize("arguments", ["", "shared=True"])
def test_one_module_or_a_dict_of_them(tmp_path: Path, arguments: str) -> None:
    """What takes an element is said of the dict, and what calls it of the module: a setting says which it is."""
    result = translate(TABLES, "torch2tf")
    assert not [f for f in result.findings if f.outcome.needs_person], result.findings
    agree(tmp_path, TABLES, result.text, "torch2tf", [Case(f"Embedded({arguments})", ("f32(0,5)[4,2]",))])


FUNCTIONS = HEAD + '''def stable_softmax(t, dim=-1):
    t = t - torch.amax(t, dim=dim, keepdim=True).detach()
    return t.softmax(dim=dim)


class Attention(nn.Module):
    def __init__(self, dim=8, stable=False, mean=True):
        super().__init__()
        self.stable = stable
        self.to_qkv = nn.Linear(dim, dim * 3, bias=False)
        self.reduce = torch.mean if mean else torch.amax

    def forward(self, x):
        softmax = torch.softmax if not self.stable else stable_softmax
        q, k, v = self.to_qkv(x).chunk(3, dim=-1)
        dots = torch.einsum('bid,bjd->bij', q, k)
        return softmax(dots, dim=-1) @ v - self.reduce(x, 1, keepdim=True) + self.reduce(x * 2, -1).mean()
'''


@pytest.mark.parametrize("arguments", ["", "mean=False", "stable=True"])
def test_functions_that_a_setting_chooses_are_called_as_in_the_source(tmp_path: Path, arguments: str) -> None:
    """They are given names of PyTorch's settings, and not all of them by each call."""
    result = translate(FUNCTIONS, "torch2tf")
    assert not [f for f in result.findings if f.outcome.needs_person], result.findings
    assert "softmax = (lambda input, dim: tf.nn.softmax(input, axis=dim)) if not self.stable" in result.text
    assert "lambda input, dim, keepdim=False: tf.reduce_max(input, axis=dim, keepdims=keepdim)" in result.text
    agree(tmp_path, FUNCTIONS, result.text, "torch2tf", [Case(f"Attention({arguments})", ("f32[2,5,8]",))])


def test_a_function_that_is_called_otherwise_than_it_can_be_is_refused() -> None:
    source = HEAD + """class Pick(nn.Module):
    def __init__(self, sort=True):
        super().__init__()
        self.pick = torch.sort if sort else torch.topk

    def forward(self, x, **settings):
        return self.pick(x, 2, **settings)
"""
    assert "class Pick(nn.Module)" in translate(source, "torch2tf").text


HEADS = HEAD + '''class Head(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.fc = nn.Linear(4, classes)
        self.one = nn.Linear(4, 1)

    def forward(self, x):
        b, n, d = x.shape
        x = x.mean(1)
        return self.fc(x).squeeze(1), self.fc(x * 2).squeeze(-1), self.one(x).squeeze(-1)
'''


@pytest.mark.parametrize("call", ["Head()", "Head(1)"])
def test_features_of_which_a_setting_says_the_number_are_squeezed_if_it_is_one(tmp_path: Path, call: str) -> None:
    """PyTorch leaves an axis of another size where it is; TensorFlow raises."""
    text = translate(HEADS, "torch2tf").text
    assert "return squeeze(self.fc(x), 1), squeeze(self.fc(x * 2), -1), tf.squeeze(self.one(x), -1)" in text
    agree(tmp_path, HEADS, text, "torch2tf", [Case(call, ("f32[2,5,4]",))])


def test_one_of_two_kinds_of_layers_that_takes_images_does_not_say_what_a_block_is_given(tmp_path: Path) -> None:
    """A setting chooses 1x1 convolutions: without it the same lines work on sequences."""
    source = HEAD.replace("import torch\n", "import torch\nfrom functools import partial\n") + '''class Mlp(nn.Module):
    def __init__(self, dim, hidden, use_conv=False):
        super().__init__()
        make = partial(nn.Conv2d, kernel_size=1) if use_conv else nn.Linear
        self.fc1 = make(dim, hidden, bias=True)
        self.fc2 = make(hidden, dim, bias=False)

    def forward(self, x):
        return self.fc2(self.fc1(x).relu())


class Block(nn.Module):
    def __init__(self, dim, length):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.tokens = Mlp(length, 2 * length)

    def forward(self, x):
        return x + self.tokens(self.norm(x).transpose(1, 2)).transpose(1, 2)


class Net(nn.Module):
    def __init__(self, dim=6, length=5):
        super().__init__()
        self.blocks = nn.Sequential(*[Block(dim, length) for _ in range(2)])

    def forward(self, x):
        return self.blocks(x).mean(1)
'''
    agree(tmp_path, source, translate(source, "torch2tf").text, "torch2tf", [Case("Net()", ("f32[2,5,6]",))])


def test_stages_that_a_loop_adds_by_name_hold_norms_of_one_maker(tmp_path: Path) -> None:
    """One place gets a norm that images do not suit: all that `norm_layer` makes then keeps the source's axes."""
    source = HEAD + '''class Last(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        return self.norm(x.transpose(1, 3)).transpose(1, 3)


def block(a, b, norm_layer=None):
    norm_layer = norm_layer or nn.BatchNorm2d
    return nn.Sequential(*[
        nn.Conv2d(a, b, 3, padding=1),
        norm_layer(b),
    ])


class Block(nn.Module):
    def __init__(self, a, b, norm_layer):
        super().__init__()
        self.block = block(a, b, norm_layer)

    def forward(self, x):
        return self.block(x).relu()


def stages(norm_layer):
    found = []
    for i in range(2):
        found.append((f"layer{i + 1}", nn.Sequential(*[Block(3 if i == 0 else 8, 8, norm_layer) for _ in range(1)])))
    return found, 2


class Net(nn.Module):
    def __init__(self, norm_layer=nn.BatchNorm2d):
        super().__init__()
        made, self.count = stages(norm_layer)
        for stage in made:
            self.add_module(*stage)
        self.norm = norm_layer(8)
        self.last = nn.BatchNorm2d(8)

    def forward(self, x):
        x = self.norm(self.layer2(self.layer1(x)).relu())
        return self.last(x).mean((2, 3))


def make(last=False):
    return Net(Last) if last else Net()
'''
    result = translate(source, "torch2tf")
    assert "setattr(self, *stage)" in result.text and "channels_first(batch_norm, 2)" in result.text
    assert not [f for f in result.findings if f.outcome.value == "refused"]
    agree(tmp_path, source, result.text, "torch2tf", [Case("make()", ("f32[3,3,6,5]",)),
                                                      Case("make(True)", ("f32[3,3,6,5]",))])
