"""Verify on the golden pairs, on every kind of weights, and on what can go wrong outside the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from port.verify import cases, compare, fill, pairing, weights
from port.verify.parent import Case, Settings, Verdict, verify

GOLDEN = Path(__file__).parent / "golden"
FAST = Settings(dtypes=("float64",))

TF2TORCH = {
    "functional_resnet": [Case("build_resnet((37, 44, 3), 7)", ("f32[2,37,44,3]",))],
    "rnn_masking": [Case("build_classifier(17)", ("i32[2,9]<17",))],
    "subclass_transformer": [Case("TinyDecoder(13, 9, 16, 4, 22, 2)", ("i32[2,7]<13",))],
    "gan_gradient_tape": None,
    "functional_toplevel_unet": None,
    "sequential_mnist": None,
    "tf_ops_function": [
        Case("standardise", ("f32[2,5,4,3]",)), Case("spread", ("f32[2,3,4]",)), Case("batch_stats", ("f32[2,3,4]",)),
        Case("masked_mean", ("f32[3,5,2]", "b[3,5]")), Case("lambda s: best_scores(s, 4)", ("f32[3,7]",)),
        Case("smooth_labels", ("i64[2,3]<5", "f32[2,3,5]")), Case("thumbnails", ("f32[2,11,8,3]",)),
        Case("attention_weights", ("f32[2,3,4,5]", "f32[2,6,4,5]")), Case("merge_time", ("f32[2,3,4,5]",))],
}
TORCH2TF = {
    "resnet_class": [Case("resnet_small(num_classes=7, in_channels=5, width=4)", ("f32[3,5,37,50]",))],
    "gpt": [Case("GPT(GPTConfig(block_size=9, vocab_size=23, n_layer=2, n_head=3, n_embd=12))", ("i64[4,7]<23",))],
    "rnn_seq2seq": [Case("build_model(11, 13, 6, 5)",
                         ("i64[3,9]<11", "i64(2,9)[3]", "i64[3,6]<13", "teacher_forcing_ratio=0.5"))],
    "tensor_methods": [
        Case("lambda x: split_heads(x, 3)", ("f32[2,5,12]",)), Case("outer_sum", ("f32[2,3]", "f32[2,5]")),
        Case("channel_shuffle", ("f32[2,12,5,7]", "3")), Case("pick_logits", ("f32[2,3,7]", "i64[2,3]<7")),
        Case("masked_select", ("f32[3,5,2]", "b[3,5]")), Case("set_border", ("f32[2,4,5]", "0.7")),
        Case("masked_mean", ("f32[3,5,2]", "b[3,5]")), Case("ranking", ("f32[3,7]", "4")),
        Case("label_smoothing", ("i64[5]<4", "5"))],
    "unet_gan": [Case("UNetGenerator(3, 2, 4)", ("f32[2,3,29,38]",)),
                 Case("PatchDiscriminator(5, 4, 3)", ("f32[3,3,37,50]", "f32[3,2,37,50]"))],
    "vae_training": [Case("VAE(9, 7, 3)", ("f32(0,1)[4,9]",))],
    "vit_einops": [Case("ViT(image_size=(12, 20), patch_size=(3, 4), num_classes=7, dim=10, depth=2, heads=3, "
                        "mlp_dim=14, channels=5, dim_head=4, dropout=0.1, emb_dropout=0.2)", ("f32[3,5,12,20]",))],
}


def _golden(direction: str, name: str, found: list[Case] | None) -> list[Verdict]:
    folder = GOLDEN / direction / name
    source, ported = (folder / f"{side}_version.py" for side in direction.split("2"))
    return verify(source, ported, direction, found)


@pytest.mark.parametrize("name", TF2TORCH)
def test_tf2torch(name: str) -> None:
    for verdict in _golden("tf2torch", name, TF2TORCH[name]):
        assert verdict.status == "verified", verdict.message
        assert {row.dtype for row in verdict.rows} == {"float64", "float32"}
        json.dumps(verdict.as_dict(), allow_nan=False)


@pytest.mark.parametrize("name", TORCH2TF)
def test_torch2tf(name: str) -> None:
    for verdict in _golden("torch2tf", name, TORCH2TF[name]):
        assert verdict.status == "verified", verdict.message


# ---------------------------------------------------------------- kinds of weights

TF_ZOO = '''
import keras
from keras import layers


def image():
    x = i = keras.Input((None, None, 4))
    x = layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, name="sep")(x)
    x = layers.BatchNormalization(scale=False, name="bn1")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, name="depth")(x)
    x = layers.BatchNormalization(center=False, name="bn2")(x)
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(x)
    x = layers.GroupNormalization(3, epsilon=1e-5, name="gn")(x)
    x = layers.Conv2DTranspose(5, 3, strides=2, name="up")(x)
    x = layers.Conv2D(4, 3, groups=1, dilation_rate=2, activation="tanh", name="last")(x)
    return keras.Model(i, x)


def sequence():
    x = i = keras.Input((7, 6))
    x = layers.Conv1D(8, 3, padding="same", name="conv")(x)
    x = layers.Bidirectional(layers.GRU(5, return_sequences=True), name="bi")(x)
    x = layers.SimpleRNN(6, return_sequences=True, name="rnn")(x)
    x = layers.MultiHeadAttention(2, 5, name="att")(x, x)
    x = layers.RMSNormalization(epsilon=1e-6, name="rms")(x)
    x = layers.EinsumDense("abc,cde->abde", output_shape=(7, 2, 3), bias_axes="de", name="einsum")(x)
    return keras.Model(i, layers.Reshape((7, 6))(x))
'''
TORCH_ZOO = '''
import torch
import torch.nn.functional as F
from torch import nn


class Image(nn.Module):
    def __init__(self):
        super().__init__()
        self.sep = nn.Sequential(nn.Conv2d(4, 8, 3, padding=1, groups=4, bias=False), nn.Conv2d(8, 6, 1))
        self.bn1 = nn.BatchNorm2d(6, eps=1e-3, momentum=0.01)
        self.bn1.weight.requires_grad_(False)
        self.depth = nn.Conv2d(6, 12, 3, groups=6)
        self.bn2 = nn.BatchNorm2d(12, eps=1e-3, momentum=0.01)
        self.bn2.bias.requires_grad_(False)
        self.prelu = nn.PReLU(12)
        self.gn = nn.GroupNorm(3, 12)
        self.up = nn.ConvTranspose2d(12, 5, 3, stride=2)
        self.last = nn.Conv2d(5, 4, 3, dilation=2)

    def forward(self, x):
        x = self.bn1(self.sep(x.permute(0, 3, 1, 2)))
        x = self.gn(self.prelu(self.bn2(self.depth(x))))
        return torch.tanh(self.last(self.up(x))).permute(0, 2, 3, 1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(6, 10) for _ in range(3))
        self.attention_output = nn.Linear(10, 6)

    def forward(self, x):
        q, k, v = (m(x).unflatten(-1, (2, 5)).transpose(1, 2) for m in (self.query, self.key, self.value))
        return self.attention_output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(6, 8, 3, padding=1)
        self.bi = nn.GRU(8, 5, batch_first=True, bidirectional=True)
        self.rnn = nn.RNN(10, 6, batch_first=True)
        self.rnn.bias_hh_l0.requires_grad_(False)
        self.att = Attention()
        self.rms = nn.RMSNorm(6, eps=1e-6)
        self.einsum = nn.Linear(6, 6)

    def forward(self, x):
        x = self.conv(x.transpose(1, 2)).transpose(1, 2)
        x = self.rnn(self.bi(x)[0])[0]
        return self.einsum(self.rms(self.att(x)))


image, sequence = Image, Sequence
'''


def _files(tmp_path: Path, source: str, ported: str) -> tuple[Path, Path]:
    paths = tmp_path / "tf_version.py", tmp_path / "torch_version.py"
    for path, text in zip(paths, (source, ported), strict=True):
        path.write_text(text)
    return paths


def test_every_kind_of_weights(tmp_path: Path) -> None:
    found = [Case("image()", ("f32[2,9,11,4]",)), Case("sequence()", ("f32[2,7,6]",))]
    for verdict in verify(*_files(tmp_path, TF_ZOO, TORCH_ZOO), "tf2torch", found, FAST):
        assert verdict.status == "verified", (verdict.message, verdict.pairs)
        ordered = [pair.source for pair in verdict.pairs if pair.how not in ("name", "path")]
        assert all(source.startswith("sep.") for source in ordered), verdict.pairs


# ---------------------------------------------------------------- what is not a number


TINY = "import keras\nfrom keras import layers\n\ndef build():\n    return keras.Sequential([keras.Input((3,)), "
PORT = "from torch import nn\n\ndef build():\n    return "


@pytest.mark.parametrize(("source", "ported", "status", "text"), [
    (TINY + "layers.Dense(2)])", PORT + "nn.Linear(3, 2)", "verified", ""),
    (TINY + "layers.Dense(2)])", PORT + "nn.Linear(3, 2", "error", "SyntaxError"),
    (TINY + "layers.Dense(2)])", PORT + "1 / 0", "error", "torch_version.py line 4: ZeroDivisionError"),
    ("import keras\n1 / 0", PORT + "nn.Linear(3, 2)", "error", "tf_version.py line 2: ZeroDivisionError"),
    (TINY + "layers.Dense(2)])", PORT + "nn.Linear(3, 4)", "mismatch", "no partner for dense"),
    (TINY + "layers.Dense(2)])", PORT + "nn.Sequential(nn.Linear(3, 2), nn.Unflatten(1, (2, 1)))", "mismatch",
     "shape [2, 2] became [2, 2, 1]"),
    (TINY + "layers.Dense(2, trainable=False)])", PORT + "nn.Linear(3, 2)", "mismatch", "is frozen in Keras"),
    ("import keras\nX = 1", PORT + "nn.Linear(3, 2)", "not verified", "no model or builder"),
    (TINY + "layers.Dense(2)])", "import os\nos._exit(3)", "not verified", "ended with code 3"),
], ids=["right", "syntax", "port raises", "source raises", "pairing", "shape", "frozen", "nothing found", "dies"])
def test_outcomes(tmp_path: Path, source: str, ported: str, status: str, text: str) -> None:
    (verdict,) = verify(*_files(tmp_path, source, ported), "tf2torch", None, FAST)
    assert (verdict.status, text in verdict.message) == (status, True), verdict


def test_a_missing_framework_is_not_verified(tmp_path: Path) -> None:
    source, ported = _files(tmp_path, TINY + "layers.Dense(2)])", PORT + "nn.Linear(3, 2)")
    (verdict,) = verify(source, ported, "tf2torch", None, Settings(tf_python=str(tmp_path / "python")))
    assert verdict.status == "not verified" and "cannot be started" in verdict.message


def test_time_out(tmp_path: Path) -> None:
    source, ported = _files(tmp_path, "import time\ntime.sleep(60)", PORT + "nn.Linear(3, 2)")
    (verdict,) = verify(source, ported, "tf2torch", None, Settings(timeout=8))
    assert verdict.status == "not verified" and "timed out" in verdict.message


# ---------------------------------------------------------------- specs and weights


@pytest.mark.parametrize("text", ["f32[2,7,3]", "i32[2,7]<17", "b[2,3]", "f32+[4]", "f32(0,1)[2,3]", "i64[5]", "f64[]",
                                  "i64(2,9)[4]"])
def test_specs_round_trip(text: str) -> None:
    spec = cases.parse(text)
    assert str(spec) == text
    assert cases.draw(spec, np.random.default_rng(0)).shape == spec.shape


def test_a_wrong_spec_says_how_to_write_it() -> None:
    with pytest.raises(ValueError, match="write for example"):
        cases.parse("float[2,3]")


RULES: dict[str, tuple[Any, dict[str, tuple[int, ...]]]] = {
    "conv": ({"kernel": {"to": "weight", "permute": [3, 2, 0, 1]}, "bias": "bias"},
             {"kernel": (3, 5, 4, 6), "bias": (6,)}),
    "gates": ({"k": {"to": "w", "permute": [1, 0], "gates": [1, 0, 2]}}, {"k": (4, 6)}),
    "split": ({"b": {"to": ["i", "h"], "split": 0, "gates": [1, 0, 2]}}, {"b": (2, 6)}),
    "parts": ({n: {"to": "in", "part": i, "of": 3, "reshape": ["0", "1*2"], "then": [1, 0]}
               for i, n in enumerate("qkv")}, dict.fromkeys("qkv", (8, 2, 4))),
    "depthwise": ({"k": {"to": "w", "permute": [2, 3, 0, 1], "reshape": ["0*1", 1, "2", "3"]}}, {"k": (3, 5, 4, 2)}),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_run_both_ways(name: str) -> None:
    rules, shapes = RULES[name]
    keras = {n: np.random.default_rng(1).normal(size=s) for n, s in shapes.items()}
    back = weights.to_keras(rules, weights.to_torch(rules, keras), shapes)
    assert all(np.array_equal(keras[n], back[n]) for n in shapes)


def test_two_torch_biases_are_one_keras_bias() -> None:
    rules = {"bias": {"to": "bias_ih", "also": "bias_hh"}}
    held = {"bias_ih": np.array([1.0, 2.0]), "bias_hh": np.array([10.0, 20.0])}
    assert weights.to_keras(rules, held, {"bias": (2,)}, add=True)["bias"].tolist() == [11, 22]
    assert weights.to_torch(rules, {"bias": np.ones(2)})["bias_hh"].tolist() == [0, 0]


def _unit(index: int, path: str, name: str, classes: list[str], shapes: dict[str, list[int]]) -> pairing.Unit:
    held = {n: {"shape": s, "trainable": True, "id": f"{index}{n}"} for n, s in shapes.items()}
    return {"path": path, "name": name, "classes": classes, "weights": held, "config": {}, "index": index,
            "made": index, "registered": index, "first_call": index, "lines": []}


def test_names_come_before_order() -> None:
    table = {"layers": {"K": {"T": {"kernel": {"to": "weight", "permute": [1, 0]}}}}, "parts": {}}
    keras = [_unit(0, "#0", "first", ["K"], {"kernel": [3, 3]}), _unit(1, "#1", "", ["K"], {"kernel": [3, 3]})]
    torch = [_unit(0, "other", "", ["T"], {"weight": [3, 3]}), _unit(1, "first", "", ["T"], {"weight": [3, 3]})]
    best = pairing.candidates(keras, torch, table)[0]
    assert [(p.keras, p.torch, p.how) for p in best.pairs] == [(0, 1, "name"), (1, 0, "order of creation")]


# ---------------------------------------------------------------- sizes that a port must be told

GATES = '''
import keras
from keras import layers


class Gate(layers.Layer):
    def __init__(self, units, scale=1.0):
        super().__init__()
        self.dense, self.scale = layers.Dense(units), scale

    def call(self, states, extra):
        return self.scale * self.dense(states) * extra[..., :1]
'''
PORTED_GATES = '''
from torch import nn


class Gate(nn.Module):
    def __init__(self, in_features, units, extra_features, scale=1.0):
        super().__init__()
        assert extra_features == 6
        self.dense, self.scale = nn.Linear(in_features, units), scale

    def forward(self, states, extra):
        return self.scale * self.dense(states) * extra[..., :1]
'''


@pytest.mark.parametrize("call", ["Gate(4, scale=2.0)", "Gate(units=4)"])
def test_sizes_of_the_input_are_filled_in(tmp_path: Path, call: str) -> None:
    given = [Case(call, ("f32[2,5,3]", "f32[2,5,6]"))]
    (verdict,) = verify(*_files(tmp_path, GATES, PORTED_GATES), "tf2torch", given, FAST)
    assert verdict.status == "verified", verdict.message
    assert verdict.stage == "numeric" and "filled in_features=3, extra_features=6 from the input" in verdict.notes


def _gate(in_features: int, units: int, queries_length: int, frames_height: int, frames_width: int,
          size: int = 1) -> None: ...


def test_where_sizes_come_from() -> None:
    module = ModuleType("case")
    module.__dict__["f"] = _gate
    about = {"known": ["units", "size"], "inputs": ["queries", "frames"]}
    text, told = fill.filled(module, "f(9, size=2)", about, [(2, 5, 3), (2, 7, 8, 4)])
    assert text == "f(3, 9, queries_length=5, frames_height=7, frames_width=8, size=2)" and len(told) == 4
    assert fill.filled(module, "f(*a)", about, [(2, 5, 3)]) == ("f(*a)", [])
    assert fill.filled(module, "f", about, [(2, 5, 3)]) == ("f", [])


# ---------------------------------------------------------------- steps

def test_steps_are_compared_when_asked_for(tmp_path: Path) -> None:
    ported = PORT + "nn.Sequential(nn.Linear(3, 2), nn.Tanh())"
    files = _files(tmp_path, TINY + "layers.Dense(2, activation='tanh')])", ported)
    (verdict,) = verify(*files, "tf2torch", None, Settings(dtypes=("float64",), steps=3))
    assert (verdict.status, verdict.stage) == ("verified", "behaviour"), verdict.message
    assert {r.group for r in verdict.rows} >= {"steps", "losses"} and all(r.limit <= 1e-8 for r in verdict.rows)


def test_the_limit_of_steps_grows_with_what_they_enlarge() -> None:
    def limit(growth: float) -> float | None:
        return compare.steps_limit({"dtypes": ["float64"], "growth": growth})

    assert limit(1.0) == 1e-9 and limit(1e5) == pytest.approx(1e-7) and limit(1e9) is None


# ---------------------------------------------------------------- cases that are found

FOUND = '''
import keras
from keras import layers


def block(units=2):
    return layers.Dense(units)


def net(units=2):
    return keras.Sequential([keras.Input((3,)), block(units)])


def small():
    return net(1)


def sized(units):
    return net(units)


def trained():
    model = net()
    model.fit(0, 0)
    return model


def both():
    return net(), 3
'''


def test_builders_with_defaults_are_found(tmp_path: Path) -> None:
    ported = PORT.replace("build", "net(units=2)", 1).replace("()", "", 1) + "nn.Linear(3, units)"
    ported += "\n\ndef small():\n    return net(1)\n"
    found = verify(*_files(tmp_path, FOUND, ported), "tf2torch", None, FAST)
    assert [(v.case.call, v.status) for v in found] == [("net()", "verified"), ("small()", "verified")]


# ---------------------------------------------------------------- refused parts

def test_refused_parts_may_import_the_source_framework(tmp_path: Path) -> None:
    refused = "\n\ndef train(model):\n    import tensorflow as tf\n    return tf.data.Dataset\n"
    ported = "import keras\n" + PORT + "nn.Linear(3, 2)" + refused + "\nadam = keras.optimizers.Adam()\n"
    (verdict,) = verify(*_files(tmp_path, TINY + "layers.Dense(2)])", ported), "tf2torch", None, FAST)
    assert verdict.status == "verified", verdict.message


def test_a_source_framework_that_is_missing_is_said_in_one_line(tmp_path: Path) -> None:
    ported = "import tf_keras.not_here\n" + PORT + "nn.Linear(3, 2)"
    (verdict,) = verify(*_files(tmp_path, TINY + "layers.Dense(2)])", ported), "tf2torch", None, FAST)
    assert verdict.status == "error" and "tf_keras" in verdict.message and "refused" in verdict.message
    assert "\n" not in verdict.message
