"""Models built by functions that stay functions, and classes that make their weights at the first call."""

from __future__ import annotations

from typing import Any

import pytest

from port.result import Result
from port.translate import translate

HEAD = "import tensorflow as tf\nfrom tensorflow import keras\nfrom tensorflow.keras import layers\n\n\n"
TABLE = '''
def make_inputs(names):
    found = {}
    for n in names:
        found[n] = keras.Input(shape=(1,), name=n, dtype='int32')
    return found


def embed(names, dim):
    made = {}
    for n in names:
        made[n] = layers.Embedding(10, dim, name='emb_' + n)
    return made


def join(xs):
    if len(xs) == 1:
        return xs[0]
    return layers.Concatenate(axis=1)(xs)


def Net(names, dim=4, hidden=(8, 4)):
    inputs = make_inputs(names)
    table = embed(names, dim)
    x = layers.Flatten()(join([table[n](inputs[n]) for n in names]))
    for units in hidden:
        x = layers.Dense(units, activation='relu')(x)
    return keras.Model(inputs=list(inputs.values()), outputs=layers.Dense(1)(x))
'''


def ported(text: str) -> Result:
    return translate(HEAD + text, "tf2torch")


def codes(result: Result) -> set[str]:
    return {f.code for f in result.findings if f.outcome.needs_person}


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "port", "exec"), names)
    return names


def test_functions_that_keep_layers_and_inputs_in_dicts_stay_functions() -> None:
    result = ported(TABLE)
    assert not codes(result)
    assert "found[n] = symbolic_input((1,), dtype=torch.int32, name=n)" in result.text
    assert "traced(table[n])(inputs[n])" in result.text
    assert "x = F.relu(traced(nn.LazyLinear(units).apply(init_weights))(x))" in result.text
    assert "return FunctionalModel(list(inputs.values()), traced(nn.Linear(x.shape[-1], 1)" in result.text


def test_a_traced_model_runs_for_any_batch_and_holds_its_weights() -> None:
    torch = pytest.importorskip("torch")
    model = run(ported(TABLE).text)["Net"](["a", "b"])
    assert [tuple(p.shape) for p in model.parameters()] == [(10, 4), (10, 4), (8, 8), (8,), (4, 8), (4,), (1, 4), (1,)]
    a, b = torch.randint(0, 10, (2, 5, 1))
    y = model(a, b)
    assert y.shape == (5, 1) and torch.equal(model({"b": b, "a": a}), y) and torch.equal(model([a, b]), y)
    assert not torch.equal(model(b, a), y)


def test_a_model_that_one_class_can_be_is_no_traced_one() -> None:
    result = ported("def build(n):\n    x = i = keras.Input((4,))\n    for _ in range(n):\n"
                    "        x = layers.Dense(4)(x)\n    return keras.Model(i, x)\n")
    assert not codes(result)
    assert "FunctionalModel" not in result.text


def test_what_an_unknown_argument_has_is_not_told_by_other_calls() -> None:
    """`join` of two flat tensors gives a flat one; that of what a list holds may have any axes."""
    text = TABLE.replace("table[n](inputs[n]) for", "table[n](inputs[n]) + 0. for") + (
        "\n\ndef other(a):\n    return join([layers.Flatten()(a), layers.Flatten()(a)])\n\n\n"
        "class Check(layers.Layer):\n    def call(self, x):\n        if len(x.shape) != 3:\n"
        "            raise ValueError('three axes')\n        return x\n\n\n"
        "def More(names):\n    inputs = make_inputs(names)\n    table = embed(names, 3)\n"
        "    x = Check()(join([table[n](inputs[n]) for n in names]))\n"
        "    y = other(x)\n    return keras.Model(list(inputs.values()), [x, y])\n")
    result = ported(text)
    pytest.importorskip("torch")
    assert "Check(nn.Module)" in result.text
    x, y = run(result.text)["More"](["a", "b"]).output
    assert x.shape[1:] == (2, 3) and y.shape[1:] == (12,)


