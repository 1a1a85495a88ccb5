"""`--interactive`: what was accepted is written, imports follow, and what is written parses."""

from __future__ import annotations

import ast
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from port import batch, cli, files
from port.report.model import FileReport
from port.result import Result
from port.review import session
from port.review.choices import accepted, decided, draft, undefined
from port.translate import translate

SOURCE = """\
\"\"\"A model.\"\"\"
import os

import tensorflow as tf
from tensorflow.keras import layers


def scale(x: tf.Tensor):
    return tf.abs(x) * float(os.environ.get("SCALE", "1"))


# one
# two
# three
# four


def block(x, filters):
    x = layers.Dense(filters)(x)
    return tf.nn.relu(x)


# one
# two
# three
# four


def build():
    inputs = tf.keras.Input((8,))
    return tf.keras.Model(inputs, block(inputs, 4))
"""


@pytest.fixture(scope="module")
def result() -> Result:
    return translate(SOURCE, "tf2torch")


def test_all_is_the_translation_and_none_is_the_source(result: Result) -> None:
    made = draft(result)
    assert len(made.hunks) == 3
    assert decided(made, [accepted(made, h) for h in made.hunks]) == result.text
    assert decided(made, [None] * 3) == SOURCE


def test_every_choice_parses_and_has_the_imports_that_it_uses(result: Result) -> None:
    made = draft(result)
    for chosen in itertools.product([False, True], repeat=3):
        text = decided(made, [accepted(made, h) if yes else None for h, yes in zip(made.hunks, chosen, strict=True)])
        module = ast.parse(text)
        imported = {a.asname or a.name.split(".")[0] for n in module.body if isinstance(n, ast.Import | ast.ImportFrom)
                    for a in n.names}
        used = {n.id for n in ast.walk(module) if isinstance(n, ast.Name)} & {"tf", "layers", "torch", "nn", "F", "os"}
        assert imported == used, text


def test_imports_stand_where_they_stood(result: Result) -> None:
    made = draft(result)
    text = decided(made, [accepted(made, made.hunks[0]), None, None])
    assert text.startswith('"""A model."""\nimport os\n\nimport tensorflow as tf\nfrom tensorflow.keras import layers\n'
                           "import torch\nfrom torch import nn\n\n\ndef init_weights(")
    assert "def scale(x: torch.Tensor):\n    return torch.abs(x)" in text


def test_a_class_that_was_left_is_missed(result: Result) -> None:
    made = draft(result)
    text = decided(made, [None, None, accepted(made, made.hunks[2])])
    assert set(undefined(made, text)) == {"Block", "init_weights"}
    assert undefined(made, result.text) == undefined(made, SOURCE) == {}


def test_hunks_know_their_findings_and_rows() -> None:
    text = SOURCE.replace("tf.abs(x)", "tf.strings.length(x)")
    made = draft(translate(text, "tf2torch"))
    assert [f.code for h in made.hunks for f in h.findings] == ["P203"]
    assert [f.line for f in made.hunks[0].findings] == [9] and "row dense_layer" in made.hunks[1].by


def test_a_translation_of_imports_alone_is_asked_for() -> None:
    made = draft(Result("import a\nx = 1\n", "import b\nx = 1\n"))
    assert len(made.hunks) == 1
    assert decided(made, [None]) == "import a\nx = 1\n" and decided(made, [["import b\n"]]) != "import a\nx = 1\n"


