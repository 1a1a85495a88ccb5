"""Initial values: the Keras port of a PyTorch module starts from torch's distributions."""

import json
import os
import subprocess
import sys
import textwrap
from operator import itemgetter
from pathlib import Path

import pytest

from port.findings import Outcome
from port.result import Options
from port.translate import translate

HERE = Path(__file__).parent
HEAD = """
import math
import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
"""
# name: (lines of __init__, further methods, forward's body, shape of x; 'i' for whole numbers)
CASES = {
    "dense": ("self.a = nn.Linear(300, 210)\nself.b = nn.Linear(210, 90, bias=False)", "", "return self.b(self.a(x))",
              "2,300"),
    "conv": ("self.a = nn.Conv2d(30, 40, 5, groups=2, padding=2)\nself.b = nn.ConvTranspose2d(40, 24, 4, 2, 1)", "",
             "return self.b(self.a(x))", "1,30,6,6"),
    "embedding": ("self.a = nn.Embedding(500, 60)\nself.b = nn.Embedding(500, 70, padding_idx=3)", "",
                  "return self.a(x), self.b(x)", "i2,3"),
    "lstm": ("self.a = nn.LSTM(40, 64, num_layers=2, bidirectional=True)", "", "return self.a(x)[0]", "3,2,40"),
    "gru": ("self.a = nn.GRU(40, 64)", "", "return self.a(x)[0]", "3,2,40"),
    "cell": ("self.a = nn.LSTMCell(40, 64)", "", "return self.a(x)[0]", "3,40"),
    "attention": ("self.a = nn.MultiheadAttention(64, 4)", "", "return self.a(x, x, x)[0]", "3,2,64"),
    "encoder": ("self.a = nn.TransformerEncoderLayer(64, 4, 200)", "", "return self.a(x)", "3,2,64"),
    "parameters": ("self.a = nn.Parameter(torch.randn(30, 41) * 0.02)\nself.b = nn.Parameter(torch.rand(1300))\n"
                   "self.c = nn.Parameter(torch.full((7, 1), 0.3))\nself.d = nn.Parameter(torch.empty(40, 31, 3))\n"
                   "self.e = nn.Parameter(torch.zeros(1, 5, 50))\nself.g = nn.Parameter(torch.tensor(0.5))\n"
                   "nn.init.kaiming_uniform_(self.d, a=math.sqrt(5))\nnn.init.trunc_normal_(self.e, std=0.02)", "",
                   "return x * self.g + self.b.sum() + self.a.sum() + self.c.sum() + self.d.sum() + self.e.sum()",
                   "2,3"),
    "own layers": ("self.a = nn.Linear(300, 80)\nself.b = nn.Linear(80, 120)\n"
                   "self.c = nn.Conv2d(12, 30, 5, padding=1)\n"
                   "self.d = nn.Linear(30, 200)\nself.e = nn.BatchNorm2d(30)\n"
                   "nn.init.xavier_normal_(self.a.weight, gain=nn.init.calculate_gain('tanh'))\n"
                   "nn.init.constant_(self.a.bias, 0.25)\nnn.init.orthogonal_(self.b.weight, gain=2)\n"
                   "nn.init.kaiming_normal_(self.c.weight, mode='fan_out', nonlinearity='relu')\n"
                   "nn.init.trunc_normal_(self.d.weight)\nself.d.bias.data.uniform_(-0.5, 0.1)\n"
                   "nn.init.constant_(self.e.weight, 0.0)", "",
                   "return self.b(self.a(x)), self.d(self.e(self.c(x.reshape(2, 12, 5, 5))).mean((2, 3)))", "2,300"),
    "loop": ("self.a = nn.Sequential(nn.Conv2d(12, 30, 5, 2, 2), nn.BatchNorm2d(30), nn.ReLU())\n"
             "self.b = nn.Linear(30, 200)\n"
             "for m in self.modules():\n    if isinstance(m, (nn.Conv2d, nn.Linear)):\n"
             "        nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')\n"
             "        if m.bias is not None:\n            nn.init.zeros_(m.bias)\n"
             "    elif isinstance(m, nn.BatchNorm2d):\n        nn.init.constant_(m.weight, 0.5)", "",
             "return self.b(self.a(x).mean((2, 3)))", "2,12,6,6"),
    "weight norm": ("self.a = nn.utils.weight_norm(nn.Conv1d(30, 40, 5))\n"
                    "self.b = nn.utils.parametrizations.weight_norm(nn.Linear(40, 90))\n"
                    "for m in self.modules():\n    if isinstance(m, nn.Conv1d):\n"
                    "        m.weight.data.normal_(0, 3.0)\n        nn.init.constant_(m.bias, 0.25)", "",
                    "return self.b(self.a(x).mean(2))", "2,30,9"),
    "apply": ("self.a = nn.Linear(300, 200)\nself.b = nn.Embedding(11, 300)\nself.apply(self.start)",
              "def start(self, m):\n    if isinstance(m, nn.Linear):\n"
              "        m.weight.data.normal_(mean=0.0, std=0.02)\n        if m.bias is not None:\n"
              "            m.bias.data.zero_()\n    elif isinstance(m, nn.Embedding):\n"
              "        nn.init.uniform_(m.weight, -0.1, 0.3)", "return self.a(self.b(x))", "i2,3"),
    "names": ("self.a = nn.Conv2d(12, 30, 5)\nself.b = nn.BatchNorm2d(30)\nself.c = nn.Linear(30, 77)\n"
              "self.apply(self.start)",
              "def start(self, m):\n    classname = m.__class__.__name__\n    if classname.find('Conv') != -1:\n"
              "        nn.init.normal_(m.weight.data, 0.0, 0.02)\n    elif classname.find('BatchNorm') != -1:\n"
              "        nn.init.normal_(m.weight.data, 1.0, 0.02)\n        nn.init.constant_(m.bias.data, 0)\n"
              "    elif classname.find('Linear') != -1:\n        nn.init.xavier_uniform_(m.weight, gain=0.5)",
              "return self.c(self.b(self.a(x)).mean((2, 3)))", "2,12,6,6"),
    "own in loops": ("self.a = nn.Parameter(torch.Tensor(90, 40))\nself.b = nn.Parameter(torch.Tensor(3, 70, 31))\n"
                     "self.c = nn.Parameter(torch.Tensor(4, 50, 2))\nself.d = nn.Parameter(torch.Tensor(700))\n"
                     "for t in [self.c, self.d]:\n    nn.init.uniform_(t, -0.3, 0.1)\n"
                     "for t in [self.a]:\n    nn.init.xavier_normal_(t)\n"
                     "for i in range(self.b.shape[0]):\n    nn.init.kaiming_normal_(self.b[i], nonlinearity='relu')\n"
                     "for w in [self.c]:\n    nn.init.zeros_(w[0])", "",
                     "return x + self.a.sum() + self.b.sum() + self.c.sum() + self.d.sum()", "2,3"),
    "own parameters": ("self.a = nn.Parameter(torch.Tensor(90, 40))\nself.b = nn.Parameter(torch.Tensor(70))\n"
                       "for t in self.parameters():\n    nn.init.normal_(t, mean=0.1, std=0.05)", "",
                       "return x + self.a.sum() + self.b.sum()", "2,3"),
    "ends of names": ("self.a = nn.Linear(60, 200)\nself.out = nn.Linear(200, 90)\nself.last = nn.Linear(90, 80)\n"
                      "for name, p in self.named_parameters():\n"
                      "    if name.endswith('out.weight') or name.endswith('last.weight'):\n"
                      "        nn.init.normal_(p, mean=0.0, std=0.3)\n"
                      "    elif name.endswith('out.bias'):\n        nn.init.constant_(p, 0.5)", "",
                      "return self.last(self.out(self.a(x)))", "2,60"),
    "list": ("self.a = nn.ModuleList([nn.Linear(60, 200), nn.Linear(200, 90, bias=False)])\n"
             "for name, p in self.a.named_parameters():\n    if 'weight' in name:\n"
             "        nn.init.normal_(p, mean=0, std=0.3)\n    else:\n        nn.init.constant_(p, 0.5)", "",
             "for layer in self.a:\n    x = layer(x)\nreturn x", "2,60"),
}


