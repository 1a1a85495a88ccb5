"""Every module of torch.nn that has a writer gives torch's numbers: outputs, gradients, updated buffers."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from oneline import oneline
from torch_layer_cases import GROUPS, RESIDUE, cases

from port.facts import tensor
from port.result import Options
from port.torch2tf import layers
from port.torch2tf.layer_signatures import signatures
from port.translate import translate

HERE = Path(__file__).parent


SOURCE = """
import torch
import torch.nn.functional as F
from torch import nn


class Case(nn.Module):
    def __init__(self):
        super().__init__()
        {before}
        self.layer = {source}

    def forward(self, x{more}{keywords}):
        {seed}
        return self.layer(x{more}{passed})
"""


def source_of(source, flags, inputs, call):
    """A module around one layer; '~': behind one that wants channels last."""
    rank = len(inputs[0][1])
    more = "".join(f", x{i}" for i in range(1, len(inputs)))
    names = sorted(ast.literal_eval(re.sub(r"[tb]\[[^]]*\]", "0", call or "{}")))
    turned = "~" in flags
    sizes = "".join(f"n{i}, " for i in range(rank)).strip()  # tells the rank
    return SOURCE.format(before=f"self.before = nn.ZeroPad{rank - 2}d(0)" if turned else "self.number = 0",
                         source=source, more=more, keywords="".join(f", {n}=None" for n in names),
                         passed="".join(f", {n}={n}" for n in names),
                         seed=f"{sizes} = x.shape" + "; x = self.before(x)" * turned if rank else "pass")


def ported(source, flags, inputs, call, target):
    """Text of the Keras model."""
    facts = {f"x{i or ''}": tensor(tuple(shape), "int64" if kind[0] == "i" else "float")
             for i, (kind, shape) in enumerate(inputs)}
    result = translate(source_of(source, flags, inputs, call), "torch2tf", Options(target=target), params=facts)
    bad = [f.message for f in result.findings if f.outcome.needs_person]
    assert not bad, f"{source}: {bad}"
    assert target == "tf" or not re.search(r"(?<![.\w])tf\.", result.text), result.text
    return result.text


def written(source):
    """The layers that stand for one call."""
    result = translate(source_of(source, set(), [("f", ())], ""), "torch2tf")
    bad = [f.message for f in result.findings if f.outcome.needs_person]
    found = re.search(r"self\.layer = (.*)", oneline(result.text))
    return bad or found.group(1)


def child(side, folder, dtype):
    env = {**os.environ, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, HERE / "torch_layer_child.py", side, folder, dtype], env=env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return np.load(f"{folder}/{side}.npz")


def unbiased(case, old, new):
    """The declared divergence: torch's running variance is n / (n - 1) times what Keras adds."""
    found = re.search(r"momentum=([0-9.]+)", case["source"])
    momentum = float(found.group(1)) if found else 0.1
    shape = case["inputs"][0][1]
    n = np.prod(shape) / shape[1]
    return old * (1 - momentum) + (new - old * (1 - momentum)) * n / (n - 1)


def worst(i, case, ref, got):
    """(relative error, key) of the number that is furthest off."""
    found = (0.0, "")
    for key in (k for k in ref if k.startswith(f"{i}/") and not k.startswith(f"{i}/w")):
        if key not in got or ref[key].shape != got[key].shape:
            return 9.0, f"{key}: {ref[key].shape}, {got[key].shape if key in got else 'missing'}"
        want, value = ref[key], got[key]
        if key.endswith("running_var"):
            value = unbiased(case, ref[key.replace("/buffer/", "/w/")], value)
        error = np.abs(want - value).max(initial=0) / max(1.0, np.abs(want).max(initial=0))
        if not error <= found[0]:
            found = (error, key)
    return found


@pytest.mark.parametrize("target", ["tf", "keras"])
@pytest.mark.parametrize("group", GROUPS)
def test_layers_give_the_numbers_of_torch(group, target, tmp_path):
    pytest.importorskip("keras")
    pytest.importorskip("torch")
    dtype = "float32" if group == "pools_3d" else "float64"
    found = [{"source": source, "keras": ported(source, flags, inputs, call, target), "inputs": inputs, "call": call,
              "modes": ["infer"] if "e" in flags else ["infer", "train"]}
             for source, flags, inputs, call in cases(group)]
    (tmp_path / "cases.json").write_text(json.dumps(found))
    ref, got = child("torch", tmp_path, dtype), child("keras", tmp_path, dtype)
    off = []
    for i, case in enumerate(found):
        if f"{i}/fault" in got:
            off.append(f"{case['source']}: {got[f'{i}/fault']}")
            continue
        error, key = worst(i, case, ref, got)
        limit = next((v for k, v in RESIDUE.items() if case["source"].startswith(k)), 1e-9)
        if not error <= (limit if dtype == "float64" else 1e-5):
            off.append(f"{case['source']}: {error:.2e} at {key}")
    assert not off, "\n".join(off)


def test_every_writer_is_proven():
    """A class of torch.nn with a writer has a case, and the other way round."""
    shown = {source.partition("(")[0] for group in GROUPS for source, *_ in cases(group)}
    missing = {s.replace("torch.", "") for s in layers.WRITERS} - shown
    missing = {m for m in missing if not m.startswith("nn.Lazy")}  # those of the examples: tests/test_roundtrip.py
    assert missing <= {"nn.SyncBatchNorm", "nn.FeatureAlphaDropout", "nn.LPPool3d",
                       "nn.TransformerEncoder", "nn.TransformerDecoder", "nn.CircularPad3d"}


