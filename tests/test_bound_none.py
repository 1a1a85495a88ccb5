"""A variable that is known to hold None is still a variable where it is bound."""

from __future__ import annotations

from port.translate import translate


def test_the_target_of_an_assignment_keeps_its_name() -> None:
    result = translate('''import keras


class Base(keras.layers.Layer):
    def pick(self, name):
        return None

    def call(self, x, name="a"):
        chosen = self.pick(name)
        if chosen is None:
            return keras.ops.abs(x)
        return x
''', "tf2torch")
    assert not any(f.code == "P901" for f in result.findings), result.findings
    assert "chosen = self.pick(name)" in result.text and "torch.abs(x)" in result.text
