"""An initialiser that is made as a value has no tensor yet: a function, or refused; never a call without it."""

from __future__ import annotations

import pytest

from port.translate import translate


@pytest.mark.parametrize("made", ["GlorotUniform()", "HeNormal()"])
def test_an_initialiser_as_a_value_is_refused(made: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    return initializers.{made}\n", "tf2torch")
    assert [f.code for f in result.findings if f.outcome.needs_person] == ["P203"], result.findings
    assert "nn.init" not in result.text.replace("functools.partial(torch.nn.init", "")


@pytest.mark.parametrize(("made", "call"), [
    ("RandomNormal(mean=0.0, stddev=0.5)", "nn.init.normal_(weight, std=0.5)"), ("Zeros()", "nn.init.zeros_(weight)"),
    ("TruncatedNormal()", "truncated_normal_(weight)")])
def test_an_initialiser_that_counts_no_fans_is_a_function(made: str, call: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    return initializers.{made}\n", "tf2torch")
    assert not result.findings and f"return lambda weight: {call}" in result.text


@pytest.mark.parametrize("body", ["init = initializers.Zeros()\n    return init((3, 4))",
                                  "return initializers.Zeros()(shape=(3, 4))"])
def test_one_that_is_called_makes_a_tensor_and_is_refused(body: str) -> None:
    result = translate(f"from keras import initializers\n\n\ndef pick():\n    {body}\n", "tf2torch")
    assert [f.code for f in result.findings] == ["P203"] and "lambda" not in result.text


CONFIGURED = '''
import keras
from keras import layers
from keras.initializers import RandomUniform, TruncatedNormal


def get_initializer(scale=0.02):
    """As in BERT."""
    return TruncatedNormal(stddev=scale)


def between(low, high=0.3):
    return RandomUniform(low, high)


class Inner(layers.Layer):
    def __init__(self, config, spread=0.2, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.bound = spread
        self.first = layers.Dense(4, kernel_initializer=get_initializer(config.spread))
        self.second = layers.Dense(4, kernel_initializer=between(-0.1, high=spread))
        self.third = layers.Dense(4, kernel_initializer=get_initializer(0.3))

    def build(self, shape):
        self.table = self.add_weight(shape=(3, 4), initializer=get_initializer(self.config.spread), name="table")

    def call(self, x):
        return self.third(self.second(self.first(x))) + self.table[0]


class Net(keras.Model):
    def __init__(self, config):
        super().__init__()
        self.inner, self.wide = Inner(config), Inner(config, 0.5)

    def call(self, x):
        return self.wide(self.inner(x))
'''


def test_functions_that_return_initialisers_are_followed_and_settings_that_objects_keep_are_read_of_them() -> None:
    result = translate(CONFIGURED, "tf2torch")
    assert not [f for f in result.findings if "where the layer is made" in f.message]
    assert "return lambda weight: nn.init.uniform_(weight, low, high)" in result.text  # whoever calls it
    assert "torch.empty((3, 4)), std=self.config.spread" in result.text
    assert "truncated_normal_(module.weight, std=0.3)" in result.text
    assert "nn.init.uniform_(module.second.weight, -0.1, module.bound)" in result.text


@pytest.mark.parametrize("kept", ["self.bound = 2 * spread", "self.bound = spread\n        self.bound = 1",
                                  "spread = self.bound = spread"])
def test_a_setting_that_is_changed_or_not_kept_is_told(kept: str) -> None:
    found = translate(CONFIGURED.replace("self.bound = spread", kept), "tf2torch").findings
    assert any("`-0.1, spread` is only known where the layer is made" in f.message for f in found)
