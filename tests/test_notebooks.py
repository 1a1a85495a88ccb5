"""Notebooks: one module, many cells; everything but the sources of changed cells stays byte for byte."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from port import cells, cli, files, magics, notebooks
from port.report import github, jsonout, sarif
from port.report.model import FileReport, Report
from port.translate import translate

nbformat = pytest.importorskip("nbformat")

OUTPUT = {"output_type": "stream", "name": "stdout", "text": ["1.0\n"]}
CELLS = [
    ("markdown", "# Title with `tf.abs`"),
    ("code", "%matplotlib inline\n!pip install tensorflow \\\n    numpy\nimport tensorflow as tf\nfiles = !ls *.py"),
    ("code", "x = tf.constant([1.0, -2.0])\nx"),
    ("code", "%%bash\necho tf.abs  # another language\n"),
    ("code", ""),
    ("code", "%%time\n# é and a comment\ny = tf.reduce_sum(tf.abs(x))\nprint(float(y))\n"),
    ("code", "tf.strings.length('a')"),
    ("raw", "tf.raw"),
]


def notebook(found: list[tuple[str, str]], listed: bool = True, **more: Any) -> dict[str, Any]:
    made = []
    for n, (kind, source) in enumerate(found):
        cell: dict[str, Any] = {"cell_type": kind, "id": f"cell-{n}", "metadata": {"zeta": 1, "alpha": [1.0, 1e5]},
                                "source": source.splitlines(keepends=True) if listed else source}
        made.append(cell | ({"execution_count": n, "outputs": [OUTPUT]} if kind == "code" else {}))
    return {"cells": made, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5} | more


def write(path: Path, found: list[tuple[str, str]], indent: int | None = 1, end: str = "\n", **more: Any) -> bytes:
    raw = (json.dumps(notebook(found, **more), indent=indent, ensure_ascii=False) + end).encode()
    path.write_bytes(raw)
    return raw


def run(*arguments: object) -> int:
    try:
        return cli.main([str(a) for a in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


def sources(path: Path) -> list[str]:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    return [cell.source for cell in book.cells]


@pytest.mark.parametrize(("indent", "end", "listed"), [
    (1, "\n", True), (2, "", True), (None, "", True), (1, "\r\n", False)])
def test_a_notebook_is_translated_in_place(tmp_path: Path, indent: int | None, end: str, listed: bool,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.ipynb"
    raw = write(path, CELLS, indent, end, listed=listed)
    assert run("tf2torch", path, "--write", "--no-cache") == 1  # the strings are refused
    assert "cell 7, 1:1 P203" in capsys.readouterr().out
    made = sources(path)
    assert made[1] == ("%matplotlib inline\n!pip install tensorflow \\\n    numpy\nimport tensorflow as tf\n"
                       "import torch\nfiles = !ls *.py")
    assert made[2] == "x = torch.tensor([1.0, -2.0])\nx"
    assert made[5].startswith("%%time\n# é and a comment\ny = ") and made[5].endswith("\n")
    assert "torch.abs(x)" in made[5]
    assert "tf.strings" in made[6] and "P203" in made[6]
    assert [made[n] for n in (0, 3, 4, 7)] == [CELLS[n][1] for n in (0, 3, 4, 7)]
    before, after = json.loads(raw), json.loads(path.read_bytes())
    for cell in (*before["cells"], *after["cells"]):
        del cell["source"]
    assert json.dumps(before) == json.dumps(after)  # outputs, metadata and the order of keys
    kept = json.dumps(notebook(list(zip([k for k, _ in CELLS], made, strict=True)), listed), indent=indent,
                      ensure_ascii=False)
    assert path.read_bytes() == (kept + end).encode()


def test_outputs_are_cleared_only_on_request(tmp_path: Path) -> None:
    path, out = tmp_path / "book.ipynb", tmp_path / "out.ipynb"
    write(path, CELLS)
    run("tf2torch", path, "-o", out, "--no-cache")
    assert [c["outputs"] for c in json.loads(out.read_bytes())["cells"] if c["cell_type"] == "code"] == [[OUTPUT]] * 6
    run("tf2torch", path, "-o", out, "--no-cache", "--clear-outputs")
    code = [c for c in json.loads(out.read_bytes())["cells"] if c["cell_type"] == "code"]
    assert all(c["outputs"] == [] and c["execution_count"] is None for c in code)
    assert sources(out)[2] == "x = torch.tensor([1.0, -2.0])\nx"


@pytest.mark.parametrize("raw", [
    b'{"cells": [{"cell_type":"code","source":"import numpy","outputs":[] , "metadata":{}}],"nbformat":4, "x": {} }',
    b'\xef\xbb\xbf{ "nbformat": 4,\r\n"cells":[]}\r\n',
])
def test_without_framework_code_nothing_is_touched(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "book.ipynb"
    path.write_bytes(raw)
    before = path.stat()
    assert run("tf2torch", path, "--write", "--no-cache", "--clear-outputs") == 0
    assert path.read_bytes() == raw and path.stat().st_ino == before.st_ino
    assert files.read(path).encode(files.read(path).text) == raw


def test_a_cell_that_stays_keeps_its_spelling() -> None:
    odd = '["x =" , " 1  # \\u0041\\/"]'
    text = json.dumps(notebook([("code", "ODD"), ("code", "import tensorflow")])).replace('["ODD"]', odd)
    book = notebooks.read(text)
    made = book.pack(book.module().replace("import tensorflow", "import torch"))
    assert made == text.replace("import tensorflow", "import torch") and odd in made


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    write(path, CELLS)
    run("tf2torch", path, "--write", "--no-cache")
    raw = path.read_bytes()
    run("tf2torch", path, "--write", "--no-cache")
    assert path.read_bytes() == raw


def test_a_model_in_one_cell_and_its_helpers_behind_the_imports(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    write(path, [("code", "size = 8"), ("code", "import tensorflow as tf\nfrom tensorflow.keras import layers"),
                 ("code", "i = tf.keras.Input((9, 7, 3))\ny = layers.Conv2D(4, 3, strides=2, padding='same')(i)\n"
                          "model = tf.keras.Model(i, y)")])
    assert run("tf2torch", path, "--write", "--no-cache") == 0
    made = sources(path)
    assert made[0] == "size = 8" and made[1].startswith("from torch import nn") and "def init_weights" in made[1]
    assert "class Model(nn.Module)" in made[2] and made[2].endswith("model = Model()")
    compile("\n".join(made), "book", "exec")


def test_a_model_built_in_several_cells_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.ipynb"
    parts = ["i = tf.keras.Input((8,))", "y = layers.Dense(4)(i)", "model = tf.keras.Model(i, y)"]
    write(path, [("code", part) for part in ["import tensorflow as tf\nfrom tensorflow.keras import layers", *parts]])
    assert run("tf2torch", path, "--write", "--no-cache") == 1
    assert "several cells" in capsys.readouterr().out
    assert all(new.endswith(part) for part, new in zip(parts, sources(path)[1:], strict=True))


def test_a_sequential_grows_cell_by_cell(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    head = "import tensorflow as tf\nfrom tensorflow.keras import layers\nmodel = tf.keras.Sequential()"
    write(path, [("code", head),
                 ("code", "model.add(layers.Dense(3, input_shape=(8,)))"), ("code", "model.add(layers.Dense(4))")])
    assert run("tf2torch", path, "--write", "--no-cache") == 0
    made = sources(path)
    assert made[1] == "model.append(nn.Linear(8, 3))" and made[2].startswith("model.append(nn.Linear(3, 4))")


def test_names_flow_between_cells_of_torch(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    write(path, [("code", "import torch\nfrom torch import nn"),
                 ("code", "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
                          "        self.fc = nn.Linear(3, 5)\n\n    def forward(self, x):\n        return self.fc(x)"),
                 ("markdown", "text"), ("code", "net = Net()\n%time y = net(torch.zeros(2, 3))")])
    assert run("torch2tf", path, "--write", "--no-cache") in (0, 1)
    made = sources(path)
    assert "layers.Dense(5" in made[1] and made[2] == "text" and "%time y = net(torch.zeros(2, 3))" in made[3]


@pytest.mark.parametrize(("raw", "told"), [
    (b"{}", "not a notebook"), (b"tensorflow", "not a notebook"), (b"[" * 100_000, "not a notebook"),
    (b'{"cells": [], "nbformat": 3, "x": "torch"}', "version 3"), (b"\xff\xfe", "codec"),
    (b'{"cells": [3], "nbformat": 4, "metadata": {}}', "not a notebook"),
    (b'{"cells": [{"cell_type": "code", "source": ["import tensorflow"]}], "nbformat": 4}', "not a valid notebook"),
    (b'{"cells": [{"cell_type": "code", "source": [1]}], "nbformat": 4, "metadata": {}}', "not a notebook"),
])
def test_what_is_no_notebook_is_told_in_a_line(tmp_path: Path, raw: bytes, told: str,
                                               capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.ipynb"
    path.write_bytes(raw)
    assert run("tf2torch", path, "--write", "--no-cache") == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1 and path.read_bytes() == raw


def test_a_missing_nbformat_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.ipynb"
    write(path, CELLS)
    monkeypatch.setitem(sys.modules, "nbformat", None)
    assert run("tf2torch", path, "--no-cache") == 2
    assert "pip install 'port[notebook]'" in capsys.readouterr().err


def test_a_cell_that_is_not_python_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "book.ipynb"
    write(path, [("markdown", "x"), ("code", "import tensorflow\n\ndef f(:\n")])
    assert run("tf2torch", path, "--no-cache") == 2
    assert "cell 2, line 3: " in capsys.readouterr().err


def test_a_walk_finds_notebooks_and_no_checkpoints(tmp_path: Path) -> None:
    for name in ("a.ipynb", "b.py", ".ipynb_checkpoints/a-checkpoint.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [f.path.name for f in files.find([tmp_path])] == ["a.ipynb", "b.py"]


NET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, size())

    def forward(self, x):
        x = self.fc(x)
        return torch.relu(x)"""
