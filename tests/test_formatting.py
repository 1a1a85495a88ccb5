"""How the source is formatted changes nothing but the formatting of its port."""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from port.translate import translate

HERE = Path(__file__).parent
GOLDEN = sorted(f for f in (HERE / "golden").glob("*/*") if f.is_dir())
SOURCE = {"tf2torch": "tf_version.py", "torch2tf": "torch_version.py"}


def narrow(text, width):
    """The text as `ruff format` writes it for lines of this many characters."""
    done = subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(width), "-"],
                          input=text, capture_output=True, text=True, check=True)
    return done.stdout


def meaning(text):
    """The code without its formatting; docstrings are indented anew."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = re.sub(r"\s+", " ", node.value).strip()
    return ast.unparse(tree)


def ported(text, direction="tf2torch"):
    result = translate(textwrap.dedent(text), direction)
    assert "P901" not in [f.code for f in result.findings]
    return result.text


@pytest.mark.parametrize("folder", GOLDEN, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_source_in_narrow_lines_has_the_same_port(folder):
    direction = folder.parent.name
    text = (folder / SOURCE[direction]).read_text()
    wide, slim = (translate(t, direction) for t in (text, narrow(text, 40)))
    assert meaning(slim.text) == meaning(wide.text)
    assert sorted(f.code for f in slim.findings) == sorted(f.code for f in wide.findings)


def test_layers_in_a_list_with_brackets_of_their_own_start_as_in_keras():
    text = """
        import keras
        from keras import layers

        class Net(keras.Model):
            def __init__(self, width):
                super().__init__()
                self.mlp = keras.Sequential([layers.Dense(4), layers.Dense(3, kernel_initializer="he_normal")])
                self.head = keras.Sequential([layers.Dense(width), layers.Dense(3)])

            def call(self, x):
                return self.head(self.mlp(x))

        def build():
            return keras.Sequential([keras.Input((7,)), layers.Dense(4), layers.Dense(3)])
        """
    black = narrow(textwrap.dedent(text), 40)
    assert "keras.Sequential(\n            [\n" in black
    assert "kaiming_normal_" in ported(text) or "he_normal" in ported(text)
    assert ported(text).count("init_weights") > 2
    assert meaning(ported(black)) == meaning(ported(text))


def test_a_line_break_that_loses_its_brackets_goes_too():
    text = """
        import tensorflow as tf

        def flip(x):
            return tf.cond(
                tf.reduce_sum(x)
                < 0.0,
                lambda: -x,
                lambda: x * 1.0,
            )
        """
    assert "return -x if torch.sum(x) < 0.0 else x * 1.0\n" in ported(text)


def test_a_line_break_with_a_remark_is_put_in_parentheses():
    text = "import tensorflow as tf\n\n\ndef f(a, b):\n  return tf.cond(a  # one\n  > 0, lambda: a, lambda: b)\n"
    assert meaning(ported(text)).endswith("return a if a > 0 else b")
    assert "return (a if a  # one\n" in ported(text)


def test_a_factor_over_several_lines_is_a_factor():
    text = """
        from torch import nn

        def block(dim, mult):
            return nn.Conv2d(
                dim
                * mult,
                dim,
                3,
                padding=1,
            )
        """
    assert "dim * mult" in meaning(ported(text, "torch2tf"))
