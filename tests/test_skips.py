"""`# port: skip`, `# port: skip-file` and `# port: ignore[...]`: what is left alone, and what is said of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from port import comments, skips
from port.findings import Finding
from port.result import Result
from port.translate import translate, translate_together

KERAS = "import tensorflow as tf\nfrom tensorflow.keras import layers\n\n\n"
TORCH = "import torch\nfrom torch import nn\nimport torch.nn.functional as F\n\n\n"
LAYER = "class Foo(layers.Layer):  # port: skip\n    def call(self, x):\n        return tf.abs(x)\n"
MODULE = "class Foo(nn.Module):  # port: skip\n    def forward(self, x):\n        return torch.abs(x)\n"


def _codes(result: Result) -> list[tuple[int, str]]:
    return [(f.line, f.code) for f in result.findings]


def _bound(text: str) -> set[str]:
    return {a.asname or a.name for n in ast.parse(text).body if isinstance(n, ast.Import | ast.ImportFrom)
            for a in n.names}


@pytest.mark.parametrize(("direction", "head", "skipped", "rest", "ported"), [
    ("tf2torch", KERAS, LAYER, "def f(x):\n    return tf.nn.relu(x)\n", "F.relu(x)"),
    ("torch2tf", TORCH, MODULE, "def f(x: torch.Tensor):\n    return F.relu(x)\n", "tf.nn.relu(x)"),
    ("tf2torch", KERAS, "def g(x):  # port: skip\n    return tf.abs(x)\n", "def f(x):\n    return tf.nn.relu(x)\n",
     "F.relu(x)"),
    ("torch2tf", TORCH, "@torch.no_grad()\ndef g(x):  # port: skip\n    return torch.abs(x)\n",
     "def f(x: torch.Tensor):\n    return F.relu(x)\n", "tf.nn.relu(x)"),
    ("tf2torch", KERAS, "table = tf.constant(\n    [1, 2],  # port: skip\n)\n", "def f(x):\n    return tf.nn.relu(x)\n",
     "F.relu(x)"),
    ("torch2tf", TORCH, "table = torch.tensor([1, 2]); other = torch.ones(3)  # port: skip\n",
     "def f(x: torch.Tensor):\n    return F.relu(x)\n", "tf.nn.relu(x)"),
    ("tf2torch", KERAS, "if tf.executing_eagerly():  # port: skip\n    EAGER = tf.constant(1)\nelse:\n    EAGER = 0\n",
     "def f(x):\n    return tf.nn.relu(x)\n", "F.relu(x)"),
])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_nothing_inside_is_edited_and_its_imports_stay(direction: str, head: str, skipped: str, rest: str, ported: str,
                                                       newline: str) -> None:
    text, skipped = (t.replace("\n", newline) for t in (f"{head}{skipped}\n\n{rest}", skipped))
    result = translate(text, direction)
    assert skipped in result.text and ported in result.text and skips.MARK not in result.text
    used = {n.id for n in ast.walk(ast.parse(skipped)) if isinstance(n, ast.Name)}
    assert _bound(head) & used <= _bound(result.text)
    assert not result.findings
    assert translate(result.text, direction).text == result.text


def test_a_line_of_a_function_is_left_alone_and_its_value_is_unknown() -> None:
    result = translate(KERAS + "def f(a, b):\n    c = tf.nn.relu(a)\n"
                       "    c = tf.raw_ops.Own(c,\n        b)  # port: skip\n"
                       "    return tf.nn.relu(c) + tf.abs(b)\n", "tf2torch")
    assert "    c = F.relu(a)\n    c = tf.raw_ops.Own(c,\n        b)  # port: skip\n" in result.text
    assert "    return F.relu(c) + torch.abs(b)\n" in result.text
    assert "import tensorflow as tf\n" in result.text
    assert _codes(result) == [(9, "P211")]


@pytest.mark.parametrize(("direction", "head", "skipped", "use"), [
    ("tf2torch", KERAS, LAYER, "class M(tf.keras.Model):\n    def __init__(self):\n        super().__init__()\n"
     "        self.foo = Foo()\n\n    def call(self, x):\n        return tf.nn.relu(self.foo(x))\n"),
    ("torch2tf", TORCH, MODULE, "class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
     "        self.foo = Foo()\n\n    def forward(self, x):\n        return F.relu(self.foo(x))\n"),
])
def test_what_depends_on_it_is_a_finding(direction: str, head: str, skipped: str, use: str) -> None:
    result = translate(f"{head}{skipped}\n\n{use}", direction)
    line = result.source[:result.source.index("self.foo = Foo()")].count("\n") + 1
    assert (line, "P211") in _codes(result)
    assert skipped in result.text


@pytest.mark.parametrize("inner", ["def call(self, x):  # port: skip\n        return tf.abs(x)",
                                   "def call(self, x):\n        yield tf.abs(x)  # port: skip"])
def test_what_cannot_be_told_apart_takes_what_is_around_it(inner: str) -> None:
    layer = f"class Foo(layers.Layer):\n    {inner}\n"
    result = translate(f"{KERAS}{layer}\n\ndef f(x):\n    return tf.nn.relu(x)\n", "tf2torch")
    assert layer in result.text and "F.relu" in result.text
    assert [(f.code, "`Foo`" in f.message or "`call`" in f.message) for f in result.findings] == [("P211", True)]


def test_a_value_that_would_be_given_otherwise_takes_its_function() -> None:
    """The tensor before the skipped line is channels first in the port: the line's own text cannot say that."""
    text = (KERAS + "class M(tf.keras.Model):\n    def __init__(self):\n        super().__init__()\n"
            "        self.conv = layers.Conv2D(3, 3)\n\n    def call(self, x):\n        x = self.conv(x)\n"
            "        y = tf.raw_ops.Own(x)  # port: skip\n        return y\n")
    result = translate(text, "tf2torch")
    model = text[text.index("class M"):]
    assert model in result.text
    assert {f.code for f in result.findings} == {"P211"}


