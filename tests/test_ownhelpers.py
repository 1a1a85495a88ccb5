"""What tf2torch writes, and people write as well: lazy modules, init functions, helpers. Read back as Keras has it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
from oneline import oneline

from port.findings import CATALOGUE
from port.imports import helper_source
from port.result import Result
from port.translate import translate

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"


def ported(body: str, *helpers: str) -> Result:
    texts = "\n\n\n".join(helper_source(name)[2].strip() for name in helpers)
    return translate(HEAD + texts + "\n\n\n" + body, "torch2tf", path="x.py")


def written(body: str, *helpers: str) -> str:
    result = ported(body, *helpers)
    assert not [f for f in result.findings if CATALOGUE[f.code].outcome.needs_person], result.findings
    return result.text


LAZY = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.LazyLinear(4)
        self.second = nn.LazyConv2d(8, 3, bias=False)

    def forward(self, x, image):
        return self.first(x), self.second(image)
"""


def test_lazy_modules_keep_torchs_distribution() -> None:
    result = ported(LAZY)
    scaling = 'initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")'
    assert f"layers.Dense(4, kernel_initializer={scaling})" in oneline(result.text)
    assert f"layers.Conv2D(8, 3, use_bias=False, kernel_initializer={scaling})" in oneline(result.text)
    said = [f.message for f in result.findings if "it starts at zero" in f.message]
    assert len(said) == 1  # of the one that has a bias


INIT = """
def init_weights(module):
    if isinstance(module, (nn.LazyLinear, nn.Linear)) and module.has_uninitialized_params():
        module.reset_parameters = lambda: init_weights(module)
        return
    if isinstance(module, (nn.LazyLinear, nn.Linear)):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LSTM):
        for name, param in module.named_parameters():
            if name.startswith('weight_ih'):
                nn.init.xavier_uniform_(param)
            elif 'weight' in name:
                nn.init.orthogonal_(param)
            else:
                nn.init.zeros_(param)
            if name.startswith('bias_ih'):
                nn.init.ones_(param.detach()[module.hidden_size:2 * module.hidden_size])
    elif isinstance(module, nn.MultiheadAttention):
        for weight in module.in_proj_weight.detach().chunk(3):
            nn.init.xavier_uniform_(weight)


def build(n):
    model = nn.Sequential(nn.Linear(3, n), nn.LazyLinear(n))
    model.apply(init_weights)
    return model
"""


def test_init_functions() -> None:
    text = written(INIT)
    assert "has_uninitialized_params" not in text
    assert "if isinstance(module, layers.Dense):" in text  # two modules, one layer
    assert "for cell in module._flatten_layers():\n            if isinstance(cell, layers.LSTMCell):" in text
    for line in ("kernel_initializer = initializers.GlorotUniform()", "bias_initializer = initializers.Zeros()",
                 "recurrent_initializer = initializers.Orthogonal()", "unit_forget_bias = True"):
        assert f"cell.{line}" in text
    assert "weights = [initializers.GlorotUniform()((module.embed_dim, module.embed_dim)) for _ in range(3)]" in text
    assert "keras.Sequential([layers.Dense(n), layers.Dense(n)])" in text  # init_weights sets all of it


@pytest.mark.parametrize(("old", "new"), [
    ("nn.init.zeros_(param)\n            if", "nn.init.normal_(param)\n            if"),  # a sum of two draws
    ("'weight' in name", "name.lower() == 'w'"), ("nn.init.orthogonal_(param)", "param.mul_(2)")])
def test_loops_that_are_not_understood(old: str, new: str) -> None:
    assert old in INIT
    found = [f for f in ported(INIT.replace(old, new)).findings if f.code == "P203"]
    assert found


def test_parameters_and_their_fans() -> None:
    text = written("""
class Net(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.w = nn.Parameter(nn.init.xavier_uniform_(torch.empty(a, b)))
        self.v = nn.Parameter(nn.init.kaiming_normal_(torch.empty(a, b)))
        self.u = nn.Parameter(nn.init.kaiming_normal_(torch.empty(a, b, 3)))
        self.t = nn.Parameter(keras_fans_(torch.empty((a, b, 3)), 'he_normal'))

    def forward(self, x):
        return x @ self.w
""", "keras_fans_")
    assert "initializer=initializers.GlorotUniform(), name='w'" in text
    assert "initializers.VarianceScaling(2.0, mode='fan_out'" in text  # (out, in) of torch is (in, out) for Keras
    assert "torch_fans(initializers.VarianceScaling(2.0, mode='fan_in'" in text
    assert "initializer='he_normal', name='t'" in text