LATE = '''
class Gate(layers.Layer):
    def __init__(self, tau=1.0, **kwargs):
        self.tau = tau
        super().__init__(**kwargs)

    def build(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError('three axes')
        self.g = self.add_weight(shape=(1, int(input_shape[1]), 1), initializer='ones')
        self.d = layers.Dense(4, kernel_initializer='he_normal')
        super().build(input_shape)

    def call(self, inputs):
        return self.d(inputs * self.g * self.tau)
'''


def test_build_that_reads_its_shape_runs_at_the_first_call() -> None:
    result = ported(LATE)
    assert not codes(result) and {"P102"} <= {f.code for f in result.findings}
    assert "class Gate(BuiltOnCall):" in result.text
    assert "    def build(self, input_shape):\n        if len(input_shape) != 3:" in result.text
    assert "self.g = nn.Parameter(torch.ones((1, int(input_shape[1]), 1)))" in result.text
    assert "self.d = nn.LazyLinear(4)\n        self.apply(init_weights)" in result.text


def test_a_module_built_at_its_first_call_follows_dtype_and_mode() -> None:
    torch = pytest.importorskip("torch")
    gate = run(ported(LATE).text)["Gate"]().double().eval()
    x = torch.ones(2, 5, 3, dtype=torch.float64)
    assert gate(x).dtype is torch.float64 and gate.g.shape == (1, 5, 1) and not gate.d.training
    assert gate(x[:1]).shape == (1, 5, 4)
    named = run(ported(LATE).text)["Gate"]().double()
    assert named(inputs=x).shape == (2, 5, 4) and named.g.shape == (1, 5, 1)
    with pytest.raises(ValueError, match="three axes"):
        run(ported(LATE).text)["Gate"]()(x[0])


def test_a_class_whose_sizes_are_known_keeps_its_constructor() -> None:
    text = ported(LATE.replace("int(input_shape[1])", "input_shape[-1]").replace(
        "        if len(input_shape) != 3:\n            raise ValueError('three axes')\n", "")
        + "\n\nmodel = keras.Sequential([keras.Input((5, 3)), Gate()])\n").text
    assert "BuiltOnCall" not in text


def test_batch_norm_of_what_may_have_any_number_of_axes_is_of_the_last_one() -> None:
    text = ported("class Norm(layers.Layer):\n    def __init__(self):\n        super().__init__()\n"
                  "        self.bn = layers.BatchNormalization()\n\n"
                  "    def call(self, x):\n        return self.bn(x)\n").text
    assert "return on_last_axis(self.bn, x)" in text and "nn.LazyBatchNorm1d(" in text


@pytest.mark.parametrize(("tried", "caught", "kept"), [
    ("tf.reduce_sum(x, axis=axis, keep_dims=True)", "TypeError", "return torch.sum(x, dim=axis, keepdim=True)"),
    ("tf.div(x, axis)", "AttributeError", "return torch.sum(x, dim=axis, keepdim=True)"),
    ("tf.reduce_max(x, axis=axis)", "TypeError", "try:"),
    ("tf.reduce_sum(x, axis=axis, keep_dims=True)", "ValueError", "try:"),
])
def test_of_a_call_that_fails_in_tensorflow_2_the_handler_is_left(tried: str, caught: str, kept: str) -> None:
    text = ported(f"def f(x, axis):\n    try:\n        return {tried}\n    except {caught}:\n"
                  "        return tf.reduce_sum(x, axis=axis, keepdims=True)\n").text
    assert kept in text and ("try:" in text) is (kept == "try:")


def test_an_initialiser_that_no_layer_is_given_is_a_function() -> None:
    result = ported("def default(init=None):\n    if init is None:\n"
                    "        init = keras.initializers.RandomNormal(mean=0.0, stddev=0.01, seed=1)\n    return init\n")
    assert not codes(result)
    assert "init = lambda weight: nn.init.normal_(weight, std=0.01)" in result.text