def test_skipped_code_that_uses_what_is_ported_is_said() -> None:
    text = (KERAS + "def block(x, n):\n    return layers.Dense(n)(x)\n\n\n"
            "def g(x):  # port: skip\n    return tf.abs(block(x, 3))\n")
    result = translate(text, "tf2torch")
    assert text[text.index("def g"):] in result.text
    assert any(f.code == "P211" and "`block`, which is ported" in f.message for f in result.findings)


def test_an_alias_that_only_skipped_code_uses_stays() -> None:
    text = ("import tensorflow as tf\n\nL = tf.keras.layers\n\n\ndef g(x):  # port: skip\n    return L.Dense(3)(x)\n"
            "\n\ndef f(x):\n    return tf.abs(x)\n")
    result = translate(text, "tf2torch")
    assert "L = tf.keras.layers\n" in result.text and "import tensorflow as tf\n" in result.text
    assert "torch.abs(x)" in result.text
    assert translate(result.text, "tf2torch").text == result.text


@pytest.mark.parametrize("direction", ["tf2torch", "torch2tf"])
def test_a_file_is_skipped_as_a_whole(direction: str) -> None:
    text = (KERAS if direction == "tf2torch" else TORCH) + "# port: skip-file\nx = 1\n"
    assert translate(text, direction) == Result(text, text)


def test_a_file_that_imports_skipped_code_is_told(tmp_path: Path) -> None:
    a, b = tmp_path / "a.py", tmp_path / "b.py"
    a.write_text(KERAS + LAYER)
    b.write_text("import tensorflow as tf\nfrom a import Foo\n\n\ndef f(x):\n    return tf.abs(Foo()(x))\n")
    results = translate_together({str(p): p.read_text() for p in (a, b)}, "tf2torch")
    assert _codes(results[str(b)]) == [(2, "P211")]
    assert results[str(a)].text == a.read_text()


def test_strings_are_no_comments() -> None:
    text = KERAS + "def f(x):\n    '# port: skip-file'\n    y = '# port: skip', tf.abs(x)\n    return y\n"
    assert "torch.abs(x)" in translate(text, "tf2torch").text


def test_lines_are_counted_as_python_counts_them() -> None:
    """A form feed ends no line, a lone carriage return does."""
    text = KERAS.replace("\n", "\r") + "\f\rtable = tf.constant(1)  # port: skip\rx = tf.abs(-1)\r"
    mask = skips.read(text)
    assert mask is not None and mask.text.count("\r") == text.count("\r")
    assert "tf.constant" not in mask.text and "tf.abs" in mask.text


@pytest.mark.parametrize(("comment", "codes"), [
    ("x = f()  # port: ignore[P203]", []),
    ("x = f()  # port: ignore[P204]", ["nothing here has the code P204"]),
    ("x = f()  # port: ignore[P203, P999]", ["there is no code 'P999'"]),
    ("x = f()  # port: ignore[P203]\n# port: skip", ["`# port: skip` stands on a line without code"]),
])
def test_unused_suppressions(comment: str, codes: list[str]) -> None:
    _, accepted = comments.accept([Finding(1, 4, "P203", "m", 1, 7)], comment)
    found = comments.unused(accepted, comment)
    assert [f.message for f in found] == codes and {f.code for f in found} <= {"P002"}


@pytest.mark.parametrize("line", ["import tensorflow as tf  # port: skip\n",
                                  "from tensorflow.keras import layers  # port: skip\n"])
def test_a_skipped_import_stays_as_it_is(line: str) -> None:
    text = f"import os\n{line}import tensorflow.keras as keras\n\n\ndef f(x):\n    return keras.ops.abs(x)\n"
    result = translate(text, "tf2torch")
    assert line in result.text and "torch.abs" in result.text
    assert translate(result.text, "tf2torch").text == result.text


@pytest.mark.parametrize(("direction", "text"), [
    ("tf2torch", "import tensorflow as tf\n\n\ndef f(x):\n    y = tf.abs(x)\n    return tf.raw_ops.Own(y)\n"),
    ("torch2tf", "import torch\n\n\ndef f(x):\n    return torch.ops.own.op(torch.abs(x))\n"),
])
def test_what_was_refused_is_marked_once(direction: str, text: str) -> None:
    first = translate(text, direction).text
    assert first.count("# port: P") == 1
    assert translate(first, direction).text == first