PAIR = [("code", "%matplotlib inline\n!pip install \\\n    torch\nimport torch\nfrom torch import nn\n"
                 "from helper import size"),
        ("markdown", "text"), ("code", NET), ("code", "%%time\n%time net = Net()"), ("code", "losses = fit(net)")]


def pair(folder: Path, old: str = "", new: str = "") -> list[Path]:
    """A notebook with a module beside it, and a second version of the notebook in another folder."""
    paths = [folder / name / "book.ipynb" for name in ("one", "two")]
    for path in paths:
        path.parent.mkdir()
        (path.parent / "helper.py").write_text("def size():\n    return 5\n")
        write(path, PAIR)
    write(paths[1], [(kind, text.replace(old, new)) for kind, text in PAIR])
    return paths


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
def test_a_notebook_is_verified_cell_by_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its imports are found, a cell that cannot run is said, and the rest is compared."""
    assert run("verify", *pair(tmp_path), "--call", "net", "--input", "f32[2,8]", "--dtype", "float64") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "verified net" in out and "1 layer paired" in out
    assert "magics and shell lines of book.ipynb were left out: cell 1 line 1, cell 1 line 2" in out
    for side in ("source", "port"):
        assert f"a cell of the {side} did not run to its end: book.ipynb cell 5 line 1: NameError" in out


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
def test_a_difference_is_found_in_its_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = pair(tmp_path, "x = self.fc(x)", "x = self.fc(2 * x)")
    options = ("--call", "Net()", "--input", "f32[2,8]", "--dtype", "float64", "--format", "json")
    assert run("verify", *paths, *options) == 1
    (verdict,) = json.loads(capsys.readouterr().out)["files"][0]["verdicts"]
    assert verdict["where"]["source_lines"] == ["cell 3 line 7"] and "cell 3 line 7 = fc" in verdict["text"]


@pytest.mark.parametrize(("cells_", "told"), [
    ([("code", "import torch\n\ndef f(:\n")], "cell 1, line 3: "), ([], "each file must use TensorFlow"),
    ([("code", "%%bash\nimport torch")], "each file must use TensorFlow")])
def test_a_notebook_that_cannot_be_verified_is_told_in_a_line(
        tmp_path: Path, cells_: list[tuple[str, str]], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    paths = pair(tmp_path)
    write(paths[1], cells_)
    assert run("verify", *paths, "--call", "Net()") == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("text", "left", "gone"), [
    ("%cd x\na = !ls\nb = 1", "pass\npass\nb = 1", (1, 2)), ("!a \\\n  b\nc = 1", "pass\n#\nc = 1", (1,)),
    ("if a:\n    !ls\n", "if a:\n    pass\n", (2,)), ("%time x = 1", "x = 1", ()), ("%time", "pass", (1,)),
    ("%%time -x\ny = 2", "pass\ny = 2", ()), ("%timeit f(x)", "pass", (1,)), ("x?", "pass", (1,)),
    ("s = '!ls'\nt = '%cd'", "s = '!ls'\nt = '%cd'", ()), ("%time a = [", "pass", (1,)), ("%%capture", "pass", ())])
def test_what_only_ipython_runs_is_left_out(text: str, left: str, gone: tuple[int, ...]) -> None:
    assert magics.left_out(magics.to_python(text)[0]) == (left, gone)


def test_a_hunk_stays_in_its_cell(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    write(path, CELLS)
    source = files.read(path)
    found = FileReport(str(path), translate(source.text, "tf2torch")).hunks()
    assert len(found) == 4 and [h.lines[0][1] for h in found[1:]] == [f"__cell__ = {n}\n" for n in (3, 6, 7)]


def test_every_format_names_the_cell(tmp_path: Path) -> None:
    path = tmp_path / "book.ipynb"
    write(path, CELLS)
    source = files.read(path)
    result = translate(source.text, "tf2torch")
    refused = tuple(f for f in result.findings if f.code == "P203")
    report = Report("tf2torch", (FileReport(str(path), result, refused),))
    (found,) = json.loads(jsonout.render(report))["files"][0]["findings"]
    assert (found["cell"], found["line"], found["end_line"]) == (7, 1, 1)
    assert "line=1,col=1,endLine=1" in github.render(report) and "::cell 7: " in github.render(report)
    (result_,) = json.loads(sarif.render(report))["runs"][0]["results"]
    assert result_["message"]["text"].startswith("cell 7: ")
    assert result_["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


@pytest.mark.parametrize("written", [
    "%matplotlib inline", "x = %sql select 1", "!ls -l 'a b'", "a, b = !ls", "!!ls", "print?", "??print", "np.*load?",
    "%timeit f(x)", "!echo (", "!echo \"it's", "if a:\n    !ls\n    %cd ..", "%%capture out\nx = 1", "x = 7 % 3\n%cd x",
    "!a \\\n  b \\\n  c\nx = 1", "s = '''\n%not a magic\n!neither\n'''", "x = (7\n% 3)", "%time x = [\n    1]",
])
def test_magics_there_and_back(written: str) -> None:
    if written.startswith("%time x = [\n"):
        with pytest.raises(magics.NotPython):  # IPython takes one line; this runs in no notebook
            magics.to_python(written)
        return
    python, found = magics.to_python(written)
    compile(python, "cell", "exec")
    assert python.count("\n") == written.count("\n")
    assert magics.from_python(python, found) == written


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["code", "markdown"]), st.sampled_from([
    "", "x = 1", "é = 'ж'\n", "%magic a\ny = 2", "\n\nz\n\n", "'\\\\ \" \\t'", "if x:\n    !ls", "%%bash\n<"])),
    max_size=6),
    st.sampled_from([None, 0, 1, 4]), st.booleans(), st.booleans())
def test_the_same_module_is_the_same_file_and_another_differs_in_its_cell_alone(
        found: list[tuple[str, str]], indent: int | None, listed: bool, ascii_: bool) -> None:
    text = json.dumps(notebook(found, listed), indent=indent, ensure_ascii=ascii_)
    book = notebooks.read(text)
    assert book.pack(book.module()) == text
    for n, (number, part) in enumerate(cells.split(book.module())[1:]):
        parts = [part + "new = 'é'\n" if i == n else p for i, (_, p) in enumerate(cells.split(book.module())[1:])]
        module = "".join(cells.mark(c.number) + p for c, p in zip(book.cells, parts, strict=True))
        made = json.loads(book.pack(module))
        kinds = [kind for kind, _ in found]
        for i, cell in enumerate(made["cells"], 1):
            source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
            assert ("new = 'é'" in source) == (i == number) and cell["cell_type"] == kinds[i - 1]
            assert i == number or source == found[i - 1][1]


def test_a_module_whose_cells_are_gone_is_not_written() -> None:
    book = notebooks.read(json.dumps(notebook(CELLS)))
    for module in ("", book.module().replace("__cell__ = 3\n", ""), book.module().replace(
            "get_ipython().system('pip install tensorflow", "print('")):
        with pytest.raises(notebooks.NotebookProblem):
            book.pack(module + "x = 1\n")
