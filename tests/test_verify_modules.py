"""`package.module:Builder(...)`: the module is imported as a part of its package, on both sides."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from port import checking, config, laying
from port.verify import modules, user
from port.verify.cases import Case


@pytest.mark.parametrize(("call", "expected"), [
    ("net.model:build(3)", ("net.model", "build(3)")), ("build(x[1:2])", ("", "build(x[1:2])")),
    ("net: Net(a={1: 2})", ("net", "Net(a={1: 2})")), ("lambda: 3", ("", "lambda: 3")),
    ("lambda x: x", ("", "lambda x: x")),
    ("{'a': 1}", ("", "{'a': 1}"))])
def test_the_module_that_a_call_names(call: str, expected: tuple[str, str]) -> None:
    assert modules.split(call) == expected


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two packages of one name, in two folders; a module of each imports its neighbour by either kind of import."""
    for name, number in (("old", 1), ("new", 2)):
        inner = tmp_path / name / "pairnet" / "sub"
        inner.mkdir(parents=True)
        (inner.parent / "__init__.py").write_text(f"if False:\n    import torch\nNUMBER = {number}\n")
        (inner / "__init__.py").write_text("from .. import NUMBER as up\n")
        (inner / "model.py").write_text("import pairnet.sub as own\nfrom . import up\nVALUE = up * 10 + own.up\n")
    return tmp_path


@pytest.mark.parametrize("place", ["old", "old/pairnet", "old/pairnet/sub", "old/pairnet/sub/model.py"])
def test_where_a_module_is(place: str, tree: Path) -> None:
    assert modules.find(tree / place, "pairnet.sub.model") == (tree / "old/pairnet/sub/model.py").resolve()
    assert modules.find(tree / place, "pairnet.sub") == (tree / "old/pairnet/sub/__init__.py").resolve()


def test_a_module_that_is_not_there(tree: Path) -> None:
    with pytest.raises(ValueError, match=r"no module pairnet\.gone"):
        modules.find(tree / "old", "pairnet.gone")


def test_the_package_of_the_right_folder_is_imported(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    for name, expected in (("old", 11), ("new", 22), ("old", 11)):
        path = modules.find(tree / name, "pairnet.sub.model")
        loaded = user.load(path, "float64", "pairnet.sub.model")
        assert expected == loaded.VALUE


def test_a_file_named_like_its_package_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    package = tmp_path / "likenet"
    package.mkdir()
    for name, text in (("__init__", ""), ("likenet", "NUMBER = 3\n"), ("io", "from likenet.likenet import NUMBER\n")):
        (package / f"{name}.py").write_text(text)
    assert user.load(package / "io.py", "float64").NUMBER == 3


def test_cases_of_one_module_run_together_and_keep_their_names() -> None:
    found = modules.grouped([Case("a.b:F()"), Case("G()"), Case("a.b:H(1)", ("f32[2]",), ported_call="a.c:h(1)"),
                             Case("a.b:K()", name="kay")])
    assert found == {("a.b", "a.b"): [Case("F()", name="a.b:F()"), Case("K()", name="kay")], ("", ""): [Case("G()")],
                     ("a.b", "a.c"): [Case("H(1)", ("f32[2]",), "a.b:H(1)", "h(1)")]}


def test_folders_have_the_direction_of_the_module_and_the_cases_of_their_files(tree: Path) -> None:
    (tree / "pyproject.toml").write_text('[[tool.port.cases]]\nfile = "old"\ncall = "pairnet.sub.model:VALUE"\n')
    (tree / "new/pairnet/__init__.py").write_text("import keras\nNUMBER = 2\n")
    assert checking.direction(tree / "old", tree / "new", [Case("pairnet:NUMBER")]) == "torch2tf"
    assert checking.direction(tree / "old", tree / "new", [Case("pairnet.sub.model:VALUE")]) == "torch2tf"
    held = config.load(tree)
    for place in ("old", "old/pairnet/sub/model.py"):
        assert [c.call for c in checking.configured(held, tree / place)] == ["pairnet.sub.model:VALUE"]
    assert checking.configured(held, tree / "old/pairnet/__init__.py") == []


def test_what_a_file_imports_is_laid_out_beside_it(tmp_path: Path) -> None:
    """Files that were not named are there as they are; those that were, as they were translated."""
    files_ = {"pkg/__init__.py": "from . import own\n", "pkg/own.py": "", "pkg/sub/__init__.py": "",
              "pkg/sub/model.py": "from ..util import size\nfrom .block import f\nimport json\n",
              "pkg/sub/block.py": "old = 1\n", "pkg/util.py": "from .deep import size\n", "pkg/deep.py": "size = 3\n",
              "pkg/other.py": "", "book.ipynb": ""}
    for name, text in files_.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    model, block = tmp_path / "pkg/sub/model.py", tmp_path / "pkg/sub/block.py"
    out = tmp_path / "out"
    placed = laying.lay_out({model: laying.Laid(files_["pkg/sub/model.py"], b"new"),
                             block: laying.Laid("new = 1\n", b"new = 1\n")}, out)
    assert placed == {model: out / "pkg/sub/model.py", block: out / "pkg/sub/block.py"}
    assert placed[model].read_text() == "new" and placed[block].read_text() == "new = 1\n"
    made = {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*.*")}
    assert made.keys() == files_.keys() - {"pkg/other.py", "book.ipynb"}
    assert all(made[name] == files_[name] for name in made.keys() - {"pkg/sub/model.py", "pkg/sub/block.py"})


def test_a_folder_of_another_name_beside_the_source_is_not_taken_for_the_source(tree: Path) -> None:
    """`port tf2torch pairnet -o ported`, beside it: the source was compared with itself, and verified."""
    package = tree / "old/pairnet"
    shutil.copytree(package, package.with_name("ported"))
    with pytest.raises(ValueError, match=r"ported: no module pairnet\.sub\.model in it; a package keeps its name"):
        modules.find(package.with_name("ported"), "pairnet.sub.model")