def test_signatures_are_those_of_torch():
    torch = pytest.importorskip("torch")
    import inspect

    for name, signature in signatures().items():
        real = list(inspect.signature(getattr(torch.nn, name[9:]).__init__).parameters)[1:]
        if real != ["args", "kwargs"]:
            assert [p.name for p in signature.params] == real, name


READS = {
    "nn.Linear(dim, 4 * dim, bias = False)": "layers.Dense(4 * dim, use_bias = False, **default_init(dim))",
    "nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3)":
        "keras.Sequential([layers.ZeroPadding2D(3), layers.Conv2D(64, kernel_size=7, strides=2, "
        "**default_init(3 * 7 * 7))])",
    "nn.Conv2d(c, c * 2, 3, padding=1)": 'layers.Conv2D(c * 2, 3, padding="same", **default_init(c * 3 * 3))',
    "nn.Conv2d(c, n, 3, padding=d, dilation=d, groups=g)":
        "keras.Sequential([layers.ZeroPadding2D(d), layers.Conv2D(n, 3, dilation_rate=d, groups=g, "
        "**default_init(c // g * 3 * 3))])",
    "nn.Conv1d(c, n, k, s, k // 2)":
        "keras.Sequential([layers.ZeroPadding1D(k // 2), layers.Conv1D(n, k, s, **default_init(c * k))])",
    "nn.ConvTranspose2d(8, 4, 4, 2, 1)": 'layers.Conv2DTranspose(4, 4, 2, padding="same", '
                                         "**default_init(4 * 4 * 4))",
    "nn.BatchNorm2d(c)": "layers.BatchNormalization(momentum=0.9, epsilon=1e-5)",
    "nn.MaxPool2d(kernel_size=3, stride=2, padding=1)":
        "layers.Lambda(lambda x: tf.nn.max_pool2d(x, ksize=3, strides=2, "
        "padding=[[0, 0], [1, 1], [1, 1], [0, 0]]))",
    "nn.AdaptiveAvgPool2d((1, 1))": "layers.GlobalAveragePooling2D(keepdims=True)",
    # layers.AdaptiveAveragePooling2D cannot be traced by tf.function where an axis of x has one element
    "nn.AdaptiveAvgPool2d((6, 6))": 'layers.Lambda(lambda x: adaptive_pool(x, (6, 6), "average"))',
    "nn.Conv2d(3, 4, **settings)": "conv2d(3, 4, **settings)",
    "nn.LeakyReLU(0.2, True)": "layers.LeakyReLU(0.2)",
    "nn.GELU()": 'layers.Activation("gelu")',
    "nn.Softmax(dim = -1)": "layers.Softmax(axis = -1)",
    "nn.InstanceNorm2d(c)": "layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)",
    "nn.Embedding(v, d)":
        "layers.Embedding(v, d, embeddings_initializer=initializers.RandomNormal(stddev=1.0))",
}


@pytest.mark.parametrize("source", READS)
def test_texts_read_as_in_the_goldens(source):
    assert written(source) == READS[source]


REFUSED = """
nn.BatchNorm2d(4, momentum=None)
nn.BatchNorm2d(4, track_running_stats=False)
nn.MaxUnpool2d(2)
nn.InstanceNorm2d(4, track_running_stats=True)
nn.MaxPool2d(2, return_indices=True)
nn.Embedding(3, 4, max_norm=1.0)
nn.LSTM(3, 4, proj_size=2)
nn.ConvTranspose2d(4, 4, 2, groups=2)
nn.MaxPool2d(**settings)
nn.MultiheadAttention(4, 2, add_zero_attn=True)
nn.Softmax()
nn.Conv2d(3, 4, 3, wrong=1)
"""


@pytest.mark.parametrize("source", REFUSED.strip().splitlines())
def test_what_has_no_exact_form_is_refused(source):
    assert isinstance(written(source), list)


POSITIONS = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x).flatten(2).transpose(1, 2)
"""


def test_positions_of_an_image_are_joined_where_they_are():
    """Patches: height and width of a channels-last image lie before its channels."""
    assert "return flatten(self.conv(x), 1, 2)\n" in translate(POSITIONS, "torch2tf").text


INPLACE = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        {body}
"""


@pytest.mark.parametrize(("body", "fine"), [
    ("y = self.conv(x)\n        return self.relu(y) + y", False),
    ("shortcut = x\n        x = self.relu(x)\n        return self.conv(x) + shortcut", False),
    ("y = self.conv(x)\n        y = self.relu(y)\n        return y + x", True),
    ("residual = x\n        x = self.conv(x)\n        x = self.relu(x)\n        return x + residual", True),
])
def test_a_tensor_changed_in_place_is_not_read_again(body, fine):
    findings = translate(INPLACE.format(body=body), "torch2tf").findings
    assert fine is not any("inplace" in f.message for f in findings)


@pytest.mark.parametrize(("source", "layer", "codes"), [
    ("nn.LazyLinear(3)", "Dense(3, {})", ["P101"]),
    ("nn.LazyLinear(3, bias=False)", "Dense(3, use_bias=False, {})", []),
    ("nn.LazyConv2d(3, 1)", "Conv2D(3, 1, {})", ["P101"])])
def test_a_lazy_layer_tells_that_its_bias_starts_at_zero(source, layer, codes):
    """The input size, and so the bound of the bias, shows at the first call only; that of the kernel Keras knows."""
    result = translate(source_of(source, set(), [("f", ())], ""), "torch2tf")
    kernel = 'kernel_initializer=initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")'
    assert f"self.layer = layers.{layer.format(kernel)}" in oneline(result.text)
    assert [f.code for f in result.findings] == codes
