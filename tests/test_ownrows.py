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
OPS = ("import tensorflow as tf\n\n\ndef scaled_gelu(x, scale=1.0):\n    return scale * tf.nn.gelu(x)\n\n\n"
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
    assert command("ops", "--prove", "rows.yaml") == 1
    streams = capsys.readouterr()
    assert "proven  scaled_gelu  2 samples" in streams.out and "running 3 samples" in streams.err
    assert "wrong   wrong_relu" in streams.out and "in float64: result 0: differs by" in streams.out