def source(name):
    lines, methods, body, shape = CASES[name]
    indent = lambda text, n: "".join(f"{' ' * n}{ln}\n" for ln in text.splitlines())  # noqa: E731
    unpack = ", ".join(f"n{i}" for i in range(shape.count(",") + 1))
    forward = f"    def forward(self, x):\n        {unpack} = x.shape\n{indent(body, 8)}"
    return f"{HEAD}{indent(lines, 8)}\n{indent(methods, 4)}\n{forward}"


def child(side, folder):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, HERE / "torch_initial_child.py", side, folder], env=env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def differences(want, got):
    """What is not the same distribution; weights are paired by size and spread."""
    if sorted(w[0] for w in want) != sorted(g[0] for g in got):
        return f"sizes {sorted(w[0] for w in want)} and {sorted(g[0] for g in got)}"
    by = itemgetter(0, 2)
    for w, g in zip(sorted(want, key=by), sorted(got, key=by), strict=True):
        size, mean, std, low, high, bounded = w
        loose = 0.02 + 4 / size ** 0.5
        if abs(mean - g[1]) > 6 * std / size ** 0.5 + 1e-7 or abs(std - g[2]) > loose * std + 1e-7:
            return f"{w} and {g}"
        if bounded and size > 500 and max(abs(low - g[3]), abs(high - g[4])) > 0.05 * (high - low) + 1e-7:
            return f"bounds: {w} and {g}"
    return ""