def test_one_of_several_whole_layers_is_called() -> None:
    text = ('class Shift(layers.Layer):\n    def call(self, x):\n        return x + 1\n\n\n'
            "def pick(name):\n    if name == 'shift':\n        act = Shift()\n    else:\n"
            "        act = layers.Activation(name)\n    return act\n\n\n"
            "class Net(layers.Layer):\n    def __init__(self, names):\n        super().__init__()\n"
            "        self.acts = [pick(n) for n in names]\n\n    def call(self, x, training=None):\n"
            "        for act in self.acts:\n            x = act(x, training=training)\n"
            "        return self.acts[0](x)\n")
    result = ported(text)
    assert not codes(result)
    assert "act = Lambda(ACTIVATIONS[name])" in result.text and "return self.acts[0](x)" in result.text
    torch = pytest.importorskip("torch")
    assert run(result.text)["Net"](["shift", "relu"])(torch.tensor([-3.0])).item() == 1.0


def test_a_module_of_the_users_is_told_its_size_by_what_it_gets() -> None:
    """Its class needs the width, which is written where the object is made: no fact knows it there."""
    result = ported("class Last(layers.Layer):\n    def __init__(self, units):\n        super().__init__()\n"
                    "        self.dense = layers.Dense(units)\n\n    def call(self, x):\n        _, width = x.shape\n"
                    "        return self.dense(x) / width\n\n" + TABLE.replace("layers.Dense(1)(x))", "Last(1)(x))"))
    assert not codes(result)
    assert "traced(Last(x.shape[-1], 1))(x)" in result.text
    torch = pytest.importorskip("torch")
    net = run(result.text)["Net"](["a", "b"])
    assert net(*2 * [torch.zeros(3, 1, dtype=torch.int32)]).shape == (3, 1)


def test_merging_a_list_of_tensors_lines_up_their_axes_behind_the_batch() -> None:
    text = ported("class Sum(layers.Layer):\n    def call(self, inputs):\n        return layers.Add()(inputs)\n").text
    assert "return sum(aligned(inputs))" in text


def test_a_list_that_a_variable_holds_is_merged() -> None:
    text = ported("def build(n):\n    found = {}\n    for i in range(n):\n        found[i] = keras.Input((4,))\n"
                  "    xs = [found[0], found[1]]\n    return keras.Model(found, layers.Add()(xs))\n").text
    assert "return FunctionalModel(found, sum(aligned(xs)))" in text


def test_split_into_as_many_parts_as_a_list_says() -> None:
    text = ported("class Parts(layers.Layer):\n    def call(self, x):\n        n = int(x.shape[-1])\n"
                  "        return tf.matmul(tf.split(x, n * [1], 2), tf.split(x, n * [1], 2), transpose_b=True)\n").text
    assert "torch.split(x, n * [1], 2)" in text and "torch.matmul(torch.stack(" in text


def normalised(before: str) -> str:
    return TABLE.replace("layers.Embedding(10, dim,", "layers.Embedding(10, dim, mask_zero=True,").replace(
        "    for units in hidden:\n", f"    if len(hidden) > 1:\n        x = layers.BatchNormalization()({before})\n"
        "    for units in hidden:\n")


def test_a_layer_that_stops_masks_stands_before_one_that_reads_them() -> None:
    assert "traced(nn.LazyBatchNorm1d(" in ported(normalised("x")).text
    told = ported(normalised("layers.Dense(2)(table[names[0]](inputs[names[0]]))"))
    assert any("whether a mask reaches" in f.message for f in told.findings)


