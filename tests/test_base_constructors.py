"""A constructor that turned out to need a size of its input gets it from derived classes as well."""

from __future__ import annotations

from pathlib import Path

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case, Settings, verify

SOURCE = '''import keras
import tensorflow as tf
from keras import layers


class Project(layers.Layer):
    def __init__(self, units=4):
        super().__init__()
        self.dense = layers.Dense(units)

    def call(self, x):
        return self.after(self.dense(x))

    def after(self, x):
        return x


class Doubled(Project):
    def after(self, x):
        return x * 2


class Scaled(Project):
    def __init__(self, units=4, rate=0.5):
        super().__init__(units)
        self.rate = rate

    def after(self, x):
        return x * self.rate


class Named(Project):
    def __init__(self, units):
        Project.__init__(self, units=units + 1)


class Gained(Project):
    def build(self, shape):
        self.gain = self.add_weight(name="gain", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return super().call(x * self.gain)


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.part0 = Project(4)
        self.part1 = Project(4)
        self.part2 = Doubled(3)
        self.part3 = Doubled(2)
        self.part4 = Scaled(5)
        self.part5 = Gained(6)
        self.part6 = Gained(units=2)
        self.part7 = Named(2)
        self.head = layers.Dense(3)

    def call(self, x):
        x = self.part2(self.part1(self.part0(x)))
        y = self.part3(x)
        z = self.part4(y)
        return self.part5(x), self.part6(y), self.head(self.part7(z))


def run():
    return Model()(tf.zeros((2, 4)))
'''


def test_derived_classes_pass_the_sizes_on(tmp_path: Path) -> None:
    result = translate(SOURCE, "tf2torch")
    assert not [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED], result.findings
    assert "super().__init__(in_features, units)" in result.text
    assert "Project.__init__(self, in_features, units=units + 1)" in result.text
    (tmp_path / "source.py").write_text(SOURCE)
    (tmp_path / "port.py").write_text(result.text)
    case = Case("Model()", ("f32[3,4]",), ported_call="Model(4)")
    (verdict,) = verify(tmp_path / "source.py", tmp_path / "port.py", "tf2torch", [case], Settings(timeout=300))
    assert verdict.status == "verified", verdict.message


def test_a_parameter_that_means_two_sizes_is_none() -> None:
    """`units` of the derived class is not that of the layer which the base makes."""
    source = SOURCE.split("class Scaled")[0] + """
class Wider(Project):
    def __init__(self, units):
        super().__init__(units + 1)
        self.head = layers.Dense(3)

    def call(self, x):
        return self.head(self.dense(x))


class Other(Project):
    def __init__(self, units):
        super().__init__(units + 1)
        self.head = layers.Dense(3)

    def call(self, x):
        return self.head(super().call(x))


def run():
    return Other(2)(Wider(2)(Project(4)(tf.zeros((2, 4)))))
"""
    result = translate(source, "tf2torch")
    assert result.text.count("self.head = nn.LazyLinear(3)") == 2, result.text
    assert [f.code for f in result.findings].count("P102") == 2