@pytest.mark.parametrize("target", ["tf", "keras"])
def test_every_module_starts_as_in_torch(target, tmp_path):
    pytest.importorskip("keras")
    pytest.importorskip("torch")
    (tmp_path / "torch").mkdir()
    (tmp_path / "keras").mkdir()
    refused = {}
    for name in CASES:
        result = translate(source(name), "torch2tf", Options(target=target))
        bad = [f.message for f in result.findings if f.outcome.needs_person]
        if bad:
            refused[name] = bad
        shape = f"# {CASES[name][3]}\n"
        (tmp_path / "torch" / f"{name}.py").write_text(shape + source(name))
        (tmp_path / "keras" / f"{name}.py").write_text(shape + result.text)
    assert not refused
    torch, keras = child("torch", tmp_path / "torch"), child("keras", tmp_path / "keras")
    off = {name: found for name in torch if (found := differences(torch[name], keras[name]))}
    assert not off


def test_framework_leaves_what_a_walk_sets_besides() -> None:
    """The walk had been left out, and `rate` kept what it was, without a finding."""
    text = translate("""import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3)
        self.rate = 0.5
        self.apply(self._values)
        self.apply(self._rates)

    def _values(self, m):
        if isinstance(m, nn.Linear):
            nn.init.normal_(m.weight, std=0.02)

    def _rates(self, m):
        if isinstance(m, Net):
            m.rate = 0.25

    def forward(self, x):
        return self.fc(x) * self.rate
""", "torch2tf", Options(init="framework")).text
    assert "self._rates(module)" in text and "self._values(module)" not in text


def test_framework_leaves_keras_defaults():
    text = translate(source("dense"), "torch2tf", Options(init="framework")).text
    assert "init" not in text.replace("__init__", "")
    assert "initializer" not in translate(source("loop"), "torch2tf", Options(init="framework")).text


def test_a_parameter_with_the_value_of_a_function() -> None:
    """Its shape shows when the value is computed."""
    text = translate(HEAD + """        self.a = nn.Parameter(table(5), requires_grad=False)

    def forward(self, x):
        return x + self.a


def table(n):
    return torch.arange(n) / n
""", "torch2tf").text
    assert "keras.Variable(table(5), dtype=self.variable_dtype, trainable=False, name=\"a\")" in text


def test_a_bias_that_exists() -> None:
    """Before Keras makes the weights of a layer, its setting tells whether there will be a bias."""
    text = translate(HEAD + """        self.a = nn.Linear(4, 5)
        self.apply(self.init)

    def forward(self, x):
        return self.a(x)

    @staticmethod
    def init(m):
        if isinstance(m, nn.Linear) and exists(m.bias):
            nn.init.constant_(m.bias, 0.5)


def exists(value):
    return value is not None
""", "torch2tf").text
    assert "if isinstance(m, layers.Dense) and m.use_bias:" in text


OWN_ATTRIBUTE = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 5, padding=1)
        self.conv.stddev = 0.01
        self.fc = nn.Linear(4, 5)
        for m in self.modules():
            if isinstance(m, nn.Conv2d) or isinstance(m, nn.Linear):
                stddev = float(m.stddev) if hasattr(m, "stddev") else 0.1
                nn.init.normal_(m.weight, std=stddev)

    def forward(self, x):
        return self.fc(self.conv(x).mean([2, 3]))
