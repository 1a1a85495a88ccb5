"""Every module of torch.nn that has a writer gives torch's numbers: outputs, gradients, updated buffers."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import libcst as cst
import numpy as np
import pytest
from torch_layer_cases import GROUPS, RESIDUE, cases

from port.facts import Fact, Kind, Layout
from port.imports import helper_source
from port.result import Options
from port.torch2tf import layers
from port.torch2tf.layer_signatures import signatures
from port.torch2tf.refused import Refused
from port.torch2tf.values import TO_FIRST, TO_LAST, Layer, literal

HERE = Path(__file__).parent


class Text:
    """As much of the Writer as a single call needs."""

    options = Options()
    layers = "keras.layers"

    def __init__(self, target):
        self.target, self.helpers, self.reports = target, [], []

    def fact(self, node):
        text = cst.Module([]).code_for_node(node)
        try:
            value = ast.literal_eval(text)
        except ValueError:
            return Fact(Kind.PLAIN)
        return literal(tuple(value) if isinstance(value, list) else value)

    def expr(self, node, want=None):
        return node

    def need(self, *names):
        pass

    def report(self, code, message, node, symbol=""):
        self.reports.append(code)

    def helper(self, name):
        self.helpers.append(name)

    def layer(self, name):
        return cst.parse_expression(f"keras.layers.{name}")

    def reads_as_number(self, node):
        return False

    def covered(self, layer):
        return False


def written(source, shapes=(), target="tf", flipped=None, dtype="float"):
    """(elements as texts, the Writer)."""
    node = cst.parse_expression(source)
    symbol = f"torch.{source.partition('(')[0]}"
    w = Text(target)
    inputs = []
    for shape in shapes:
        last = layers.wants_flipped(symbol, len(shape)) if flipped is None else flipped
        inputs.append(Fact(Kind.TENSOR, tuple(shape), dtype, Layout.FLIPPED if last else Layout.PLAIN))
    plan = layers.write_layer(w, node, Layer(node, symbol, {}, {}, inputs=inputs))
    return [cst.Module([]).code_for_node(e) for e in plan.elements], w


def helper_texts(names):
    order = []

    def visit(name):
        if name not in order:
            for other in helper_source(name, "keras")[0]:
                visit(other)
            order.append(name)

    for name in names:
        visit(name)
    return "\n\n".join(helper_source(name, "keras")[2] for name in order)


CASE = """
import collections
import math

import keras
import numpy as np
{tf}
{helpers}

class Case(keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = {layer}

    def call(self, x, *more, **kwargs):
        {turn}
        y = self.layer(x, *more, **kwargs)
        return keras.ops.transpose(y, {first}[len(y.shape)]) if {back} else y
"""


def module(source, flags, inputs, target):
    """Text of a Keras model with channels first outside, around the layers of one case."""
    shapes = [shape for _, shape in inputs]
    name = source[3:].partition("(")[0]
    flipped = "~" in flags or layers.wants_flipped(f"torch.nn.{name}", len(shapes[0]))
    elements, w = written(source, shapes, target, flipped, "int64" if inputs[0][0][0] == "i" else "float")
    layer = elements[0] if len(elements) == 1 else f"keras.Sequential([{', '.join(elements)}])"
    text = CASE.format(tf="import tensorflow as tf" if target == "tf" else "", helpers=helper_texts(w.helpers),
                       layer=layer, first=TO_FIRST,
                       turn=f"x = keras.ops.transpose(x, {TO_LAST[len(shapes[0])]})" if flipped else "",
                       back=(flipped and name not in ("Flatten", "Unfold")) or name == "Fold")
    if target == "keras":
        assert "tf." not in text, text
    return text


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
    found = [{"source": source, "keras": module(source, flags, inputs, target), "inputs": inputs, "call": call,
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
    assert missing <= {"nn.LazyLinear", "nn.SyncBatchNorm", "nn.FeatureAlphaDropout", "nn.LPPool3d",
                       "nn.TransformerEncoder", "nn.TransformerDecoder", "nn.CircularPad3d"}


def test_signatures_are_those_of_torch():
    torch = pytest.importorskip("torch")
    import inspect

    for name, signature in signatures().items():
        real = list(inspect.signature(getattr(torch.nn, name[9:]).__init__).parameters)[1:]
        if real != ["args", "kwargs"]:
            assert [p.name for p in signature.params] == real, name


READS = {
    "nn.Linear(dim, 4 * dim, bias = False)": "keras.layers.Dense(4 * dim, use_bias = False, **default_init(dim))",
    "nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3)":
        "keras.layers.ZeroPadding2D(3) keras.layers.Conv2D(64, kernel_size=7, strides=2, **default_init(3 * 7 * 7))",
    "nn.Conv2d(c, c * 2, 3, padding=1)": 'keras.layers.Conv2D(c * 2, 3, padding="same", **default_init(c * 3 * 3))',
    "nn.Conv2d(c, n, 3, padding=d, dilation=d, groups=g)":
        "keras.layers.ZeroPadding2D(d) keras.layers.Conv2D(n, 3, dilation_rate=d, groups=g, "
        "**default_init(c // g * 3 * 3))",
    "nn.Conv1d(c, n, k, s, k // 2)":
        "keras.layers.ZeroPadding1D(k // 2) keras.layers.Conv1D(n, k, s, **default_init(c * cells(k, 1)))",
    "nn.ConvTranspose2d(8, 4, 4, 2, 1)": 'keras.layers.Conv2DTranspose(4, 4, 2, padding="same", '
                                         "**default_init(4 * 4 * 4))",
    "nn.BatchNorm2d(c)": "keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)",
    "nn.MaxPool2d(kernel_size=3, stride=2, padding=1)":
        "keras.layers.Lambda(lambda x: tf.nn.max_pool2d(x, ksize=3, strides=2, "
        "padding=[[0, 0], [1, 1], [1, 1], [0, 0]]))",
    "nn.AdaptiveAvgPool2d((1, 1))": "keras.layers.GlobalAveragePooling2D(keepdims=True)",
    "nn.LeakyReLU(0.2, True)": "keras.layers.LeakyReLU(0.2)",
    "nn.GELU()": 'keras.layers.Activation("gelu")',
    "nn.Softmax(dim = -1)": "keras.layers.Softmax(axis = -1)",
    "nn.InstanceNorm2d(c)": "keras.layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)",
    "nn.Embedding(v, d)":
        "keras.layers.Embedding(v, d, embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0))",
}


@pytest.mark.parametrize("source", READS)
def test_texts_read_as_in_the_goldens(source):
    assert " ".join(written(source)[0]) == READS[source]


REFUSED = """
nn.BatchNorm2d(4, momentum=None)
nn.BatchNorm2d(4, track_running_stats=False)
nn.MaxUnpool2d(2)
nn.InstanceNorm2d(4, track_running_stats=True)
nn.MaxPool2d(2, return_indices=True)
nn.Embedding(3, 4, max_norm=1.0)
nn.LSTM(3, 4, proj_size=2)
nn.ConvTranspose2d(4, 4, 2, groups=2)
nn.Conv2d(3, 4, **settings)
nn.MultiheadAttention(4, 2, add_zero_attn=True)
nn.LazyLinear(3)
nn.Softmax()
nn.Conv2d(3, 4, 3, wrong=1)
"""


@pytest.mark.parametrize("source", REFUSED.strip().splitlines())
def test_what_has_no_exact_form_is_refused(source):
    with pytest.raises(Refused):
        written(source)
