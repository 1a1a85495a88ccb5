"""What a parameter is: told by how it is used."""

from __future__ import annotations

import pytest

from port.facts import tensor
from port.translate import translate

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


def test_an_attribute_that_is_called_like_a_method_is_no_proof_of_a_tensor() -> None:
    result = translate(HEAD + """class Head(nn.Module):
    def __init__(self, body):
        super().__init__()
        dim = body.dim
        self.fc = nn.Linear(dim, body.size)

    def forward(self, x):
        return self.fc(x)
""", "torch2tf")
    assert not result.findings and "dim = body.dim" in result.text


@pytest.mark.parametrize(("call", "written"), [
    ("F.interpolate(x, x.shape[-1] // 2, mode='bilinear')", "(x.shape[2] // 2,) * 2"),
    ("F.adaptive_avg_pool2d(x, x.shape[-1] // 2)", "(x.shape[2] // 2,) * 2"),
])
def test_one_size_stands_for_all_axes(call: str, written: str) -> None:
    given = {"x": tensor((2, 3, 8, 8), "float")}
    result = translate(HEAD + f"def f(x):\n    return {call}\n", "torch2tf", params=given)
    assert written in result.text and not result.findings, result.text


def test_a_number_that_a_range_ends_with_is_whole() -> None:
    result = translate(HEAD + """class Grid(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = torch.arange(size) * torch.tensor([2 * size - 1])
""", "torch2tf")
    assert "tf.range(size, dtype=tf.int64) * tf.constant([2 * size - 1], tf.int64)" in result.text


def test_what_arithmetic_makes_of_parameters_has_methods_of_tensors() -> None:
    """`.pow` of a number there is none: it was left as it stood, and failed when it was run."""
    result = translate("import torch\n\n\ndef loss(a, b, margin: float = 0.5):\n"
                       "    return ((a - b[:, 0]).pow(2).sum(1) - margin).mean()\n", "torch2tf")
    assert not result.findings
    assert "tf.reduce_mean(tf.reduce_sum(tf.pow(a - b[:, 0], 2), axis=1) - margin)" in result.text


def test_what_a_module_is_given_is_a_tensor_in_every_method() -> None:
    result = translate("from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
                       "        super().__init__()\n        self.conv = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\n"
                       "        self.head = nn.Conv2d(4, 2, 1)\n\n    def encode(self, x):\n"
                       "        return self.head(self.conv(x))\n\n    def forward(self, x):\n"
                       "        return self.conv(x)\n", "torch2tf")
    assert not result.findings
    assert "def encode(self, x):\n        x = tf.transpose(x, [0, 2, 3, 1])" in result.text


def test_the_rank_of_glu() -> None:
    result = translate("from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n"
                       "        super().__init__()\n        self.a = nn.Conv1d(3, 8, 1)\n"
                       "        self.b = nn.Conv1d(4, 2, 1)\n\n"
                       "    def forward(self, x):\n        return self.b(nn.functional.glu(self.a(x), dim=1))\n",
                       "torch2tf")
    assert not result.findings and "keras.ops.glu(" in result.text


def test_a_codebook_that_is_only_read_has_its_weight_at_once() -> None:
    """Keras makes weights at the first call, and nothing calls it."""
    text = ("from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
            "        self.codes = nn.Embedding(7, 4)\n        self.words = nn.Embedding(7, 4)\n"
            "        self.depth = 3\n\n"
            "    def forward(self, x):\n        return self.words(x) @ self.codes.weight.t() @ self.words.weight\n")
    made = translate(text, "torch2tf").text
    assert "self.depth = 3\n        self.codes.build(None)\n" in made and made.count(".build(") == 1
    covered = text + ("\n\ndef start(m):\n    if isinstance(m, nn.Embedding):\n"
                      "        nn.init.normal_(m.weight, 0, 2)\n"
                      "\n\nclass Root(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                      "        self.net = Net()\n        self.apply(start)\n\n    def forward(self, x):\n"
                      "        return self.net(x)\n")
    result = translate(covered, "torch2tf")
    assert any(f.code == "P206" and "set from outside" in f.message for f in result.findings)


@pytest.mark.parametrize("number", [
    "math.log(self.theta) / (half - 1)", "-(math.log(self.theta) / 3)", "half / 3", "math.sqrt(half)", "-float(half)",
])
def test_a_range_that_meets_a_fraction_is_made_of_floats(number: str) -> None:
    result = translate("import math\n" + HEAD + f"""class Waves(nn.Module):
    def __init__(self, dim, theta=10000):
        super().__init__()
        self.dim, self.theta = dim, theta

    def forward(self, x):
        half = self.dim // 2
        step = {number}
        return torch.exp(torch.arange(half) * step) + x
""", "torch2tf")
    assert "tf.exp(tf.range(half, dtype=self.compute_dtype) * step)" in result.text and not result.findings, result.text