"""


def test_an_attribute_of_the_users_own_is_set_to_the_layer_that_initialisers_reach() -> None:
    result = translate(OWN_ATTRIBUTE, "torch2tf")
    assert not [f for f in result.findings if f.outcome is Outcome.REFUSED]
    assert "self.conv.layers[-1].stddev = 0.01" in result.text
    assert 'stddev = float(m.stddev) if hasattr(m, "stddev") else 0.1' in result.text


@pytest.mark.parametrize("name", ["weight", "kernel", "units", "running_mean"])
def test_an_attribute_that_either_framework_has_is_refused(name: str) -> None:
    result = translate(OWN_ATTRIBUTE.replace("self.conv.stddev", f"self.conv.{name}"), "torch2tf")
    assert any("is a weight of a layer" in f.message for f in result.findings)


GPT = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok, self.norm, self.head = nn.Embedding(5, 4), nn.LayerNorm(4), nn.Linear(4, 5)
        self.apply(self._init)

    def _init(self, m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            m.weight.data.normal_(mean=0.0, std=0.02)
            if isinstance(m, nn.Linear) and m.bias is not None:
                m.bias.data.zero_()

    def forward(self, x):
        return self.head(self.norm(self.tok(x)))
"""


def test_a_weight_that_keras_names_by_the_kind_of_layer_is_set_by_kind() -> None:
    result = translate(GPT, "torch2tf")
    assert not result.findings
    head = "if isinstance(m, (layers.Dense, layers.Embedding)):\n            if isinstance(m, layers.Dense):\n"
    assert head in result.text
    assert "else:\n                m.embeddings_initializer = initializers.RandomNormal(mean=0.0, stddev=0.02)" in (
        result.text)
    names = {}
    exec(compile(result.text, "port", "exec"), names)
    net = names["Net"]()
    assert net.tok.embeddings_initializer.stddev == net.head.kernel_initializer.stddev == 0.02


def test_a_buffer_of_a_setting_is_of_the_models_float() -> None:
    """Its default says that it is floats."""
    text = translate("import torch\nfrom torch import nn\n\n\nclass A(nn.Module):\n"
                     "    def __init__(self, mean=(0.4, 0.5)):\n"
                     "        super().__init__()\n        self.register_buffer('mean', torch.tensor(mean))\n\n"
                     "    def forward(self, x):\n        return x - self.mean\n", "torch2tf").text
    assert "self.mean = tf.constant(mean, self.compute_dtype)" in text


@pytest.mark.parametrize("test", ["'out' in name", "name.startswith('out')", "name.endswith('.weight')", "p.dim() > 1"])
def test_parameters_that_their_names_do_not_tell_start_from_defaults_and_that_is_said(test):
    text = source("list").partition("self.a = ")[0].rstrip(" ")
    text += "        self.out = nn.Linear(6, 5)\n        for name, p in self.named_parameters():\n"
    text += f"            if {test}:\n                nn.init.normal_(p, std=0.3)\n\n"
    text += "    def forward(self, x):\n        return self.out(x)\n"
    found = translate(text, "torch2tf").findings
    assert [f.code for f in found] == ["P101"] and "initial values are left out" in found[0].message


@pytest.mark.parametrize("lines", [
    # an attention of PyTorch has a part of this name too
    "self.out_proj = nn.Linear(6, 6)\nself.attn = nn.MultiheadAttention(6, 2)\n{loop}",
    # the weight of another layer stands in its place
    "self.tok = nn.Embedding(6, 6)\nself.out_proj = nn.Linear(6, 6, bias=False)\n"
    "self.out_proj.weight = self.tok.weight\n{loop}"])
def test_parameters_that_others_have_too_start_from_defaults_and_that_is_said(lines):
    loop = ("for name, p in self.named_parameters():\n    if name.endswith('out_proj.weight'):\n"
            "        nn.init.normal_(p, std=0.3)")
    text = HEAD + textwrap.indent(lines.format(loop=loop), " " * 8) + (
        "\n\n    def forward(self, x):\n        return self.out_proj(x)\n")
    found = [f for f in translate(text, "torch2tf").findings if "initial values are left out" in f.message]
    assert [f.code for f in found] == ["P101"]


def test_a_walk_over_parameters_that_freezes_some_is_not_left_out():
    lines = "self.a = nn.Linear(6, 6)\nfor name, p in self.named_parameters():\n    if 'b' in name:\n"
    text = HEAD + textwrap.indent(lines + "        p.requires_grad_(False)\n", " " * 8) + (
        "\n    def forward(self, x):\n        return self.a(x)\n")
    assert [f.code for f in translate(text, "torch2tf").findings] == ["P203"]
