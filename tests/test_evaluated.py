"""Layer classes that a setting names: `eval(activation)()`."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from proving import agree

from port.findings import CATALOGUE, Outcome
from port.tf2torch.rules import evaluated
from port.translate import translate
from port.verify.parent import Case

SOURCE = '''
from __future__ import absolute_import

from keras.layers import ELU, Activation, BatchNormalization, Conv2D, Input, ReLU, Softmax
from keras.models import Model


def stack(x, filters, depth=2, activation="ReLU", batch_norm=False, name="stack"):
    for i in range(depth):
        make = eval(activation)
        x = Conv2D(filters, 3, padding="same", name="{}_{}".format(name, i))(x)
        if batch_norm:
            x = BatchNormalization(axis=3)(x)
        # by its name
        make = eval(activation)
        x = make(name="{}_{}_activation".format(name, i))(x)
    return x


def net(input_size, labels, activation="ReLU", output="Softmax"):
    unused = eval(activation)
    inputs = Input(input_size)
    x = stack(inputs, 8, activation=activation, batch_norm=True)
    x = stack(x, 4, activation="ELU", name="second")
    x = Conv2D(labels, 1)(x)
    if output:
        if output == "Sigmoid":
            x = Activation("sigmoid")(x)
        else:
            make = eval(output)
            x = make()(x)
    return Model(inputs=[inputs], outputs=[x])
'''


def refused(text: str) -> list[str]:
    return [f.message for f in translate(text, "tf2torch").findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]


def test_a_class_by_its_name_is_its_activation(tmp_path: Path) -> None:
    text = translate(SOURCE, "tf2torch").text
    assert not refused(SOURCE)
    assert "eval(" not in text and "# by its name" in text
    agree(tmp_path, SOURCE, text, "tf2torch", [Case("net((8, 6, 3), 5)", ("f32[2,8,6,3]",))])


@pytest.mark.parametrize(("old", "new", "word"), [
    ("import ELU, ", "import PReLU, ", "'PReLU'"),  # it has weights
    ("import ELU, ", "import PReLU as ELU, ", "'ELU'"),  # another class of that name
    ("make()(x)", "make(axis=1)(x)", "'Softmax'"),
    ("make()(x)", "make()(x)\n            print(make)", "'Softmax'"),
])
def test_what_is_no_activation_is_told(old: str, new: str, word: str) -> None:
    text = SOURCE.replace(old, new)
    text = text.replace('"ELU"', '"PReLU"') if "PReLU, " in new else text
    assert refused(text)
    assert f"{word}: " not in translate(text, "tf2torch").text


def test_a_name_that_the_file_does_not_have_cannot_arrive() -> None:
    text = SOURCE + '\n\ndef sure():\n    return net((8, 6, 3), 5, output="Sigmoid")\n'
    assert not refused(text)
    assert "'Sigmoid': " not in translate(text, "tf2torch").text


@pytest.mark.parametrize("body", [
    "p = 'ELU'\n    make = eval(p)\n    return make()(x)", "make = eval(p)\n    return run(make, x)",
    "make = eval(p)\n    make = ELU\n    return make()(x)", "make = eval(p + 'U')\n    return make()(x)"])
def test_variables_that_may_be_something_else_stay(body: str) -> None:
    module = cst.parse_module(f"def f(x, p):\n    {body}\n")
    assert evaluated.rewrite(module) is module


GATE = '''
from keras.layers import Conv2D, Input, add, multiply, concatenate
from keras.models import Model


def gate(x, g, channel, attention="add", name="gate"):
    join = eval(attention)
    a = Conv2D(channel, 1, name=name + "_a")(x)
    b = Conv2D(channel, 1, name=name + "_b")(g)
    # both of them
    query = join([a, b], name=name + "_join")
    return Conv2D(1, 1)(query)


def net(size, attention="add"):
    inputs = Input(size)
    x = Conv2D(5, 3, padding="same")(inputs)
    return Model(inputs, gate(x, inputs, 4, attention=attention))
'''


def test_a_merge_by_its_name_is_a_branch(tmp_path: Path) -> None:
    text = translate(GATE, "tf2torch").text
    assert not refused(GATE) and "eval(" not in text and "# both of them" in text
    assert 'if attention not in ("add", "multiply"):' in text
    cases = [Case(f"net((6, 4, 3), {kind!r})", ("f32[2,6,4,3]",)) for kind in ("add", "multiply")]
    agree(tmp_path, GATE, text, "tf2torch", cases)


@pytest.mark.parametrize(("old", "new"), [
    ('eval(attention)\n', 'eval(attention)\n    add = None\n'), ("add, multiply, ", ""), ('="add"', '="concatenate"'),
    ('eval(attention)\n', 'eval(attention)\n    attention = "multiply"\n'),
    ("import Conv2D, Input, add", "import Conv2D, Input, Add as add"),
])
def test_what_may_be_no_merge_is_told(old: str, new: str) -> None:
    text = GATE.replace(old, new)
    assert text != GATE and refused(text)


def test_imports_stay_behind_those_from_the_future() -> None:
    text = ("\nfrom __future__ import division\n\nimport tensorflow as tf\n\n\ndef f(x):\n"
            "    return tf.sqrt(2.0) * tf.abs(x)\n")
    result = translate(text, "tf2torch").text
    assert "import math" in result
    compile(result, "output", "exec")


OWN = '''import tensorflow as tf
from tensorflow.keras.layers import Dense, Input, Layer, ReLU
from tensorflow.keras.models import Model


def soft(x):
    return 0.5 * x * (1.0 + tf.math.tanh(0.8 * x))


class Soft(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        return soft(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


def mlp(x, widths, activation="Soft"):
    make = eval(activation)
    for n in widths:
        x = Dense(n)(x)
        x = make()(x)
    return x


def net(activation="Soft"):
    inputs = Input((5,))
    return Model(inputs, mlp(mlp(inputs, [4, 6], activation), [3], "ReLU"))
'''


def test_a_class_of_the_user_that_is_one_function_is_an_entry_too(tmp_path: Path) -> None:
    text = translate(OWN, "tf2torch").text
    assert not refused(OWN)
    assert "'Soft': lambda x: Soft()(x)}" in text
    agree(tmp_path, OWN, text, "tf2torch", [Case("net()", ("f32[2,5]",))])


@pytest.mark.parametrize(("old", "new"), [
    ("return soft(inputs)", "return self.scale * soft(inputs)"),
    ("return soft(inputs)", "return soft(inputs) if mask is None else inputs"),
    ("return input_shape", "return input_shape[:-1]"),
    ("self.supports_masking = True", "self.supports_masking = True\n        self.inner = Dense(3)"),
    ("def __init__(self, **kwargs)", "def __init__(self, beta, **kwargs)"),
    ("def compute_output_shape", "def other"),
])
def test_a_class_of_the_user_that_keeps_something_is_told(old: str, new: str) -> None:
    assert any("`eval" in message for message in refused(OWN.replace(old, new)))