def test_a_range_that_meets_a_whole_number_of_math_stays_whole() -> None:
    result = translate("import math\n" + HEAD + """class Steps(nn.Module):
    def forward(self, x):
        return x + torch.arange(4) * math.ceil(2.5)
""", "torch2tf")
    assert "tf.range(4, dtype=tf.int64) * math.ceil(2.5)" in result.text, result.text


@pytest.mark.parametrize(("call", "written"), [
    ("F.linear(x, w, b)", "linear(x, w, b)"), ("F.layer_norm(x, (4,), w, b)", "weight=w, bias=b"),
    ("F.conv2d(x, w, b)", "add_bias(keras.ops.conv("), ("F.rms_norm(x, (4,), b, 1e-6)", "rms_norm(x, b, 1e-6)"),
    ("F.cross_entropy(x, w, b)", "weight=b"),
])
@pytest.mark.parametrize("head", ["x, w: Tensor, b: Optional[Tensor] = None", "x, w, b=None"])
def test_a_tensor_that_may_be_left_out_is_passed_on(call: str, written: str, head: str) -> None:
    """The bias of swin transformers was lost without a finding: what may be None was taken for None."""
    source = f"from typing import Optional\nfrom torch import Tensor\n{HEAD}def f({head}):\n    return {call}\n\n\n" \
        "def g(x, w):\n    return f(x, w), f(x, w, torch.ones(4))\n"
    result = translate(source, "torch2tf", params={"x": tensor((2, 4, 8, 8), "float"), "w": tensor((4, 4), "float")})
    assert written in result.text and not result.findings, result.text


@pytest.mark.parametrize(("question", "answer"), [
    ("'silu' in dir(torch.nn.functional)", "True"), ("hasattr(F, 'scaled_dot_product_attention')", "True"),
    ("hasattr(torch, 'unheard_of')", "False"), ("getattr(torch, 'compiler', None)", "None"),
    ("getattr(getattr(torch, 'compiler', None), 'disable', 3)", "3"),
])
def test_whether_torch_has_a_function_is_answered_by_what_the_port_has(question: str, answer: str) -> None:
    source = f"found = {question}\n\n\ndef f(x):\n    return torch.relu(x) if found else x\n"
    result = translate(HEAD + source, "torch2tf")
    assert f"found = {answer}\n" in result.text and not result.findings, result.text


def test_classes_that_the_port_writes_are_there_and_others_are_not_taken_for_missing() -> None:
    """`nn.GELU if hasattr(nn, "GELU") else GELU_` became the approximation of the fallback, without a finding."""
    text = "kind = nn.{0} if hasattr(nn, '{0}') else nn.ReLU\n"
    known = translate(HEAD + text.format("GELU"), "torch2tf")
    assert '(lambda: layers.Activation("gelu")) if True else layers.ReLU' in known.text
    other = translate(HEAD + "found = hasattr(nn, 'CTCLoss')\n\n\ndef f(x):\n    return torch.relu(x)\n", "torch2tf")
    assert "found = hasattr(nn, 'CTCLoss')\n" in other.text and other.findings


def test_a_function_that_keras_lacks_is_taken_for_missing_and_told() -> None:
    source = "found = hasattr(torch, 'combinations')\n\n\ndef f(x):\n    return torch.relu(x)\n"
    result = translate(HEAD + source, "torch2tf")
    assert "found = False\n" in result.text and [f.code for f in result.findings] == ["P103"]


def test_a_choice_by_what_torch_has_is_known() -> None:
    result = translate(HEAD + """has = 'silu' in dir(F)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.act = nn.SiLU() if has else unknown()

    def forward(self, x):
        return self.act(x)
""", "torch2tf")
    assert "layers.Activation('silu')" in result.text and not result.findings, result.text


def test_a_hint_of_torch_that_is_subscripted_is_a_hint_of_python() -> None:
    """`object[bool]` raised where the class was read: timm could not be imported."""
    result = translate(HEAD + """class Net(nn.Module):
    fused: torch.jit.Final[bool]
    sizes: torch.jit.Final[list[int]]
    parts: nn.ModuleList[nn.Linear]

    def forward(self, x):
        return torch.relu(x)
""", "torch2tf")
    assert "    fused: bool\n    sizes: list[int]\n    parts: list\n" in result.text, result.text


def test_what_a_dict_with_a_default_holds_is_what_its_factory_makes() -> None:
    """`add` of a set is no `add` of a tensor; what is appended to its lists is known."""
    text = translate("""
from collections import defaultdict
import torch
from torch import nn

KNOWN = defaultdict(set)


def register(name, f):
    KNOWN[name].add(f)
    return f


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x, kind):
        found = defaultdict(list)
        found[kind].append(self.conv(x))
        return torch.cat(found[kind], 1)
""", "torch2tf").text
    assert "KNOWN[name].add(f)" in text and "port:" not in text
    assert "axis=-1" in text  # channels last
