"""Reading, finding and replacing files."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from port import files

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes and symlinks as POSIX has them")


@pytest.mark.parametrize(("content", "encoding"), [
    (b"x = 1\n", "utf-8"),
    ("x = 'é'\n".encode(), "utf-8"),
    (b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", "utf-8-sig"),
    ("# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1"), "iso-8859-1"),
    ("# coding: cp1251\nx = 'ж'\r\n".encode("cp1251"), "cp1251"),
    (b"a = 1\rb = 2\r\nc = '''\n'''", "utf-8"),
    (b"", "utf-8"),
])
def test_what_is_read_is_written_back(tmp_path: Path, content: bytes, encoding: str) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    source = files.read(path)
    assert source.encoding == encoding
    assert source.encode(source.text) == content


@pytest.mark.parametrize("content", [b"x = '\xe9'\n", b"# coding: no-such\n", b"\xef\xbb\xbf# coding: latin-1\n"])
def test_undecodable_is_a_problem_with_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(content)
    with pytest.raises(files.FileProblem, match="cannot be decoded"):
        files.read(path)


def test_missing_and_folder_are_problems(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.py", tmp_path):
        with pytest.raises(files.FileProblem):
            files.read(path)


def test_text_that_the_encoding_lacks(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: latin-1\n")
    with pytest.raises(files.FileProblem, match="cannot encode"):
        files.read(path).encode("# coding: latin-1\nx = 'ж'\n")


@POSIX
def test_replace_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o751)
    files.replace(files.read(path), b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o7777 == 0o751
    assert os.listdir(tmp_path) == ["a.py"]


@POSIX
def test_replace_follows_a_symlink(tmp_path: Path) -> None:
    real, link = tmp_path / "deep" / "real.py", tmp_path / "link.py"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real)
    files.replace(files.read(link), b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_replace_refuses_a_file_that_changed_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    source = files.read(path)
    path.write_bytes(b"edited")
    with pytest.raises(files.FileProblem, match="changed on disk"):
        files.replace(source, b"new")
    assert path.read_bytes() == b"edited"


def test_a_failure_while_writing_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(files.FileProblem, match="No space left"):
        files.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.py"]


def test_write_makes_folders(tmp_path: Path) -> None:
    files.write(tmp_path / "a" / "b" / "c.py", b"x")
    assert (tmp_path / "a" / "b" / "c.py").read_bytes() == b"x"


def _tree(top: Path, *names: str) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()


def test_find_walks_for_python_files_only(tmp_path: Path) -> None:
    _tree(tmp_path, "b.py", "a/c.py", "a/notes.txt", ".hidden/x.py", "a/__pycache__/y.py", "env/pyvenv.cfg", "env/z.py")
    found = files.find([tmp_path])
    assert [item.relative.as_posix() for item in found] == ["b.py", "a/c.py"]


def test_find_takes_a_file_as_named_and_each_file_once(tmp_path: Path) -> None:
    _tree(tmp_path, "script", "a.py")
    named = [tmp_path / "script", tmp_path / "a.py", tmp_path, tmp_path / "missing.py"]
    assert [item.path.name for item in files.find(named)] == ["script", "a.py", "missing.py"]


def test_find_excludes_by_pattern_and_skips_the_output(tmp_path: Path) -> None:
    _tree(tmp_path, "a.py", "a_test.py", "vendor/deep/b.py", "out/a.py")
    found = files.find([tmp_path], ["*_test.py", "vendor"], tmp_path / "out")
    assert [item.relative.as_posix() for item in found] == ["a.py"]
