"""Layers that lists or variables hold by a setting: read as made and applied in their branch, or refused."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.tf2torch.rules import chosen, options, relocate
from port.translate import translate
from port.verify.parent import Case

HEAD = "import keras\nimport tensorflow as tf\nfrom keras import Sequential, layers\n\n\n"
SEQUENTIAL = HEAD + '''
def stem():
    inputs = keras.Input((32, 48, 3))
    stem = Sequential([layers.Conv2D(4, 4, strides=4), layers.LayerNormalization(epsilon=1e-6)])
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(stem(inputs)))
'''
SHELF = HEAD + '''
def shelf(dims=(4, 6, 8), depths=(1, 2, 1)):
    inputs = keras.Input((32, 48, 3))
    x = inputs
    stem = Sequential([layers.Conv2D(dims[0], 4, strides=4), layers.LayerNormalization(epsilon=1e-6)])
    downs = []
    downs.append(stem)
    for i in range(2):
        down = Sequential([layers.LayerNormalization(epsilon=1e-6), layers.Conv2D(dims[i + 1], 2, strides=2)])
        downs.append(down)
    for i in range(3):
        x = downs[i](x)
        for j in range(depths[i]):
            x = layers.Dense(dims[i])(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
'''
CHOSEN = HEAD + '''
def choice(kind="a"):
    inputs = keras.Input((8,))
    if kind == "a":
        layer = layers.Dense(6, use_bias=False)
    elif kind == "b":
        layer = layers.Dense(6, activation="relu")
    else:
        layer = layers.Activation("tanh")
    x = inputs + layers.Dense(8)(layer(inputs))
    return keras.Model(inputs, x)
'''
OTHERS = {
    "function": HEAD + '''
def build(sharp=False):
    inputs = keras.Input((8,))
    act = tf.nn.relu if not sharp else tf.nn.tanh
    if sharp:
        act = tf.nn.gelu
    return keras.Model(inputs, act(layers.Dense(4)(inputs)))
''',
    "attribute": HEAD + '''
class M(keras.Model):
    def __init__(self, kind):
        super().__init__()
        if kind == "a":
            self.layer = layers.Dense(3)
        else:
            self.layer = layers.Dense(3, activation="relu")

    def call(self, x):
        return self.layer(x)
''',
    "too early": HEAD + '''
def build():
    inputs = keras.Input((32, 48, 3))
    x = inputs
    stem = Sequential([layers.Conv2D(4, 4, strides=1, padding="same"), layers.LayerNormalization(epsilon=1e-6)])
    for i in range(1):
        x = stem(x)
    return keras.Model(inputs, layers.Dense(2)(x))
'''}


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_numbers(tmp_path: Path) -> None:
    text = SEQUENTIAL + SHELF.removeprefix(HEAD) + CHOSEN.removeprefix(HEAD)
    assert not refused(text)
    cases = [Case(c, ("f32[2,32,48,3]",)) for c in ("stem()", "shelf()")]
    cases += [Case(f"choice({k!r})", ("f32[3,8]",)) for k in "abc"]
    assert len(cases) == 5
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch", cases)


def test_a_sequential_is_an_attribute_and_not_made_in_forward() -> None:
    assert "self.stem = nn.Sequential(" in translate(SEQUENTIAL, "tf2torch").text


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_told_is_refused_or_traced(name: str) -> None:
    """Verified once: a Sequential that channels last reach at first, and what leaves it afterwards."""
    assert refused(OTHERS[name]) or "x = traced(stem)(x)" in translate(OTHERS[name], "tf2torch").text


def test_an_attribute_of_layers_that_are_called_alike_is_not_refused() -> None:
    text = OTHERS["attribute"].replace(', activation="relu"', ", use_bias=False")
    assert not refused(text)


@pytest.mark.parametrize("change", [
    ("downs.append(down)", "downs.append(down)\n        print(downs)"), ("x = downs[i](x)", "x = downs[i - 1](x)"),
    ("x = downs[i](x)", "x = downs[i](x)\n        x = downs[i](x)"), ("for i in range(2)", "for i in dims"),
    ("    for i in range(3):", "    dims = (1, 2, 3)\n    for i in range(3):")])
def test_lists_that_are_used_in_other_ways_stay(change: tuple[str, str]) -> None:
    text = SHELF.replace(*change)
    assert text != SHELF
    module = cst.parse_module(text)
    assert relocate.rewrite(module) is module
    assert relocate.rewrite(cst.parse_module(SHELF)).code != SHELF


@pytest.mark.parametrize("change", [
    ('layer = layers.Activation("tanh")', 'other = layers.Activation("tanh")'),
    ("(layer(inputs))", "(layer(layer(inputs)))"), ("    x = inputs +", "    print(layer)\n    x = inputs +")])
def test_variables_that_are_used_in_other_ways_stay(change: tuple[str, str]) -> None:
    text = CHOSEN.replace(*change)
    assert text != CHOSEN
    module = cst.parse_module(text)
    assert chosen.rewrite(module) is module
    assert "layer_out" in chosen.rewrite(cst.parse_module(CHOSEN)).code


def test_a_choice_between_other_calls_stays_as_written() -> None:
    text = SHELF + '''

def scaled(x, wide):
    if wide:
        scale = make_scale(2)
    else:
        scale = make_scale(1)
    return scale(x)
'''
    assert text.partition("\n\n\ndef scaled")[2] in translate(text, "tf2torch").text


def test_a_comprehension_binds_its_own_variable() -> None:
    """`args` of the sum is not the `args` of the loop below it."""
    text = HEAD + '''
def build(blocks=({"filters": 4}, {"filters": 6})):
    x = inputs = keras.Input((8, 8, 3))
    total = float(sum(args["filters"] for args in blocks))
    for args in blocks:
        x = layers.Conv2D(args["filters"], 1)(x)
    return keras.Model(inputs, layers.Dropout(1 / total)(x))
'''
    assert not refused(text)


def test_nothing_is_left_of_a_function_whose_branches_are_all_refused() -> None:
    """Its source stays, with one reason; no class without a body."""
    text = HEAD + '''
def block(x, kind):
    if kind == "a":
        x = layers.Nothing()(x)
    else:
        x = layers.Nowhere()(x)
    return layers.Dense(4)(x)


def build(kind="a"):
    inputs = keras.Input((8,))
    return keras.Model(inputs, block(inputs, kind))
'''
    result = translate(text, "tf2torch").text
    assert "class Block" not in result and "x = layers.Nothing()(x)" in result


def test_tensors_of_a_call_are_passed_by_name_where_they_are_out_of_order() -> None:
    text = HEAD + '''
def cell(a, b):
    return layers.concatenate([layers.Dense(4)(a), b])


def build():
    x = keras.Input((8,))
    y = keras.Input((8,))
    return keras.Model([x, y], cell(b=x, a=y))
'''
    assert "self.cell(b=x, a=y)" in translate(text, "tf2torch").text


def test_imports_that_a_setting_chooses() -> None:
    text = '''from package import TF
if TF:
    from tensorflow.keras.layers import Dense
else:
    from keras.layers import Dense


def head(x):
    return Dense(3)(x)
'''
    result = translate(text, "tf2torch").text
    assert "if TF" not in result and "package" not in result


def test_what_a_class_loses_leaves_no_trace() -> None:
    """`*args, **kwargs` for the base class, and the brackets of a list of layers."""
    text = HEAD + '''
class Head(layers.Layer):
    def __init__(self, *args, units, **kwargs):
        super().__init__(*args, **kwargs)
        self.head = Sequential(
            [
                layers.Dense(units),
                layers.Dense(units, activation="relu"),
            ]
        )

    def call(self, inputs):
        return tf.cast(
            self.head(inputs),
            dtype=inputs.dtype,
        )


def build():
    inputs = keras.Input((8,))
    return keras.Model(inputs, Head(units=3)(inputs))
'''
    result = translate(text, "tf2torch").text
    assert "def __init__(self, in_features, *, units):" in result
    assert "self.head = nn.Sequential(\n            nn.Linear(in_features, units)," in result
    assert "return self.head(inputs).to(dtype=inputs.dtype)" in result


def test_a_parameter_that_a_layer_is_applied_to_is_a_tensor() -> None:
    """Blocks of a file that only others use become classes too."""
    text = HEAD + '''
def block(x, skip, filters, activation=True):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    skip = layers.Conv2D(filters, 1)(skip)
    if activation:
        x = layers.ReLU()(x)
    return layers.concatenate([x, skip])
'''
    result = translate(text, "tf2torch").text
    assert "class Block(nn.Module):" in result and "def forward(self, x, skip):" in result
    assert "def __init__(self, x_channels, skip_channels, filters, activation=True):" in result


def test_a_setting_that_one_path_changes_is_stored_on_every_path() -> None:
    text = HEAD + '''
def block(x, mode=None):
    if mode is None:
        mode = "a"
    x = layers.Dense(4)(x)
    if mode == "a":
        x = layers.ReLU()(x)
    return x


def build(mode=None):
    inputs = keras.Input((8,))
    return keras.Model(inputs, block(inputs, mode))
'''
    result = translate(text, "tf2torch").text
    assert '            mode = "a"\n        self.mode = mode\n' in result


def test_a_setting_that_changes_after_it_was_used_stays_where_it_is() -> None:
    """`forward` would read its last value at both places: the model is traced."""
    text = HEAD + '''
def block(x, mode="a"):
    x = layers.Dense(4)(x)
    if mode == "a":
        x = layers.ReLU()(x)
    mode = "b"
    if mode == "a":
        x = layers.Softmax()(x)
    return x


def build():
    inputs = keras.Input((8,))
    return keras.Model(inputs, block(inputs))
'''
    assert not refused(text)
    text = translate(text, "tf2torch").text
    assert text.index("F.relu(x)") < text.index('    mode = "b"') < text.index("nn.Softmax(dim=-1)")


KEPT_APART = {  # which of several tensors it is decides where its channels are
    "nested lists": "outs = [[y, y], [y]]\n        return outs",
    "tensor or tuple": "return self.either(y)",
}


@pytest.mark.parametrize("name", KEPT_APART)
def test_containers_whose_layouts_cannot_be_told_get_the_axes_of_the_source(name: str, tmp_path: Path) -> None:
    text = f"""