IMAGES = '''
def stack(x, filters, dilations):
    for d in dilations:
        x = layers.DepthwiseConv2D(3, dilation_rate=d, padding='same')(x)
    return layers.Conv2D(filters, 1)(x)


def block(x, filters, dilations):
    xs = [stack(x, filters, [d]) for d in dilations]
    if len(xs) > 1:
        return layers.add(xs)
    return xs[0]


def Net(shape, widths=(4, 6), dilations=((1, 2), (1,))):
    found = {"input": keras.Input(shape)}
    x = found["input"]
    skips = []
    for w, d in zip(widths, dilations):
        x = block(x, w, d)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for i, w in enumerate(widths[::-1]):
        x = layers.UpSampling2D()(x)
        x = block(layers.concatenate([x, skips[::-1][i]]), w, (1,))
    return keras.Model(list(found.values()), x)
'''


def test_images_of_a_traced_model_keep_the_source_axes_where_paths_differ() -> None:
    """What a list, a branch or another function gives is channels last; the layers take their own order."""
    result = ported(IMAGES)
    assert not codes(result)
    assert "F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)" in result.text
    assert "groups=x.shape[-1]" in result.text
    import torch

    net = run(result.text)["Net"]((12, 16, 3))
    assert net(torch.zeros(2, 12, 16, 3)).shape == (2, 12, 16, 4)
    shapes = [tuple(p.shape) for p in net.parameters() if p.ndim == 4]
    assert shapes[:3] == [(3, 1, 3, 3), (4, 3, 1, 1), (3, 1, 3, 3)]


SHARED = '''
def block(x, filters, activation='relu'):
    x = layers.Conv2D(filters, 3, padding='same')(x)
    return layers.Activation(activation)(x)


def plain_net(shape):
    x = i = keras.Input(shape)
    for w in (4, 6):
        x = block(x, w)
    return keras.Model(i, block(x, 2, 'softmax'))


def nested_net(shape, widths=(4, 6)):
    i = keras.Input(shape)
    nest = [[] for _ in widths]
    nest[0].append(block(i, 3))
    for at, w in enumerate(widths):
        nest[at].append(block(nest[at][-1], w))
        if len(nest[at]) > 1:
            nest[at].append(layers.concatenate(nest[at]))
        if at + 1 < len(widths):
            nest[at + 1].append(nest[at][-1])
    return keras.Model([i], [block(nest[-1][-1], 2, 'softmax')])
'''


def test_what_a_traced_model_and_a_class_both_call_is_there_in_both_forms() -> None:
    """Softmax is along the channels in both, and a list of one output is the tensor, as in Keras."""
    result = ported(SHARED)
    assert not codes(result)
    for text in ("class Block(nn.Module):", "def traced_block(x, filters, activation='relu'):",
                 "class PlainNet(nn.Module)", "def nested_net(", "traced_block(i, 3)"):
        assert text in result.text
    import torch

    names = run(result.text)
    y = names["nested_net"]((6, 5, 3))(torch.rand(2, 6, 5, 3))
    assert y.shape == (2, 6, 5, 2)
    torch.testing.assert_close(y.sum(-1), torch.ones(2, 6, 5))


def test_softmax_of_one_table_is_along_the_channels_of_images_and_of_vectors() -> None:
    result = ported("def image(x, act):\n    return layers.Activation(act)(layers.Conv2D(3, 1)(x))\n\n\n"
                    "def vector(x, act):\n    return layers.Activation(act)(layers.Dense(3)(x))\n\n\n"
                    "def build(shape):\n    i = keras.Input(shape)\n    x = image(image(i, 'relu'), 'softmax')\n"
                    "    y = vector(vector(layers.Flatten()(i), 'relu'), 'softmax')\n"
                    "    return keras.Model(i, [x, y])\n")
    assert not codes(result) and ".movedim(" in result.text
    import torch

    x, y = run(result.text)["build"]((4, 5, 2))(torch.rand(2, 4, 5, 2))
    torch.testing.assert_close(x.sum(-1), torch.ones(2, 4, 5))
    torch.testing.assert_close(y.sum(-1), torch.ones(2))


def test_a_function_that_makes_inputs_is_traced_whoever_calls_it() -> None:
    result = ported(TABLE + "\n\ndef names_of(names):\n    return list(make_inputs(names))\n")
    assert not codes(result) and "symbolic_input(" in result.text
