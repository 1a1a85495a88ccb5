"""Layers in lists and dicts, in Sequentials that nothing applies, and tensors that loops and branches lay out anew."""

from __future__ import annotations

import pytest

from port.result import Result
from port.translate import translate

HEAD = "import keras\nimport tensorflow as tf\nfrom keras import layers\n\n\n"


def ported(text: str) -> Result:
    return translate(HEAD + text, "tf2torch")


def model(init: str, call: str, head: str = "") -> Result:
    lines = [head, "class Net(keras.Model):", "    def __init__(self, widths=(4, 4)):", "        super().__init__()",
             *("        " + line for line in init.splitlines()), "", "    def call(self, x):",
             *("        " + line for line in call.splitlines()), ""]
    return ported("\n".join(lines))


def codes(result: Result) -> set[str]:
    return {f.code for f in result.findings if f.outcome.needs_person}


def test_a_sequential_without_input_keeps_the_axes_of_the_source() -> None:
    text = ported("def build():\n    return keras.Sequential([layers.Conv2D(8, 3), layers.BatchNormalization(), "
                  "layers.Flatten(), layers.Dense(3)])\n").text
    text = " ".join(text.split())
    assert "nn.Sequential( Permute(0, 3, 1, 2), nn.LazyConv2d(8, 3), nn.BatchNorm2d(8" in text
    assert "Permute(0, 2, 3, 1), nn.Flatten()" in text


def test_a_sequential_that_grows_learns_its_rank_from_a_later_layer() -> None:
    text = ported("def build():\n    net = keras.Sequential()\n    net.add(layers.Dense(5))\n"
                  "    net.add(layers.Conv1D(8, 3))\n    return net\n").text
    assert "net.append(Permute(0, 2, 1))" in text
    assert "nn.Conv1d(5, 8, 3)" in text


def test_a_batch_norm_over_axis_1_of_what_has_no_known_rank() -> None:
    result = ported("def build():\n    return keras.Sequential([layers.Dense(8), layers.BatchNormalization(axis=1)])\n")
    assert not codes(result)
    assert "nn.BatchNorm1d(" in result.text.replace("LazyBatchNorm1d", "BatchNorm1d")
    assert "Permute" not in result.text


def test_lists_of_lists_of_layers() -> None:
    result = model("self.blocks = []\nfor width in widths:\n"
                   "    self.blocks.append([layers.Conv2D(width, 3), layers.ReLU()])",
                   "for conv, act in self.blocks:\n    x = act(conv(x))\nreturn x")
    assert not codes(result)
    assert "self.blocks = nn.ModuleList()" in result.text
    assert "self.blocks.append(nn.ModuleList([nn.LazyConv2d(width, 3), nn.ReLU()]))" in result.text


def test_dicts_of_layers() -> None:
    result = model("self.blocks = []\nfor width in widths:\n    block = {}\n"
                   "    block['conv'] = layers.Conv2D(width, 3)\n    self.blocks.append(block)\n"
                   "self.heads = {'a': layers.Dense(3)}",
                   "for block in self.blocks:\n    x = block['conv'](x)\n"
                   "return self.heads['a'](tf.reduce_mean(x, axis=[1, 2]))")
    assert not codes(result)
    assert "block = nn.ModuleDict()" in result.text
    assert "self.heads = nn.ModuleDict({'a': nn.Linear(width, 3)})" in result.text
    assert "torch.mean(x, dim=(2, 3))" in result.text


def test_a_key_that_holds_one_of_two_layers_is_refused() -> None:
    result = model("self.part = {}\nif len(widths) > 1:\n    self.part['a'] = layers.Conv2D(3, 3)\nelse:\n"
                   "    self.part['a'] = layers.Dense(3)", "return self.part['a'](x)")
    assert "P204" in codes(result)


def test_a_loop_takes_its_tensor_channels_first_once() -> None:
    result = model("self.dense = layers.Dense(48)\nself.blocks = [layers.Conv2DTranspose(3, 3) for _ in widths]",
                   "x = tf.reshape(self.dense(x), widths_of(x))\nfor block in self.blocks:\n    x = block(x)\nreturn x",
                   "def widths_of(x):\n    return (-1, 4, 4, 3)\n\n")
    assert not codes(result)
    loop = result.text[result.text.index("        for block"):]
    assert "x = block(x)" in loop
    assert result.text.count("permute(0, 3, 1, 2)") == 1


