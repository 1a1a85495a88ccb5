"""Models whose constructor builds the graph: `super().__init__(inputs=inputs, outputs=x)`."""

from __future__ import annotations

from typing import Any

import pytest

from port.result import Result
from port.translate import translate

NET = '''from tensorflow import keras
from tensorflow.keras import layers


class Net(keras.Model):
    """Two groups."""

    def __init__(self, filters, depth=2, **kwargs):
        self._filters = filters
        self._norm = layers.BatchNormalization
        inputs = keras.Input((8, 12, 3), name="image")
        x = self._stem(inputs)
        ends = {}
        for i in range(depth):
            x = self._group(x, filters * 2 ** i)
            ends[str(i)] = x
        super(Net, self).__init__(inputs=inputs, outputs=ends, **kwargs)

    def _stem(self, inputs):
        x = layers.Conv2D(self._filters, 3, padding="same")(inputs)
        return self._norm(axis=-1)(x)

    def _group(self, inputs, filters):
        return layers.Conv2D(filters, 3, strides=2, activation="relu")(inputs)

    def get_config(self):
        return {"filters": self._filters}

    @property
    def filters(self):
        return self._filters
'''


def ported(text: str) -> tuple[Result, set[str]]:
    result = translate(text, "tf2torch")
    return result, {f.code for f in result.findings if f.outcome.needs_person}


def test_the_constructor_builds_the_model() -> None:
    result, codes = ported(NET)
    assert not codes, result.findings
    net = result.text.partition("class Net(")[2]
    assert net.startswith('FunctionalModel):\n    """Two groups."""\n\n    def __init__(self, filters, depth=2):\n')
    assert "        super().__init__(inputs, ends)\n" in net
    assert "traced(nn.Conv2d(inputs.shape[1], self._filters, 3, padding='same').apply(init_weights))(" in net
    assert "    def filters(self):\n        return self._filters\n" in net and "_norm" not in net


def test_the_model_runs_and_holds_its_weights() -> None:
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(ported(NET)[0].text, "port", "exec"), names)
    net = names["Net"](4, depth=1)
    assert net.filters == 4 and len(list(net.parameters())) == 6
    out = net(torch.zeros(5, 8, 12, 3))
    assert list(out) == ["0"] and out["0"].shape == (5, 3, 5, 4)
    assert not torch.equal(names["Net"](4).layers[0].weight, net.layers[0].weight)


def test_layers_of_the_constructor_are_initialised_as_in_keras() -> None:
    text = ported('import keras\nfrom keras import layers\n\n\nclass A(keras.Model):\n    def __init__(self, n):\n'
                  '        i = keras.Input((4,))\n        super().__init__(i, layers.Dense(n)(i))\n\n\n'
                  'class B(keras.Model):\n    def __init__(self, n):\n        i = keras.Input((5,))\n'
                  '        super().__init__(i, layers.Dense(n)(i))\n')[0].text
    assert text.count(".apply(init_weights)") == 2 and "class A(FunctionalModel):" in text


@pytest.mark.parametrize("change", [
    ("        ends = {}\n", "        ends = {}\n        keras.utils.unheard(x)\n"),
    ("        super(Net, self).__init__(inputs=inputs, outputs=ends, **kwargs)\n",
     "        super(Net, self).__init__(**kwargs, **dict(inputs=inputs, outputs=ends))\n"),
    ("    @property\n", "    def call(self, x):\n        return super().call(x)\n\n    @property\n"),
])
def test_what_is_not_understood_leaves_the_class_whole(change: tuple[str, str]) -> None:
    result, codes = ported(NET.replace(*change))
    assert codes and "class Net(keras.Model):" in result.text and "symbolic_input" not in result.text


BACKBONE = '''import keras
from keras import layers


class Backbone(keras.Model):
    def __init__(self, vocab, dim, depth=2, dtype=None, **kwargs):
        self.embedding = layers.Embedding(vocab, dim)
        self.blocks = []
        for i in range(depth):
            self.blocks.append(layers.Dense(dim, activation="relu", name=f"block_{i}"))
        self.norm = layers.LayerNormalization(epsilon=1e-5)
        ids = keras.Input(shape=(None,), dtype="int32", name="ids")
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x)
        super().__init__(inputs={"ids": ids}, outputs=self.norm(x), dtype=dtype, **kwargs)
        self.dim = dim
'''


def test_layers_that_the_constructor_keeps_are_modules_of_the_model() -> None:
    result, codes = ported(BACKBONE)
    assert not codes, result.findings
    assert "def __init__(self, vocab, dim, depth=2):\n        nn.Module.__init__(self)  # before modules" in result.text
    assert "self.norm = nn.LayerNorm(dim, eps=1e-5)\n" in result.text
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(result.text, "port", "exec"), names)
    net = names["Backbone"](20, 8)
    assert len(list(net.parameters())) == 7 and net.embedding.weight.shape == (20, 8) and net.dim == 8
    net({"ids": torch.zeros(2, 7, dtype=torch.int64)}).sum().backward()
    assert net.embedding.weight.grad is not None


@pytest.mark.parametrize("given", ["dtype='float16'", "trainable=False", "unheard=3"])
def test_what_else_the_model_is_given_is_told_or_refused(given: str) -> None:
    result, codes = ported(BACKBONE.replace("dtype=dtype, **kwargs", given))
    assert codes or any(f.code == "P103" and "dtype" in f.message for f in result.findings)


def test_a_size_is_not_read_of_a_setting_that_changes() -> None:
    result, codes = ported(BACKBONE.replace("        ids = keras", "        dim = 3\n        ids = keras"))
    assert not codes and "self.norm = LazyLayerNorm(eps=1e-5)\n" in result.text
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(result.text, "port", "exec"), names)
    net = names["Backbone"](20, 8)
    assert net({"ids": torch.zeros(2, 7, dtype=torch.int64)}).shape == (2, 7, 8) and net.norm.weight.shape == (8,)
    assert net.dim == 3


def test_builder_functions_serve_such_classes_and_others() -> None:
    text = ("import keras\nfrom keras import layers\n\n\ndef conv(x, n):\n    return layers.Conv2D(n, 3)(x)\n\n\n"
            "class Net(keras.Model):\n    def __init__(self, n):\n        i = keras.Input((16, 16, 3))\n"
            "        super().__init__(i, conv(conv(i, n), n))\n\n\n"
            "def build(n):\n    i = keras.Input((16, 16, 3))\n    return keras.Model(i, conv(i, n))\n")
    result, codes = ported(text)
    assert not codes and "class Build(nn.Module):" in result.text, result.findings
    assert "class Net(FunctionalModel):" in result.text and "traced_conv(traced_conv(i, n), n)" in result.text


def test_other_classes_that_are_left_are_none_of_these() -> None:
    """One without a base ended the translation of the file."""
    text = ("import keras\n\n\nclass A:\n    def __init__(self, x):\n        self.x = keras.utils.unheard(x)\n"
            "        super().__init__(x, outputs=3)\n\n\nclass Mix(keras.Model, A):\n    def __init__(self, n):\n"
            "        i = keras.Input((3,))\n        super().__init__(i, keras.layers.Dense(n)(i))\n")
    result, codes = ported(text)
    assert codes == {"P201"} and "class Mix(keras.Model, A):" in result.text
