"""Rows that a project adds: `[tool.port] mappings`, and `port ops --prove`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from port import cli, table
from port.result import Options
from port.rowtext import RowError
from port.translate import translate

ROWS = """
scaled_gelu:
  tf: ourlib.ops.scaled_gelu(x, scale=1.0)
  expr: {torch: "scale * F.gelu(x)"}
  returns: same
  residue: TensorFlow's constant is of float32
  sample: {x: "f32[2,3,5]", scale: {each: [1.0, 0.5]}}
wrong_relu:
  tf: ourlib.ops.wrong_relu(x)
  torch: torch.nn.functional.elu(input)
  args: {x: input}
  returns: same
  sample: {x: "f32[2,3]"}
"""
MORE = """
twice:
  tf: ourlib.ops.twice(x, factor=2.0)
  torch: ourlib.tops.twice(input, by=3.0)
  args: {x: input, factor: by}
  returns: same
  sample: {x: "f32[2,3]", factor: {each: [2.0, 3.0, 5.0]}}
our_half:
  torch: ourlib.tops.half(x)
  expr: {tf: "x / 2.0", keras: "x / 2.0"}
  returns: same
  sample: {x: "f32[2,3]"}
our_third:
  torch: ourlib.tops.third(input)
  expr: {tf: "input / 2.0", keras: "input / 2.0"}
  returns: same
  sample: {input: "f32[2,3]"}
our_dense: &dense
  tf: ourlib.layers.OurDense(units, use_bias=True)
  torch: torch.nn.Linear(in_features, out_features, bias=True)
  kind: layer
  args: {units: out_features, use_bias: bias}
  fill: {in_features: features}
  returns: dense
  sample: {units: 4, use_bias: {each: [true, false]}, call: "f32[2,7]"}
wrong_dense:
  <<: *dense
  tf: ourlib.layers.Doubled(units, use_bias=True)
"""
TOPS = ("import torch\n\n\ndef twice(input, by=3.0):\n    return input * by\n\n\ndef half(x):\n    return x / 2\n\n\n"
        "def third(input):\n    return input / 3\n")
LAYERS = ("import keras\n\n\nclass OurDense(keras.layers.Dense):\n    pass\n\n\nclass Doubled(keras.layers.Dense):\n"
          "    def call(self, inputs):\n        return 2 * super().call(inputs)\n")
OPS = ("import tensorflow as tf\n\n\ndef scaled_gelu(x, scale=1.0):\n    return scale * tf.nn.gelu(x)\n\n\n"
       "def twice(x, factor=2.0):\n    return x * factor\n\n\n"
       "def wrong_relu(x):\n    return tf.nn.relu(x)\n\n\ndef other(x):\n    return tf.abs(x)\n")
MODEL = ("import tensorflow as tf\nfrom ourlib.ops import other, scaled_gelu\n\n\ndef f(x):\n"
         "    return other(scaled_gelu(tf.abs(x), 0.5))\n")
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


def command(*arguments: object) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with helpers of its own, and rows for some of them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ourlib").mkdir()
    for name, text in {"ourlib/__init__.py": "", "ourlib/ops.py": OPS, "m.py": MODEL, "rows.yaml": ROWS,
                       "pyproject.toml": '[tool.port]\nmappings = ["rows.yaml"]\n'}.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_helper_of_the_project_is_ported_by_its_row(here: Path) -> None:
    assert command("tf2torch", ".", "--write") == 0
    assert (here / "m.py").read_text() == (
        "import torch\nimport torch.nn.functional as F\nfrom ourlib.ops import other\n\n\ndef f(x):\n"
        "    return other(0.5 * F.gelu(torch.abs(x)))\n")
    assert "return torch.abs(x)" in (here / "ourlib/ops.py").read_text()


@pytest.mark.parametrize(("direction", "head", "body", "new"), [
    ("tf2torch", "import tensorflow as tf\nfrom ourlib.ops import twice", "twice(tf.abs(x), 4.0)",
     "import torch\nimport ourlib.tops\n\n\ndef f(x):\n    return ourlib.tops.twice(torch.abs(x), 4.0)\n"),
    ("torch2tf", "import torch\nfrom ourlib.tops import twice", "twice(torch.abs(x))",
     "import tensorflow as tf\nimport ourlib.ops\n\n\ndef f(x):\n    return ourlib.ops.twice(tf.abs(x), factor=3.0)\n"),
    ("torch2tf", "import torch\nfrom ourlib import tops", "tops.half(torch.abs(x))",
     "import tensorflow as tf\nfrom ourlib import tops\n\n\ndef f(x):\n    return tf.abs(x) / 2.0\n")])
def test_helpers_of_the_project_on_both_sides(direction: str, head: str, body: str, new: str) -> None:
    """Their module is imported; it was not."""
    options = Options(mappings=(("rows.yaml", MORE),))
    result = translate(f"{head}\n\n\ndef f(x):\n    return {body}\n", direction, options)
    assert result.text == new and not result.findings


def test_another_row_is_another_result(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cache knows the rows of the project too."""
    assert command("tf2torch", "m.py") in (0, 1) and "0.5 * F.gelu" in capsys.readouterr().out
    (here / "rows.yaml").write_text(ROWS.replace("scale * F.gelu(x)", "F.silu(x) / scale"))
    assert command("tf2torch", "m.py") in (0, 1) and "/ 0.5" in capsys.readouterr().out


