"""Law 5 with the real translator: a file without framework code comes back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from port import cli
from port.translate import translate

FILES = {
    "plain.py": b"x = 1\n",
    "empty.py": b"",
    "crlf.py": b"import os\r\n\r\ndef f( a,b ):\r\n\treturn  a ;\r\n",
    "no_newline.py": b"import torch\nprint('tensorflow')  # keras",
    "mentions.py": b'"""Like keras.layers.Dense, but without tensorflow."""\nkeras_version = "3"\n',
    "bom.py": b"\xef\xbb\xbf# keras\nx = 1\n",
    "latin.py": "# coding: latin-1\n# tensorflow für alle\n".encode("latin-1"),
    "form_feed.py": b"import os\n\x0c\nclass A: pass  # tensorflow\n",
}


@pytest.mark.parametrize(("text", "told"), [
    ("import tensorflow\ndef f(:\n", "2:7 P902 internal file not parsed: not valid Python: invalid syntax"),
    ("import tensorflow\nx = (\n\n", "2:5 P902 internal file not parsed: not valid Python: '(' was never closed"),
    ("import tensorflow\nif x:\ny = 1\n", "3:1 P902 internal file not parsed: not valid Python: expected an indented"),
    ("import tensorflow\nprint 'x'\n", "2:1 P902 internal file not parsed: not valid Python: Missing parentheses in"),
])
def test_a_syntax_error_is_told_in_pythons_words(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str,
                                                 told: str) -> None:
    (tmp_path / "a.py").write_text(text)
    assert cli.main(["tf2torch", str(tmp_path), "--no-cache"]) == 2
    assert told in capsys.readouterr().out


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_byte_for_byte(tmp_path: Path, jobs: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name, content in FILES.items():
        for i in range(2):
            (tmp_path / f"{i}_{name}").write_bytes(content)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert cli.main(["tf2torch", str(tmp_path), "--write", "--jobs", jobs]) == 0
    assert "16 files: 0 would change" in capsys.readouterr().out
    for path in tmp_path.iterdir():
        assert path.read_bytes() == FILES[path.name[2:]] and path.stat().st_mtime_ns == before[path]


def test_a_syntax_error_among_good_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("import tensorflow as tf\n\n\ndef f(x):\n    return tf.nn.relu(x)\n")
    bad.write_text("import tensorflow as tf\ndef f(:\n")
    assert cli.main(["tf2torch", str(tmp_path), "--write"]) == 2
    assert bad.read_text() == "import tensorflow as tf\ndef f(:\n"
    assert "tensorflow" not in good.read_text() and "import torch" in good.read_text()
    out = capsys.readouterr().out
    assert f"{bad}\n  2:" in out and "P902" in out and "2 files: 1 written, 1 failed" in out


def test_comments_inside_an_import_that_refused_code_needs() -> None:
    """The names were taken with their commas and comments, and ended in an internal error."""
    text = ("import tensorflow as tf\nfrom tensorflow.io import (\n    read_file,  # b\n    decode_png as\n    png\n"
            ")\n\n\ndef f(path):\n    return tf.abs(png(read_file(path)))\n")
    result = translate(text, "tf2torch")
    assert not [f for f in result.findings if f.code == "P901"] and "import read_file" in result.text
    assert "import decode_png as png" in result.text
