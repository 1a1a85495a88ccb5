"""Float32 that the user's files write is float64 in the float64 run of verify."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from proving import agree

from port.translate import translate
from port.verify import user, widened
from port.verify.parent import Case

WIDE = {
    "import torch\ny = x.float() + x.to(torch.float32) + x.to(dtype=torch.float)":
        "import torch\ny = x.double() + x.to(torch.float64) + x.to(dtype=torch.float64)",
    "import torch as th\ny = th.zeros(3, dtype=th.float)": "import torch as th\ny = th.zeros(3, dtype=th.float64)",
    "from torch import float32, FloatTensor as T": "from torch import float64 as float32, DoubleTensor as T",
    "y = tf.cast(x, 'float32') * tf.constant(0.1, tf.float32)":
        "y = tf.cast(x, 'float64') * tf.constant(0.1, tf.float64)",
    "y = layers.Dense(3, dtype='float32')(x)": "y = layers.Dense(3, dtype='float64')(x)",
    "t = np.arange(3).astype('float32') + np.array(v, dtype=np.float32)":
        "t = np.arange(3).astype('float64') + np.array(v, dtype=np.float64)",
    "def f(x, dtype='float32'): pass": "def f(x, dtype='float64'): pass",
}
LEFT = ["import torch\nlow = torch.finfo(torch.float32).min", "n = float(x)", "x = reader.float()", "name = 'float32'",
        "import torch\nlog('float32')", "y = x.float16"]


@pytest.mark.parametrize(("text", "wanted"), WIDE.items())
def test_float32_is_widened(text: str, wanted: str) -> None:
    tree = ast.parse(text)
    assert widened.widen(tree)
    assert ast.unparse(tree) == ast.unparse(ast.parse(wanted))


@pytest.mark.parametrize("text", LEFT)
def test_what_is_no_dtype_of_the_model_stays(text: str) -> None:
    tree = ast.parse(text)
    assert not widened.widen(tree)
    assert ast.unparse(tree) == ast.unparse(ast.parse(text))


def test_files_beside_it_are_widened_too_and_only_for_float64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "beside.py").write_text("import numpy as np\nKIND = np.float32\n")
    (tmp_path / "case.py").write_text("import numpy as np\nfrom beside import KIND\nMINE = np.float32\n")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    for dtype in ("float64", "float32", "float64"):
        module = user.load(tmp_path / "case.py", dtype)
        assert {module.KIND.__name__, module.MINE.__name__} == {dtype}


LANGUAGE = '''
import torch
from torch import nn


class Rotary(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.register_buffer("rates", 1.0 / (10000.0 ** (torch.arange(0, dim, 2).float() / dim)))

    def forward(self, count, device=None):
        angles = torch.outer(torch.arange(count, device=device, dtype=self.rates.dtype), self.rates)
        return torch.cat((angles, angles), dim=-1).cos()


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x, mask=None):
        wide = x.float()
        y = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)).type_as(x) * self.weight
        return y if mask is None else y * mask


class Net(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.rotary, self.norm, self.out = Rotary(dim), Norm(dim), nn.Linear(dim, 3)

    def forward(self, x, mask=None):
        return self.out(self.norm(x, mask) * self.rotary(x.shape[1], x.device))
'''


def test_casts_to_float_do_not_round_the_float64_run(tmp_path: Path) -> None:
    """Tables and norms that are computed `.float()`, as in language models; what is no tensor is given by name."""
    text = translate(LANGUAGE, "torch2tf").text
    assert "self.norm(x, mask=mask)" in text and "self.rotary(count=keras.ops.shape(x)[1], device=x.device)" in text
    agree(tmp_path, LANGUAGE, text, "torch2tf", [Case("Net()", ("f32[2,5,8]",))])


GRAPH = '''
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 8)

    def forward(self, x):
        return F.gelu(self.fc(x.float()))
'''


def test_constants_inside_tf_function_are_widened_as_those_outside_are(tmp_path: Path) -> None:
    """TensorFlow's gelu makes one of a number of Python's."""
    agree(tmp_path, GRAPH, translate(GRAPH, "torch2tf").text, "torch2tf", [Case("Net()", ("f32[2,4]",))])