def test_rows_are_there_for_those_who_ask(here: Path) -> None:
    with table.added((("rows.yaml", ROWS),)):
        assert "ourlib.ops.scaled_gelu" in table.by_tf_name() and "tf.abs" in table.by_tf_name()
    assert "ourlib.ops.scaled_gelu" not in table.by_tf_name()
    assert "scaled_gelu(tf" not in translate(MODEL, "tf2torch", Options(mappings=(("rows.yaml", ROWS),))).text


@pytest.mark.parametrize(("text", "word"), [
    (BOMB, "its anchors spread"), ("a: &a [*a]", "its anchors spread"), ("a: [" * 2000, "nested too deeply"),
    ("x" * 1_000_001, "longer than"), ("- a\n", "must be a mapping"), ("a: b: c", "mapping values are not allowed"),
    ("a: 3", "a row is a mapping"), ("a: {tf: 3}", "`tf` must be signatures"), ("a: {args: [x]}", "`args` must be"),
    ("a: {via: [x]}", "`via` must be text"), ("a: {odd: 1}", "unknown key odd"), ("a: {tf: 'f('}", "rows.yaml: a"),
    ("a: {tf: our.f(x), torch: torch.abs(input)}", "is not accounted for"), ("a: {sample: [3]}", "`sample` must be"),
    ("a: !!python/object/apply:os.system ['echo']", "could not determine a constructor"),
    ("relu: {tf: our.f(x), torch: torch.abs(input), args: {x: input}}", "also defined in"),
])
def test_faulty_rows_are_told_in_a_line(here: Path, capsys: pytest.CaptureFixture[str], text: str, word: str) -> None:
    (here / "rows.yaml").write_text(text)
    assert command("tf2torch", "m.py", "--write") == 2
    err = capsys.readouterr().err
    assert word in err and "Traceback" not in err
    assert (here / "m.py").read_text() == MODEL
    with pytest.raises(RowError), table.added((("rows.yaml", text),)):
        table.load()


@pytest.mark.parametrize(("name", "word"), [("../rows.yaml", "outside of the project"), ("/etc/passwd", "outside of"),
                                            ("link.yaml", "outside of the project"), ("no.yaml", "No such file"),
                                            ("bytes.yaml", "can't decode")])
@pytest.mark.parametrize("prove", [False, True])
def test_a_file_that_cannot_be_taken(here: Path, capsys: pytest.CaptureFixture[str], name: str, word: str,
                                     prove: bool) -> None:
    (here / "link.yaml").symlink_to(here.parent / "elsewhere.yaml")
    (here / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    if not prove:
        (here / "pyproject.toml").write_text(f'[tool.port]\nmappings = ["{name}"]\n')
    assert command(*(("ops", "--prove", name) if prove else ("tf2torch", "m.py"))) == 2
    assert word in capsys.readouterr().err or prove


@pytest.mark.skipif(not all(map(find_spec, ("tensorflow", "torch"))), reason="needs both frameworks")
def test_rows_are_proven_by_their_samples(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"rows.yaml": ROWS + MORE, "ourlib/tops.py": TOPS, "ourlib/layers.py": LAYERS}.items():
        (here / name).write_text(text)
    assert command("ops", "--prove", "rows.yaml") == 1
    streams = capsys.readouterr()
    said = {line.split()[1]: line for line in streams.out.splitlines() if line[:1] in "pwo"}
    assert said["scaled_gelu"] == "proven  scaled_gelu  2 samples to PyTorch; the other way it is not used"
    assert said["twice"] == "proven  twice  3 samples to PyTorch, 3 samples to TensorFlow"
    assert said["our_half"] == "proven  our_half  1 sample to TensorFlow; the other way it is not used"
    assert said["our_dense"].startswith("proven  our_dense  2 samples to PyTorch")
    assert {name for name, line in said.items() if line.startswith("wrong")} == {
        "wrong_relu", "our_third", "wrong_dense"}
    assert "wrong_relu(x) as F.elu(x): in float64: result 0: differs by" in streams.out
    assert "third(input) as input / 2.0: in float64: result 0: differs by" in streams.out
    assert "tf2torch: keras.Model(x0, Doubled(units=4, use_bias=True)(x0)): mismatch" in streams.out
    assert not list(here.glob("port_proof*"))