# ---------------------------------------------------------------- the conversation
def talk(answers: list[str], edit: Callable[[list[str]], list[str]] = lambda lines: lines
         ) -> tuple[session.Talk, StringIO, Iterator[str]]:
    stream, left = StringIO(), iter(answers)

    def ask(question: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return session.Talk(Console(file=stream, width=120), ask, edit), stream, left


def review(result: Result, answers: list[str], **more: Any) -> tuple[str, str]:
    """(text decided on, what was said); every answer must have been asked for."""
    source = files.Source(Path("m.py"), result.source.encode(), result.source, "utf-8", 0o644)
    item = batch.Item(files.Found(Path("m.py"), Path("m.py")), source, FileReport("m.py", result, result.findings))
    how, stream, left = talk(answers, **more)
    (done,) = session.review([item], how)
    assert next(left, None) is None and done.report.result is not None
    return done.report.result.text, stream.getvalue()


@pytest.mark.parametrize("answers", [["a"], ["y", "y", "y"], ["?", "", "x", "y", "a"]])
def test_taking_everything(result: Result, answers: list[str]) -> None:
    assert review(result, answers)[0] == result.text


@pytest.mark.parametrize("answers", [["d"], ["n", "n", "n"], ["q"], ["y", "q"], ["y"]])
def test_leaving_everything(result: Result, answers: list[str]) -> None:
    assert review(result, answers)[0] == SOURCE


def test_what_does_not_go_together_is_told_and_asked_again(result: Result) -> None:
    text, said = review(result, ["n", "n", "y", "n", "a"])
    assert text == result.text and "`Block` (line" in said and "only a hunk that you left defines" in said
    text, _ = review(result, ["n", "n", "y", "y"])
    assert "Block(" in text and "class Block" not in text


def test_an_edited_hunk(result: Result) -> None:
    def change(lines: list[str]) -> list[str]:
        return [line.replace("torch.abs(x)", "x.abs()") for line in lines]

    text, _ = review(result, ["e", "a"], edit=change)
    assert text == result.text.replace("torch.abs(x)", "x.abs()")


def test_an_edit_that_does_not_parse_is_asked_for_again(result: Result) -> None:
    tries = iter([["def (\n"], ["def (\n"]])
    text, said = review(result, ["e", "e", "y", "a"], edit=lambda lines: next(tries))
    assert text == result.text and said.count("not Python") == 2


def test_an_edit_that_cannot_be_encoded_is_asked_for_again() -> None:
    result = Result("# coding: latin-1\nx = 1\n", "# coding: latin-1\nx = 2\n")
    source = files.Source(Path("m.py"), result.source.encode(), result.source, "iso-8859-1", 0o644)
    item = batch.Item(files.Found(Path("m.py"), Path("m.py")), source, FileReport("m.py", result))
    how, stream, _ = talk(["e", "y"], edit=lambda lines: ["x = 'ж'\n"])
    (done,) = session.review([item], how)
    assert done.report.result is not None and done.report.result.text == result.text
    assert "cannot encode" in stream.getvalue()


def test_hunks_that_only_parse_together_are_asked_for_again() -> None:
    gap = "# 1\n# 2\n# 3\n# 4\n# 5\n# 6\n# 7\n"
    result = Result(f"x = 1\n{gap}y = 1\n", f"x = (\n{gap}1)\n")
    text, said = review(result, ["y", "n", "y", "y"])
    assert text == result.text and "does not go together" in said


def test_an_editor_keeps_the_line_breaks_of_the_file() -> None:
    result = Result("x = 1\r\n", "x = 2\r\n")
    assert review(result, ["e"], edit=lambda lines: ["x = 3\n"])[0] == "x = 3\r\n"


def test_the_editor_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "my editor.py"
    script.write_text("import sys\np = sys.argv[1]\nt = open(p, newline='').read()\n"
                      "open(p, 'w', newline='').write(t + '# é seen\\n')\n", encoding="utf-8")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} '{script}'")
    monkeypatch.setenv("PYTHONUTF8", "1")
    assert session.edit(["x = 'ж\x0c'\r\n"]) == ["x = 'ж\x0c'\r\n", "# é seen\n"]
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    with pytest.raises(OSError):
        session.edit(["x\n"])


# ---------------------------------------------------------------- the command
def run(monkeypatch: pytest.MonkeyPatch, answers: str, *arguments: str) -> int:
    monkeypatch.setattr(sys, "stdin", StringIO(answers))
    try:
        return cli.main(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)


def test_the_command_writes_what_was_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Result,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py", "c.py"):
        Path(name).write_text(SOURCE)
    before = os.stat("b.py")
    assert run(monkeypatch, "a\nd\ny\nq\n", "tf2torch", ".", "--interactive") == 0
    assert Path("a.py").read_text() == result.text and Path("b.py").read_text() == Path("c.py").read_text() == SOURCE
    assert os.stat("b.py").st_ino == before.st_ino
    out = capsys.readouterr().out
    assert "(1/3) Take this hunk?" in out and "row abs" in out and out.endswith("3 files: 1 written\n")
    assert run(monkeypatch, "a\n", "tf2torch", "b.py", "--interactive", "-o", "out.py") == 0
    assert Path("out.py").read_text() == result.text and Path("b.py").read_text() == SOURCE


@pytest.mark.parametrize("more", [["--check"], ["--format", "json"]])
def test_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: list[str]) -> None:
    (tmp_path / "a.py").write_text(SOURCE)
    assert run(monkeypatch, "", "tf2torch", str(tmp_path / "a.py"), "--interactive", *more) == 2