def test_what_an_unknown_call_makes_of_an_image_is_no_image_any_more() -> None:
    result = model("self.conv = layers.Conv2D(3, 3)\nself.after = layers.Conv2D(3, 3)\nself.extra = widths",
                   "x = self.conv(x)\nif self.extra:\n    x = CHOICES[self.extra](x)\nreturn self.after(x)",
                   "CHOICES = vars(__builtins__)\n")
    assert not codes(result)
    assert "x = self.conv(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)\n" in result.text
    assert "return self.after(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)\n" in result.text


def test_a_dict_of_activations_keeps_the_layout() -> None:
    result = model("self.conv = layers.Conv2D(3, 3)\nself.kind = 'relu'",
                   "x = self.conv(x)\nif self.kind is not None:\n    x = ACTS[self.kind](x)\nreturn x",
                   "ACTS = {None: lambda x: x, 'relu': tf.nn.relu}\n\n\n")
    assert not codes(result)
    assert "x = ACTS[self.kind](x)\n" in result.text


def test_a_lambda_layer_over_names_of_the_constructor_is_called() -> None:
    result = model("size = len(widths)\nself.scale = layers.Lambda(lambda x: x * size)", "return self.scale(x)")
    assert not codes(result)
    assert "return self.scale(x)" in result.text


def test_positional_arguments_of_lazy_same_convolutions_go_back() -> None:
    there = model("self.conv = layers.Conv2D(6, 3, strides=2, padding='same')", "return self.conv(x)").text
    assert "LazyConv2dSame(6, 3, stride=2)" in there
    assert 'layers.Conv2D(6, 3, strides=2, padding="same")' in translate(there, "torch2tf").text


def test_whole_numbers_that_meet_an_open_dtype_are_promoted_as_in_torch() -> None:
    source = ("import torch\n\n\ndef hits(scores, wanted):\n    best = torch.argmax(scores, dim=1)\n"
              "    return torch.cat([best, best]), best == wanted[:, 0], torch.eq(best, wanted[:, 0])\n")
    text = translate(source, "torch2tf").text
    assert text.count("keras.ops.equal(best, wanted[:, 0])") == 2
    assert "keras.ops.concatenate([best, best]" in text


KEPT = {
    "tuple": ("self.held = (layers.Dense(4), layers.Dense(4))", "nn.ModuleList([nn.LazyLinear(4), nn.Linear(4, 4)])"),
    "bare tuple": ("self.held = layers.Dense(4), layers.Dense(4)", "nn.ModuleList(["),
    "sum": ("self.held = [layers.Dense(4)] + [layers.Dense(4) for _ in range(2)]", "nn.ModuleList([nn.Lazy"),
    "repeated": ("self.held = [layers.Dense(4)] * 2", "nn.ModuleList([nn.LazyLinear(4)] * 2)"),
    "list of a generator": ("self.held = list(layers.Dense(4) for _ in range(2))", "nn.ModuleList(nn.Lazy"),
    "variable": ("held = [layers.Dense(4)]\n        self.held = held", "self.held = nn.ModuleList(held)"),
    "part": ("held = [layers.Dense(4), layers.Dense(4)]\n        self.held = held[:1]", "nn.ModuleList(held[:1])"),
    "or none": ("self.held = [layers.Dense(4) if i else None for i in range(2)]", "nn.ModuleList([nn.Lazy"),
}
LOST = {
    "dict call": "self.held = dict(a=layers.Dense(4))",
    "numbered": "self.held = {i: layers.Dense(4) for i in range(2)}",
    "filled later": "held = []\n        self.held = held\n        held.append(layers.Dense(4))",
}
WHOLE = """import keras
from keras import layers


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        {}

    def call(self, x):
        for layer in self.held:
            x = layer(x)
        return x
"""


@pytest.mark.parametrize(("line", "wanted"), KEPT.values(), ids=KEPT)
def test_nn_module_finds_the_layers_of_a_sequence(line: str, wanted: str) -> None:
    assert wanted in translate(WHOLE.format(line), "tf2torch").text


