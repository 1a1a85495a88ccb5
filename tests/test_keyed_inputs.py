"""Dicts of inputs of functional models: what is not followed is traced; the rest is proven by tests/rules/builders."""

from __future__ import annotations

from typing import Any

import pytest

from port.translate import translate

HEAD = "import keras\nfrom keras import layers\n\n\ndef build():\n"
ENDS = "    return keras.Model(inputs, layers.Dense(2)(layers.Add()(xs)))\n"
TWO = '    inputs = {"a": keras.Input((4,)), "b": keras.Input((4,))}\n'
TRACED = {
    "loop": TWO + "    xs = []\n    for name, x in inputs.items():\n        xs.append(layers.Dense(3, name=name)(x))\n",
    "keys": TWO + "    xs = []\n    for name in inputs:\n        xs.append(layers.Dense(3)(inputs[name]))\n",
    "comprehension": TWO + "    xs = [layers.Dense(3)(x) for x in inputs.values()]\n",
    "put in later": '    inputs = {}\n    inputs["a"] = keras.Input((4,))\n    inputs["b"] = keras.Input((4,))\n'
                    '    xs = [inputs["a"], inputs["b"]]\n',
    "comprehended": '    inputs = {k: keras.Input((4,)) for k in "ab"}\n    xs = [inputs["a"], inputs["b"]]\n',
    "other keys": '    inputs = {1: keras.Input((4,)), 2: keras.Input((4,))}\n    xs = [inputs[1], inputs[2]]\n',
}


@pytest.mark.parametrize("body", TRACED.values(), ids=TRACED)
def test_traced(body: str) -> None:
    """Tensors go where the keys say, whatever their order in the dict that is given."""
    made = translate(HEAD + body + ENDS, "tf2torch")
    assert not [f for f in made.findings if f.outcome.needs_person]
    torch = pytest.importorskip("torch")
    names: dict[str, Any] = {}
    exec(compile(made.text, "port", "exec"), names)
    model = names["build"]()
    keys = list(model.input)
    given = {key: torch.full((2, 4), float(i)) for i, key in enumerate(keys)}
    assert torch.equal(model(given), model({key: given[key] for key in reversed(keys)}))
    assert not torch.equal(model(given), model(dict.fromkeys(keys, given[keys[0]])))


def test_a_dict_in_the_call_and_in_a_variable() -> None:
    for model in ("keras.Model(inputs, y)", 'keras.Model({"a": a, "b": b}, y)'):
        made = translate(HEAD + '    a, b = 1, 2\n    a = keras.Input((4,))\n    b = keras.Input((4,))\n'
                         '    inputs = {"a": a, "b": b}\n    y = layers.Dense(2)(layers.add([a, b]))\n'
                         f"    return {model}\n", "tf2torch")
        assert not made.findings and "def forward(self, inputs):" in made.text


def test_a_dict_with_images_is_given_to_an_unknown_base() -> None:
    """The run ended here with an error of its own, and not with a finding."""
    made = translate('import keras\n\n\nclass Net(Unknown):\n    def __init__(self, width):\n'
                     '        image = keras.Input((8, 8, 3))\n        x = keras.layers.Conv2D(width, 3)(image)\n'
                     '        super().__init__(inputs={"image": image}, outputs=x)\n', "tf2torch")
    assert {f.code for f in made.findings} & {"P201", "P206"}
