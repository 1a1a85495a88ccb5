"""What no person writes gets a clear line, and what a crash leaves behind is whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from port import cli, files
from port.symbols import LONGEST, too_much

HEADS = {"tf2torch": ("import tensorflow as tf\n", "tf.abs"), "torch2tf": ("import torch\n", "torch.abs")}
DIRECTIONS = pytest.mark.parametrize("direction", HEADS)


def command(*arguments: object) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@DIRECTIONS
@pytest.mark.parametrize(("body", "word"), [
    ("x = " + "(" * 2000 + "1" + ")" * 2000, "brackets are nested more than 200 deep"),
    ("x = " + "F(" * 2000 + "1" + ")" * 2000, "brackets are nested more than 200 deep"),
    ("x = " + "[" * 2000 + "]" * 2000, "brackets are nested more than 200 deep"),
    ("x = " + "[" * 300, "brackets are nested more than 200 deep"),
    ("x = " + "lambda: " * 5000 + "F(1)", "nested too deeply"),
    ("x = " + "not " * 20_000 + "F(1)", "nested too deeply"),
    ("if x:\n    pass\n" + "elif x:\n    pass\n" * 20_000 + "x = F(1)", "nested too deeply"),
    ("x = " + " + ".join(["F(1)"] * 20_000), "nested too deeply"),
    ("x = F(1)\0", "not valid Python"),
    ("y = [1, 2, 3]\n" * (LONGEST // 14) + "x = F(1)", "longer than 2,000,000 characters"),
    ("y = 'ten megabytes'\n" * 500_000, "longer than 2,000,000 characters"),
])
def test_a_clear_line(here: Path, capsys: pytest.CaptureFixture[str], direction: str, body: str, word: str) -> None:
    head, function = HEADS[direction]
    path = here / "a.py"
    path.write_text(head + body.replace("F", function) + "\n")
    before = path.read_bytes()
    assert command(direction, "a.py", "--write", "--format", "github") == 2
    out = capsys.readouterr().out
    assert word in out and "P902" in out and "P901" not in out
    assert path.read_bytes() == before


@DIRECTIONS
@pytest.mark.parametrize("content", [b"x = '\xff\xfe'\n", "# coding: utf-16\nx = 1\n".encode("utf-16"),
                                     b"# coding: odd\n"])
def test_bytes_that_are_no_text(here: Path, capsys: pytest.CaptureFixture[str], direction: str, content: bytes) -> None:
    (here / "a.py").write_bytes(HEADS[direction][0].encode() + content if content[:1] == b"x" else content)
    assert command(direction, "a.py") == 2
    assert "port: a.py: cannot be decoded" in capsys.readouterr().err


@DIRECTIONS
def test_what_is_only_deep_is_translated(here: Path, direction: str) -> None:
    head, function = HEADS[direction]
    text = (f"{head}\n\ndef f(x):\n    if x == 0:\n        y = 0\n"
            + "".join(f"    elif x == {i}:\n        y = {i}\n" for i in range(1, 300))
            + f"    return {function}(y)\n\n\nz = {f'{function}(' * 90}1{')' * 90}\n")
    (here / "a.py").write_text(text)
    limit = sys.getrecursionlimit()
    assert command(direction, "a.py", "--write") == 0
    assert function not in (here / "a.py").read_text() and sys.getrecursionlimit() == limit


@DIRECTIONS
def test_a_deep_file_is_named_alone(here: Path, capsys: pytest.CaptureFixture[str], direction: str) -> None:
    head, function = HEADS[direction]
    (here / "a.py").write_text(f"{head}from b import g\nx = {function}(g)\n")
    (here / "b.py").write_text(f"{head}g = {'not ' * 9000}{function}(1)\n")
    assert command(direction, ".", "--format", "github") == 2
    assert [line.split(",")[0] for line in capsys.readouterr().out.splitlines() if "P902" in line] == [
        "::error file=b.py"]


def test_brackets_in_strings_are_no_depth() -> None:
    assert not too_much("x = '" + "(" * 500 + "'\n") and too_much("x = " + "(" * 500)


# ---------------------------------------------------------------- bytes survive

@DIRECTIONS
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("mark", "head", "encoding"), [
    (b"", "", "utf-8"), (b"\xef\xbb\xbf", "", "utf-8"), (b"", "# -*- coding: latin-1 -*-\n", "latin-1"),
    (b"", "#!/usr/bin/python\n# coding: cp1251\n", "cp1251")])
def test_encodings_newlines_tabs_and_form_feeds(here: Path, direction: str, newline: str, mark: bytes, head: str,
                                                encoding: str) -> None:
    top, function = HEADS[direction]
    word = "ж" if encoding == "cp1251" else "é"
    text = (f"{head}{top}\n\f\ndef f(x):\n\tif x is None:\t# {word}\n\t\treturn '''a\n\t b'''\n\treturn {function}(x)\n"
            "\f\n\n# end")
    path = here / "a.py"
    path.write_bytes(mark + text.replace("\n", newline).encode(encoding))
    path.chmod(0o640)
    (here / "link.py").symlink_to("a.py")
    assert command(direction, "link.py", "--write") in (0, 1)
    after = path.read_bytes()
    assert after.startswith(mark) and (here / "link.py").is_symlink() and path.stat().st_mode & 0o777 == 0o640
    new = after[len(mark):].decode(encoding)
    assert function not in new and f"\t# {word}{newline}" in new and new.endswith("# end")
    assert f"\t\treturn '''a{newline}\t b'''{newline}" in new and "\f" in new
    others = new.replace(newline, "")
    assert "\n" not in others and "\r" not in others


# ---------------------------------------------------------------- kills

WRITER = ("import sys\nfrom pathlib import Path\nfrom port import files\npath = Path(sys.argv[1])\n"
          "texts = [b'a' * 3_000_000, b'b' * 3_000_000]\nprint('ready', flush=True)\n"
          "while True:\n    for text in texts:\n        files.write(path, text)\n")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_kill_leaves_the_old_or_the_new_file(tmp_path: Path) -> None:
    path, rng = tmp_path / "a.py", random.Random(0)
    path.write_bytes(b"a" * 3_000_000)
    path.chmod(0o640)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(20):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env=environment)
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        time.sleep(rng.random() / 20)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        content = path.read_bytes()
        assert content in (b"a" * 3_000_000, b"b" * 3_000_000)
        assert path.stat().st_mode & 0o777 == 0o640
    assert [p.relative.name for p in files.find([tmp_path])] == ["a.py"]  # what a kill left is no source
    files.write(path, b"new")
    assert path.read_bytes() == b"new"