import keras
from keras import layers


class Net(keras.Model):
    def __init__(self, flag=True):
        super().__init__()
        self.flag = flag
        self.conv = layers.Conv2D(4, 3)

    def either(self, x):
        if self.flag:
            return x, x
        return x

    def call(self, x):
        y = self.conv(x)
        {KEPT_APART[name]}
"""
    assert not refused(text)
    agree(tmp_path, text, translate(text, "tf2torch").text, "tf2torch",
          [Case(f"Net({flag})", ("f32[2,6,5,3]",)) for flag in (True, False)])


def test_one_of_two_functions_without_layers_of_their_own_is_a_value() -> None:
    text = HEAD + '''
def relu(x):
    return layers.ReLU()(x)


def swish(x):
    return layers.Activation("hard_swish")(x)


def block(x, activation):
    return activation(layers.Dense(4)(x))


def build(simple=True):
    inputs = keras.Input((8,))
    if simple:
        activation = relu
    else:
        activation = swish
    return keras.Model(inputs, activation(block(inputs, activation)))
'''
    assert not refused(text)
    result = translate(text, "tf2torch").text
    assert "def swish(x):\n    return F.hardswish(x)" in result and "self.activation = activation" in result


def test_a_model_that_is_made_among_tensors_is_kept_by_the_class() -> None:
    """Nothing else would keep its weights."""
    text = HEAD + '''
def trunk():
    return Sequential([keras.Input((8, 6, 3)), layers.Conv2D(4, 3)])


def build():
    inputs = keras.Input((8, 6, 3))
    return keras.Model(inputs, trunk()(inputs))
'''
    assert not refused(text) and "self.trunk = trunk()" in translate(text, "tf2torch").text


def test_layers_that_a_list_of_lists_holds_are_not_guessed() -> None:
    text = HEAD + '''
class Net(keras.Model):
    def __init__(self, depth=2):
        super().__init__()
        self.steps = [[layers.Conv2D(4, 3), layers.ReLU()] for _ in range(depth)]

    def call(self, x):
        for conv, act in self.steps:
            x = act(conv(x))
        return x
'''
    assert any("what `conv` is is not known" in m for m in refused(text))


ONE = HEAD + '''
def chosen_block(x, name, repeats):
    if name == "wide":
        block = layers.Dense
    else:
        raise ValueError(name)
    x = block(6)(x)
    for _ in range(1, repeats):
        x = block(
            6, activation="relu")(x)
    return x


def one(name="wide"):
    inputs = keras.Input((8,))
    return keras.Model(inputs, chosen_block(inputs, name, 3))
'''


def test_a_choice_of_one_is_no_choice(tmp_path: Path) -> None:
    new = options.rewrite(cst.parse_module(ONE)).code
    assert "else:" not in new and "if name not in ('wide',)" in new.replace('"', "'")
    text = translate(ONE, "tf2torch").text
    agree(tmp_path, ONE, text, "tf2torch", [Case("one()", ("f32[2,8]",))])