HELPERS = [
    ("nn.Sequential(Permute(0, 3, 1, 2), nn.Conv2d(3, n, 3))", "Conv2D(n, 3"),
    ("nn.Sequential(Permute(0, 2, 1), nn.LayerNorm(n))", "Permute((2, 1))"),
    ("nn.Sequential(Reshape(4, n))", "layers.Reshape((4, n))"),
    ("nn.Sequential(Lambda(lambda x: x * 2))", "layers.Lambda(lambda x: x * 2)"),
    ("nn.Sequential(RNN(GRUCell(3, n, activation=F.relu), return_sequences=True))",
     'layers.GRU(n, activation="relu", return_sequences=True)'),
    ("nn.Sequential(RNN(StackedRNNCells(GRUCell(3, n), GRUCell(n, n))))",
     "layers.RNN(layers.StackedRNNCells([layers.GRUCell(n), layers.GRUCell(n)]))"),
    ("nn.Sequential(Bidirectional(RNN(GRUCell(3, n)), RNN(GRUCell(3, n), go_backwards=True), merge_mode='sum'))",
     "layers.Bidirectional(layers.GRU(n), merge_mode='sum')"),
    ("nn.Sequential(TimeDistributed(nn.ReLU()))", "layers.TimeDistributed(layers.ReLU())"),
    ("nn.Sequential(TimeDistributedSteps(nn.BatchNorm1d(n)))", "layers.TimeDistributed(layers.BatchNormalization("),
    ("nn.Sequential(Dropout(0.5, (None, 1, n)))", "layers.Dropout(0.5, (None, 1, n))"),
    ("nn.Sequential(GaussianNoise(0.1))", "layers.GaussianNoise(0.1)"),
    ("nn.Sequential(PReLU(1, 4))", "layers.PReLU(shared_axes=[1])"),
    ("nn.Sequential(Conv2dSame(3, n, 3, stride=2))", "padding=\"same\""),
]


@pytest.mark.parametrize(("source", "expected"), HELPERS)
def test_helper_modules(source: str, expected: str) -> None:
    names = [n for n in ("Permute", "Reshape", "Lambda", "RNN", "GRUCell", "StackedRNNCells", "Bidirectional", "PReLU",
                         "TimeDistributed", "TimeDistributedSteps", "Dropout", "GaussianNoise", "same_padding",
                         "Conv2dSame")
             if n in source or (n == "same_padding" and "Same" in source)]
    text = written(f"def build(n):\n    return {source}\n", *names)
    assert expected in text
    assert "import torch" not in text


def test_functions_of_helpers() -> None:
    text = written("""
def f(x, y):
    pooled = F.max_pool2d(F.pad(x, same_padding(x, (3, 3), (2, 2)), value=-math.inf), (3, 3), stride=(2, 2))
    return pooled, dot([y, y], axes=[2, 2])
""", "same_padding", "dot")
    assert 'tf.nn.max_pool2d(x, (3, 3), (2, 2), padding="SAME")' in text
    assert "layers.dot([y, y], axes=[2, 2])" in text


def test_a_model_that_grows_keeps_its_interface() -> None:
    """A Sequential that starts with a convolution takes channels first, however it is filled."""
    text = written("""
def build(n):
    model = nn.Sequential()
    model.append(nn.Conv2d(3, n, 3))
    model.append(nn.Flatten())
    return model
""")
    assert "keras.Sequential([layers.Permute((2, 3, 1))])" in text
    refused = ported("def build(n):\n    model = nn.Sequential()\n    model.append(nn.Conv2d(3, n, 3))\n"
                     "    return model\n")
    assert [f.code for f in refused.findings if CATALOGUE[f.code].outcome.needs_person] == ["P209"]


def test_exchanged_axes_are_no_channels() -> None:
    """`x.permute(0, 2, 1)` beside x: x keeps its axes."""
    text = written("""
class Mix(nn.Module):
    def __init__(self, n, m):
        super().__init__()
        self.norm, self.mix = nn.LayerNorm(m), nn.Linear(n, n)

    def forward(self, x):
        y = self.mix(self.norm(x).permute(0, 2, 1)).permute(0, 2, 1)
        return x + y
""")
    assert text.count("tf.transpose") == 2


CHECK = """
import keras, numpy as np
x = keras.ops.convert_to_tensor(np.arange(24.0).reshape(2, 4, 3))
mask = np.array([[0, 1, 0, 1], [1, 1, 1, 0]], bool)
data, lengths = pack_masked(x, mask)
assert np.array(lengths).tolist() == [2, 3]
for i in range(2):
    assert np.array_equal(np.array(data)[i, :lengths[i]], np.array(x)[i][mask[i]])
drawn = np.array(torch_fans(keras.initializers.HeNormal(seed=1))((200, 50, 4), "float64"))
assert drawn.shape == (200, 50, 4) and abs(drawn.std() / (2 / 200) ** 0.5 - 1) < 0.02, drawn.std()
assert correct_pad(np.zeros((1, 7, 8, 3)), 3) == [[0, 0], [1, 1], [0, 1], [0, 0]]
"""


@pytest.mark.skipif(not find_spec("tensorflow"), reason="needs TensorFlow")
def test_helpers_compute() -> None:
    texts = [helper_source(n, "keras")[2] for n in ("PackedSequence", "pack_masked", "torch_fans", "correct_pad")]
    script = "import collections, keras\n" + "\n\n".join(texts) + CHECK
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
