"""From PyTorch to Keras: a correct port verifies, every broken one is caught and the layer named.

All broken ports of a run stand in one file, each under names of its own, so that both frameworks are imported once.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from port.translate import translate
from port.verify import inputs, pairing, weights
from port.verify.parent import Case, Settings, Verdict, verify

PAIRS = Path(__file__).parent / "verify_pairs"
FAST = Settings(dtypes=("float64",))
INPUTS = {"Image": ("f32[2,3,18,14]",), "Sequence": ("i64[3,7]<11", "mask=b[3,7]")}


@dataclass(frozen=True)
class Break:
    """Replace `old` by `new` in the port of `net`; the message must hold every text of `says`."""

    name: str
    net: str
    old: str
    new: str
    says: tuple[str, ...]


SWAPPED = "lambda x: tf.matmul(x, self.head.kernel, transpose_b=True) + self.head.bias"
BREAKS = [
    Break("epsilon", "Image", "epsilon=1e-5)\n        self.conv2", "epsilon=1e-3)\n        self.conv2", ("bn1",)),
    Break("epsilon of layer norm", "Image", "LayerNormalization(epsilon=1e-5)", "LayerNormalization()", ("norm (",)),
    Break("momentum not inverted", "Image", "momentum=0.7", "momentum=0.3", ("buffers", "bn2")),
    Break("channels not moved", "Image", "[0, 2, 3, 1])\n        x = gelu", "[0, 3, 2, 1])\n        x = gelu",
          ("conv1",)),
    Break("flatten in channels-last order", "Image", "        x = tf.transpose(x, [0, 3, 1, 2])\n        x = self.drop",
          "        x = self.drop", ("fc",)),
    Break("symmetric padding became same", "Image",
          "layers.ZeroPadding2D(1)", "layers.ZeroPadding2D(((0, 2), (0, 2)))", ("conv1",)),
    Break("padding of Keras", "Image", "        self.conv1 = layers.Conv2D(6, 3, strides=2)",
          "        self.pad1 = lambda x: x\n        self.conv1 = layers.Conv2D(6, 3, strides=2, padding='same')",
          ("conv1",)),
    Break("pooling pads with zeros", "Image", "constant_values=tf.constant(-np.inf, x.dtype)",
          "constant_values=tf.constant(0.0, x.dtype)", ("between", "up")),
    Break("kernel not transposed", "Image", "return self.head(tf.tanh(x))",
          f"self.head(x)\n        return ({SWAPPED})(tf.tanh(x))", ("head",)),
    Break("axes of an image kernel", "Image", "(3, 5), padding", "(5, 3), padding", ("conv2",)),
    Break("groups lost", "Image", "groups=2, ", "", ("conv2",)),
    Break("approximate GELU", "Image", "x = gelu(", "x = keras.activations.gelu(approximate=True, x=", ("conv2",)),
    Break("slope", "Image", "tf.nn.leaky_relu(self.up(x), 0.25)", "tf.nn.leaky_relu(self.up(x))", ("fc",)),
    Break("elu became relu", "Image", "tf.nn.elu(", "tf.nn.relu(", ("up",)),
    Break("missing dropout", "Image", "x = self.drop(tf.reshape(x, [-1, 400]))", "x = tf.reshape(x, [-1, 400])",
          ("dropout", "0.3 2 times", "port 0.3")),
    Break("rate of the other side", "Image", "layers.Dropout(0.3)", "layers.Dropout(0.7)", ("dropout", "0.7")),
    Break("dropout in inference only", "Image", "        if training:\n", "        if training is False:\n",
          ("dropout",)),
    Break("batch norm always in inference", "Image", "self.bn2(self.conv2(x))",
          "self.bn2(self.conv2(x), training=False)", ("bn2",)),
    Break("batch norm frozen", "Image", "momentum=0.7, epsilon=1e-3)", "momentum=0.7, epsilon=1e-3, trainable=False)",
          ("bn2",)),
    Break("bias dropped", "Image", "self.fc = layers.Dense(7)", "self.fc = layers.Dense(7, use_bias=False)", ("fc",)),
    Break("parameter that does not train", "Image", 'name="scale")', 'name="scale", trainable=False)', ("scale",)),
    Break("parameter left out", "Image", " * self.scale", " * tf.ones(7, x.dtype)", ("scale of the model", "not use")),
    Break("detached", "Image", "x = self.norm(self.fc(x))", "x = self.norm(tf.stop_gradient(self.fc(x)))",
          ("gradients",)),
    Break("results in channels-last", "Image", "return self.head(tf.tanh(x)) * self.scale",
          "return tf.transpose(self.head(tf.tanh(x)) * self.scale)", ("shape",)),
    Break("mask not inverted", "Sequence", "~mask[:, None, :]", "mask[:, None, :]", ("attn",)),
    Break("mask ignored", "Sequence", "None if mask is None else ~mask[:, None, :]", "None", ("attn",)),
    Break("more heads", "Sequence", "MultiHeadAttention(2, 4)", "MultiHeadAttention(4, 2)", ("attn",)),
    Break("softmax over the wrong axis", "Sequence", "tf.nn.log_softmax(self.out(self.norm(x + y)))",
          "tf.nn.log_softmax(self.out(self.norm(x + y)), axis=1)", ("out",)),
    Break("other activation of an LSTM", "Sequence", "layers.LSTM(8, return_sequences=True)",
          "layers.LSTM(8, return_sequences=True, recurrent_activation='hard_sigmoid')", ("rnn",)),
    Break("residual lost", "Sequence", "self.norm(x + y)", "self.norm(y)", ("norm",)),
    Break("dtype", "Sequence", "return tf.nn.log_softmax(self.out(self.norm(x + y)))",
          "return tf.argmax(self.out(self.norm(x + y)), -1)", ("result",)),
    Break("only eager", "Sequence", "        x = self.rnn(self.emb(ids))\n",
          "        x = self.rnn(self.emb(ids))\n        assert x.numpy().ndim == 3\n", ("tf.function", "line ")),
    Break("batch size taken in Python", "Sequence", "        x = self.rnn(self.emb(ids))\n",
          "        x = self.rnn(self.emb(ids))\n        x = tf.reshape(x, [ids.shape[0], ids.shape[1], 8])\n",
          ("tf.function", "unknown batch size", "line ")),
    Break("a layer made in every call", "Image", "self.drop(tf.reshape(x, [-1, 400]))",
          "layers.Dropout(0.3)(tf.reshape(x, [-1, 400]), training=training)", ("tf.function", "line ", "singleton")),
    Break("a counter in Python", "Image", "return self.head(tf.tanh(x)) * self.scale",
          "self.calls = getattr(self, 'calls', 0) + 1\n        return self.head(tf.tanh(x)) * self.scale + 0 * "
          "tf.cast(self.calls, x.dtype) + (0.0 if tf.executing_eagerly() else 1e-3)", ("inside tf.function",)),
]
FINE = [
    Break("as it is", "Image", "", "", ()),
    Break("as it is", "Sequence", "", "", ()),
    Break("initialisers of its own", "Image", "layers.Dense(7)", "layers.Dense(7, kernel_initializer='he_normal')", ()),
    Break("a functional dropout for the layer", "Image", "self.drop(tf.reshape(x, [-1, 400]))",
          "tf.nn.dropout(tf.reshape(x, [-1, 400]), 0.3) if training else tf.reshape(x, [-1, 400])", ()),
]
EVERY = [*FINE, *BREAKS]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    text = (PAIRS / "nets_keras.py").read_text()
    head, *nets = text.split("\n\n\nclass ")
    classes = {body.split("(")[0]: f"class {body}" for body in nets}
    parts, cases = [text], []
    for number, broken in enumerate(EVERY):
        old = f"{head}\n\n\n{classes[broken.net]}"
        assert broken.old in old, broken.name
        new = old.replace(broken.old, broken.new).replace(f"class {broken.net}(", f"class Net{number}(")
        new = new.replace("gelu(", f"gelu{number}(") if "approximate" not in broken.new else new
        new = new.replace("max_pool(", f"max_pool{number}(")
        parts.append(new)
        cases.append(Case(f"{broken.net}()", INPUTS[broken.net], ported_call=f"Net{number}()"))
    ported = tmp_path_factory.mktemp("ported") / "tf_version.py"
    ported.write_text("\n\n\n".join(parts) + "\n")
    return verify(PAIRS / "nets_torch.py", ported, "torch2tf", cases, FAST)


@pytest.mark.parametrize("number", range(len(FINE)), ids=lambda n: EVERY[n].name)
def test_correct_ports(number: int, verdicts: list[Verdict]) -> None:
    verdict = verdicts[number]
    assert verdict.status == "verified", verdict.message
    assert {row.group for row in verdict.rows} >= {"y", "dw", "graph"}
    assert not [note for note in verdict.notes if "tf.function" in note]


@pytest.mark.parametrize("number", range(len(FINE), len(EVERY)), ids=lambda n: EVERY[n].name)
def test_caught(number: int, verdicts: list[Verdict]) -> None:
    verdict = verdicts[number]
    print(verdict.message, verdict.where)
    assert verdict.status == "mismatch", verdict
    for text in EVERY[number].says:
        assert text in verdict.message, verdict.message


# ---------------------------------------------------------------- what a torch file may do around its numbers

DETAILS: dict[str, tuple[Case, str, str]] = {  # case, status, part of the message or of a note
    "mask by position": (Case("Masked(width=6)", ("f32[2,7,5]", "b[2,7]")), "verified", ""),
    "mask by keyword": (Case("Masked(width=6)", ("f32[2,7,5]", "mask=b[2,7]")), "verified", ""),
    "no mask, a setting": (Case("Masked()", ("f32[2,7,5]", "factor=0.5")), "verified", ""),
    "whole numbers": (Case("Pair()", ("i64[2,7]<9", "f32[2,3]")), "verified", ""),
    "dict and tuple": (Case("Nested()", ("{x: f32[2,3], y: f32[2,5]}", "(f32[2,3], i64[2]<5)")), "verified", ""),
    "dict by keyword": (Case("Nested()", ("extra=(f32[2,3], i64[2]<5)", "batch={x: f32[2,3], y: f32[2,5]}")),
                        "verified", ""),
    "dataclass": (Case("Structured()", ("f32[2,3]",)), "verified", ""),
    "buffer moved in training": (Case("Ema()", ("f32[4,3]",)), "verified", ""),
    "tied": (Case("Tied()", ("i64[2,5]<11",)), "verified", ""),
    "unused": (Case("Unused()", ("f32[2,3]",)), "verified", "nothing calls left"),
    "einops": (Case("Patches()", ("f32[2,3,4,9]",)), "verified", ""),
    "stochastic depth, LSTM": (Case("Drops()", ("f32[2,5,4]",)), "verified", "dropout switched off"),
    "stochastic depth lost": (Case("Drops()", ("f32[2,5,4]",), ported_call="Drops(0.0)"), "mismatch", "random numbers"),
    "weight norm": (Case("Weighted()", ("f32[2,3,9]",)), "mismatch", "weight_norm"),
    "spectral norm": (Case("Spectral()", ("f32[2,3]",)), "mismatch", "spectral_norm"),
    "numbers that are drawn": (Case("Sampled()", ("f32[2,3]",)), "verified", ""),
    "numbers that are drawn otherwise": (Case("Sampled()", ("f32[2,3]",), ported_call="Sampled(2.0)"), "mismatch",
                                         "train"),
    "cumulative mean": (Case("Cumulative()", ("f32[4,3]",)), "not verified", "averages over all batches"),
}


@pytest.fixture(scope="module")
def details() -> dict[str, Verdict]:
    given = [case for case, _, _ in DETAILS.values()]
    found = verify(PAIRS / "details_torch.py", PAIRS / "details_keras.py", "torch2tf", given)
    return dict(zip(DETAILS, found, strict=True))


@pytest.mark.parametrize("name", DETAILS)
def test_details(name: str, details: dict[str, Verdict]) -> None:
    _, status, text = DETAILS[name]
    verdict = details[name]
    assert verdict.status == status, (verdict.message, verdict.notes)
    assert text in verdict.message or any(text in note for note in verdict.notes), (verdict.message, verdict.notes)


# ---------------------------------------------------------------- inputs

@pytest.mark.parametrize(("texts", "args", "named"), [
    (["f32[2]", "mask=b[3]"], [0], {"mask": 1}),
    (["(f32[2], [i64[3]<5, b[1]])"], [(0, [1, 2])], {}),
    (["{x: f32(0,1)[2], 'y': f32[3]}", "rate=0.5", "flag=True"], [{"x": 0, "y": 1}], {"rate": 0.5, "flag": True}),
    (["(f32[2],)", "None"], [(0,), None], {}),
])
def test_inputs_are_read_and_put_together(texts: list[str], args: list[object], named: dict[str, object]) -> None:
    specs, form = inputs.read(texts)
    assert inputs.Feed((), form).bind(range(len(specs))) == (args, named)
    assert inputs.read(inputs.write(specs, form)) == (specs, form)


@pytest.mark.parametrize("texts", [["f32[2"], ["mask=f32"], ["(f32[2], b[3]"], ["{f32[2]}"], ["m=b[2]", "f32[2]"],
                                   ["f32[2] f32[3]"], [""]])
def test_inputs_that_are_not_understood(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="input"):
        inputs.read(texts)


@pytest.mark.parametrize(("keras", "torch"), [((3, 4, 5), (5, 3, 4)), ((1, 3, 4, 5), (1, 5, 3, 4)), ((5,), (5, 1, 1)),
                                              ((1, 1, 1, 5), (1, 5, 1, 1)), ((4, 5), (4, 5))])
def test_parameters_of_images_change_their_layout(keras: tuple[int, ...], torch: tuple[int, ...]) -> None:
    def unit(shape: tuple[int, ...], kind: str) -> pairing.Unit:
        return {"weights": {"gain": {"shape": shape}}, "classes": [kind], "config": {}}

    rules = pairing.rules_for(unit(keras, "user.A"), unit(torch, "user.A"), {"layers": {}, "parts": {}})
    assert rules is not None
    value = np.random.default_rng(0).normal(size=keras)
    there = weights.to_torch(rules, {"gain": value})
    assert there["gain"].shape == torch
    assert np.array_equal(weights.to_keras(rules, there, {"gain": keras})["gain"], value)
    assert pairing.rules_for(unit((3, 4), "user.A"), unit((4, 3), "user.A"), {"layers": {}, "parts": {}}) is None


# ---------------------------------------------------------------- backends of Keras

OPS = [Case("Net()", ("f32[2,3,7,9]", "i64[2]<5")), Case("normalise", ("f32[2,5]",)),
       Case("Net()", ("f32[2,3,7,9]", "i64[2]<5"), ported_call="Broken()")]


@pytest.mark.parametrize("backend", ["tensorflow", "torch", pytest.param("jax", marks=pytest.mark.skipif(
    find_spec("jax") is None, reason="needs JAX"))])
def test_backends(backend: str) -> None:
    found = verify(PAIRS / "ops_torch.py", PAIRS / "ops_keras.py", "torch2tf", OPS, Settings(backends=(backend,)))
    assert [v.backend for v in found] == [backend] * 3
    assert [v.status for v in found] == ["verified", "verified", "mismatch"], [v.message for v in found]
    assert {(r.dtype, r.group) for r in found[0].rows} >= {(d, g) for d in ("float64", "float32")
                                                           for g in ("y", "dx", "dw", "buf")}
    assert any(r.group == "graph" for r in found[0].rows) is (backend == "tensorflow")


def test_a_backend_that_is_missing_is_not_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "jax.py").write_text("raise ModuleNotFoundError(\"No module named 'jax'\", name='jax')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    settings = Settings(dtypes=("float64",), backends=("tensorflow", "jax"))
    found = verify(PAIRS / "ops_torch.py", PAIRS / "ops_keras.py", "torch2tf", OPS[:1], settings)
    assert [(v.backend, v.status) for v in found] == [("tensorflow", "verified"), ("jax", "not verified")]
    assert "jax cannot be imported" in found[1].message and "\n" not in found[1].message


def test_backends_are_for_keras_ports(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Keras port"):
        verify(tmp_path, tmp_path, "tf2torch", None, Settings(backends=("jax",)))


# ---------------------------------------------------------------- two files of one framework

@pytest.mark.parametrize(("name", "direction"), [("torch", "torch2torch"), ("keras", "tf2tf")])
def test_one_framework(name: str, direction: str, tmp_path: Path) -> None:
    source = PAIRS / f"nets_{name}.py"
    renamed = source.read_text().replace("self.fc", "self.dense").replace("self.norm", "self.post")
    wrong = renamed.replace("class ", "class Wrong").replace("tanh(", "sin(").replace("x + y", "x - y")
    wrong = wrong.replace("def gelu", "def other").replace("def max_pool", "def other_pool")
    ported = tmp_path / "ported.py"
    ported.write_text(f"{renamed}\n\n{wrong}")
    given = [Case(f"{net}()", INPUTS[net], ported_call=f"{mark}{net}()") for mark in ("", "Wrong") for net in INPUTS]
    found = verify(source, ported, direction, given, FAST)
    assert [v.status for v in found] == ["verified", "verified", "mismatch", "mismatch"], [v.message for v in found]
    assert "head" in found[2].message and "norm (" in found[3].message, [v.message for v in found]
    assert not [v for v in found if "graph" in {r.group for r in v.rows}] or name == "keras"


# ---------------------------------------------------------------- float32 gradients

KINK = '''
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return torch.relu((x - 0.5) + 2.0 ** -26) * self.scale + x


class Plain(Net):
    def forward(self, x):
        return x ** 2 * self.scale
'''
KINK_KERAS = '''
import keras
import tensorflow as tf


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(3,), name="scale")

    def call(self, x):
        return tf.nn.relu((x + 2.0 ** -26) - 0.5) * self.scale + x


class Plain(Net):
    def call(self, x):
        short = x if x.dtype == tf.float64 else tf.cast(tf.cast(x, tf.float16), x.dtype)
        return (tf.stop_gradient(x) + short - tf.stop_gradient(short)) ** 2 * self.scale
'''


def test_a_unit_at_its_kink_is_told_from_a_gradient_of_low_precision(tmp_path: Path) -> None:
    """In float32 the port's unit is off and the source's is on; in float64 both are on."""
    paths = tmp_path / "torch_version.py", tmp_path / "tf_version.py"
    for path, text in zip(paths, (KINK, KINK_KERAS), strict=True):
        path.write_text(text)
    kink, plain = verify(*paths, "torch2tf", [Case("Net()", ("f32(0.5,0.5)[2,3]",)), Case("Plain()", ("f32[2,3]",))])
    assert kink.status == "verified", kink.message
    assert max(r.error for r in kink.rows if r.group == "dx" and r.dtype == "float32") > 0.1
    assert plain.status == "mismatch" and "float32 gradients" in plain.message, plain.message


# ---------------------------------------------------------------- cases that are found

FOUND = '''
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.fc = nn.Linear(width, width)

    def forward(self, x):
        return self.fc(x)


class LeNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 5)
        self.fc = nn.Linear(2 * 24 * 24, classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.conv(x), 1))


class Big(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.block = Block(width)


def tagger(words=9):
    return nn.Sequential(nn.Embedding(words, 4), Block())


block = Block(5)
'''
FOUND_KERAS = '''
import keras
import tensorflow as tf
from keras import layers


class Block(layers.Layer):
    def __init__(self, width=4):
        super().__init__()
        self.fc = layers.Dense(width)

    def call(self, x):
        return self.fc(x)


class LeNet(keras.Model):
    def __init__(self, classes=3):
        super().__init__()
        self.conv = layers.Conv2D(2, 5)
        self.fc = layers.Dense(classes)

    def call(self, x):
        x = tf.transpose(self.conv(tf.transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2])
        return self.fc(tf.reshape(x, [-1, 2 * 24 * 24]))


def tagger(words=9):
    return keras.Sequential([layers.Embedding(words, 4), Block()])


block = Block(5)
'''


def test_cases_and_inputs_of_a_torch_file_are_found(tmp_path: Path) -> None:
    paths = tmp_path / "torch_version.py", tmp_path / "tf_version.py"
    for path, text in zip(paths, (FOUND, FOUND_KERAS), strict=True):
        path.write_text(text)
    found = verify(*paths, "torch2tf", None, FAST)
    assert [(v.case.call, v.case.inputs, v.status) for v in found] == [
        ("block", ("f32[2,5]",), "verified"), ("tagger()", ("i64[2,7]<9",), "verified"),
        ("LeNet()", ("f32[2,1,28,28]",), "verified")], [v.message for v in found]


def test_a_gradient_that_batch_norm_misreads_is_straightened_and_told() -> None:
    import torch

    from port.verify import child_torch
    from port.verify.inputs import Feed

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = torch.nn.BatchNorm2d(4)
            self.register_buffer("mix", torch.randn(9, 9))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.mix @ self.norm(x).flatten(2).transpose(1, 2)

    child_torch.dtype("float64")
    torch.manual_seed(0)
    net = Net().double()
    for batch in (1, 2):
        x = np.random.default_rng(0).normal(size=(batch, 4, 3, 3))
        given = Feed((x,))
        notes = child_torch.start(net, given, False)[1]
        assert bool(notes) is (batch == 1) and all("norm: batch norm misreads" in note for note in notes)
        out = child_torch.gradients(net, [], given, lambda i, shape: np.random.default_rng(1).normal(size=shape), False)

        def loss(moved: np.ndarray) -> float:
            with torch.no_grad():
                y = net(torch.tensor(moved)).numpy()
            return float((y * np.random.default_rng(1).normal(size=y.shape)).sum())

        step = np.zeros_like(x)
        step[0, 1, 2, 0] = 1e-6
        assert (loss(x + step) - loss(x - step)) / 2e-6 == pytest.approx(float(out["dx"][0][0, 1, 2, 0]), abs=1e-7)


def test_hardsigmoid_has_the_gradient_of_a_sixth(tmp_path: Path) -> None:
    """PyTorch has that of 1/6 in float32, 3e-8 off: a correct port was called a mismatch."""
    source, port = tmp_path / "source.py", tmp_path / "port.py"
    source.write_text("from torch import nn\n\n\n"
                      "def gate():\n    return nn.Sequential(nn.Linear(5, 4), nn.Hardsigmoid())\n")
    port.write_text(translate(source.read_text(), "torch2tf").text)
    found = verify(source, port, "torch2tf", [Case("gate()", ("f32[3,5]",))])[0]
    assert found.status == "verified", found.message
    assert "1/6" in " ".join(found.notes)


TWICE = '''
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        return self.norm(self.pool(self.norm(x)))
'''


@pytest.mark.parametrize("wrong", [False, True])
def test_a_batch_norm_that_is_applied_twice(wrong: bool, tmp_path: Path) -> None:
    """Each application has a batch of its own size, whose variance torch corrects."""
    text = translate(TWICE, "torch2tf").text
    (tmp_path / "net.py").write_text(TWICE)
    (tmp_path / "port.py").write_text(text.replace("momentum=0.9", "momentum=0.91") if wrong else text)
    assert not wrong or "momentum=0.9" in text
    [verdict] = verify(tmp_path / "net.py", tmp_path / "port.py", "torch2tf", [Case("Net()", ("f32[2,3,8,4]",))], FAST)
    assert verdict.status == ("mismatch" if wrong else "verified"), verdict.message