@pytest.mark.parametrize("line", LOST.values(), ids=LOST)
def test_what_nn_module_would_not_find_is_refused(line: str) -> None:
    made = translate(WHOLE.format(line), "tf2torch")
    assert "class Net(keras.Model)" in made.text and any(f.code == "P206" for f in made.findings)


def test_layers_of_the_class_and_of_the_file() -> None:
    made = translate("import keras\nfrom keras import layers\n\n\nclass Net(keras.Model):\n"
                     "    dense = layers.Dense(3)\n\n    def call(self, x):\n        return self.dense(x)\n",
                     "tf2torch")
    assert "class Net(keras.Model)" in made.text and [f.code for f in made.findings] == ["P206"]
    made = translate("import keras\nfrom keras import layers\n\nshared = layers.Dense(4)\n\n\ndef build():\n"
                     "    x = keras.Input((4,))\n    return keras.Model(x, shared(shared(x)))\n", "tf2torch")
    assert "self.shared = shared" in made.text and "self.shared(self.shared(x))" in made.text


def test_layers_outside_of_models_have_the_initial_values_of_keras() -> None:
    result = ported("shared = layers.Dense(4)\nproj = layers.Dense(5, kernel_initializer='he_normal')\n"
                    "heads = [layers.Dense(3), layers.Dense(4)]\nfor i in range(3):\n"
                    "    heads.append(layers.Dense(i + 1))\n\n\ndef make(n):\n    h = layers.Dense(n)\n"
                    "    return h\n\n\n"
                    "def f(x):\n    return heads[0](proj(shared(x)))\n")
    assert not codes(result)
    assert "shared = nn.LazyLinear(4).apply(init_weights)\n" in result.text
    assert "proj = nn.Linear(4, 5)\nproj.apply(init_weights)\nhe_normal_(proj.weight)\n" in result.text
    assert "nn.Linear(5, 3).apply(init_weights), nn.LazyLinear(4).apply(init_weights)]" in result.text
    assert "heads.append(nn.LazyLinear(i + 1).apply(init_weights))" in result.text
    assert "    h.apply(init_weights)\n    return h\n" in result.text


def test_layers_that_a_model_holds_are_initialised_with_it_alone() -> None:
    result = ported("def build():\n    net = keras.Sequential()\n    for i in range(3):\n"
                    "        net.add(layers.Dense(4))\n    net.add(layers.Dense(2))\n    return net\n")
    assert result.text.count("apply(init_weights)") == 1


def test_a_layer_outside_of_a_model_has_no_size_that_only_the_model_knows() -> None:
    result = ported("shared = layers.Dense(4)\n\n\nclass Net(keras.Model):\n    def __init__(self):\n"
                    "        super().__init__()\n        self.out = layers.Dense(2)\n\n"
                    "    def call(self, x):\n        return self.out(shared(x))\n")
    assert "in_features" not in result.text and "shared = nn.LazyLinear(4)" in result.text
    assert "P102" in {f.code for f in result.findings}


@pytest.mark.parametrize("head", ["def f(x, h=layers.Dense(4)):\n    return h(x)\n",
                                  "class Net(keras.Model):\n    def call(self, x, h=layers.Dense(3)):\n"
                                  "        return h(x)\n"])
def test_a_layer_as_a_default_argument_is_refused(head: str) -> None:
    result = ported(head)
    assert codes(result) == {"P206"} and "layers.Dense(" in result.text and "nn." not in result.text


def test_a_layer_held_until_its_sequential_takes_it_goes_there() -> None:
    result = ported("""def build(width, n):
    inputs = keras.Input((12, 10, 3))
    # the first one
    first = layers.Conv2D(width, 3, padding="same")  # keeps the size
    model = keras.Sequential([inputs, first, layers.ReLU()])
    for i in range(n):
        conv = layers.Conv2D(width, 3, strides=2)
        model.add(conv)
    head = layers.GlobalMaxPooling2D()
    model.add(head)
    return model


def tag():
    x = keras.Input((7, 5))
    cell = layers.Dense(4)
    return keras.Model(x, layers.TimeDistributed(cell)(x))
""")
    text = " ".join(result.text.split())
    assert not codes(result)
    assert "# the first one # keeps the size model = nn.Sequential(Permute(0, 3, 1, 2), nn.Conv2d(3, width, 3" in text
    assert "model.append(nn.LazyConv2d(width, 3, stride=2))" in text
    assert "nn.Linear(5, 4)" in text


@pytest.mark.parametrize("lines", [
    "first = layers.Dense(n)\nn = 3\nreturn keras.Sequential([first, layers.Dense(n)])",  # another n
    "first = layers.Dense(n)\nmodel = keras.Sequential([first])\nfirst.trainable = False\nreturn model",
    "first = layers.Dense(n)\nfor i in range(2):\n    model = keras.Sequential([first])\nreturn model"])
def test_a_layer_that_would_mean_something_else_there_stays(lines: str) -> None:
    result = ported("def build(n):\n    " + lines.replace("\n", "\n    ") + "\n")
    assert "layers.Dense(n)" in result.text
    assert codes(result)


def test_layers_made_among_tensors_are_written_where_they_are_called() -> None:
    """`torch.cat(dim=-1)` and `dot(axes=...)` without inputs, which is what was left of the first lines, raised."""
    text = ported("def attend(q, m):\n    score = layers.Dot(axes=[2, 2])\n    soft = layers.Softmax()\n"
                  "    join = layers.Concatenate()\n    return join([q, soft(score([q, m]))])\n").text
    assert text.endswith("def attend(q, m):\n    return torch.cat([q, F.softmax(dot([q, m], axes=[2, 2]), dim=-1)], "
                         "dim=-1)\n")


def test_a_function_is_no_layer_object() -> None:
    result = ported("def make(wide):\n    return [layers.Concatenate(axis=1), wide]\n")
    assert codes(result) == {"P206"}
    assert "layers.Concatenate(axis=1)" in result.text


def test_layers_of_a_list_that_a_setting_gives_their_activations_are_modules_with_them() -> None:
    result = model("self.sub = []\nfor n in widths[:-1]:\n    self.sub.append(layers.Dense(n, activation=inner))\n"
                   "self.sub.append(layers.Dense(widths[-1], activation=outer))",
                   "for layer in self.sub:\n    x = layer(x)\nreturn x")
    assert codes(result)  # no call shows the activations
    shown = ported(result.source.removeprefix(HEAD).replace("widths=(4, 4)", "widths=(4, 4), inner='relu', outer=None")
                   + "\n\nnet = Net(outer='sigmoid')\n")
    assert not codes(shown)
    assert "nn.Sequential(nn.LazyLinear(n), Lambda(ACTIVATIONS[inner]))" in shown.text
    assert "nn.Sequential(nn.LazyLinear(widths[-1]), Lambda(ACTIVATIONS[outer]))" in shown.text


def test_a_member_of_a_class_is_no_import() -> None:
    """What stays in TensorFlow and names one is given its line, behind those that this needs."""
    text = ported("Feature = tf.tpu.experimental.HardwareFeature.EmbeddingFeature\n_V1 = Feature.V1\n\n\n"
                  "def is_one(x):\n    return x == _V1\n").text
    assert ("    import tensorflow as tf\n    Feature = tf.tpu.experimental.HardwareFeature.EmbeddingFeature\n"
            "    _V1 = Feature.V1\n") in text


SHARED = "SETTINGS = {'padding': 'same', 'strides': (2, 2), 'use_bias': False}\n\n\n"
MADE = ("self.a = layers.Conv2D(4, 3, **SETTINGS)\nown = dict(strides=2, use_bias=True)\n"
        "self.b = layers.Conv2D(5, 1, **own)")


def test_settings_that_calls_share_are_written_out() -> None:
    result = model(MADE, "return self.b(self.a(x))", head=SHARED)
    assert not codes(result) and "**" not in result.text and "own" not in result.text
    assert "nn.Conv2d(4, 5, 1, stride=2, bias=True)" in result.text and "4, 3, stride=(2, 2), bias=False" in result.text


@pytest.mark.parametrize("line", ["SETTINGS['padding'] = 'valid'\n", "print(SETTINGS)\n",
                                  "SETTINGS = dict(strides=1)\n",
                                  "def change():\n    SETTINGS.update(strides=1)\n"])
def test_settings_that_something_else_reads_or_changes_stay(line: str) -> None:
    result = model(MADE, "return self.b(self.a(x))", head=SHARED + line)
    assert codes(result) == {"P202"} and "**SETTINGS" in result.text
