"""Which files are translated together, and what is remembered of earlier runs: never a stale result."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from port import batch, cache, files, planning, project
from port.report import bar
from port.result import Options

A = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.abs(x)\n"


def put(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def tasks(folder: Path, *names: str, direction: str = "tf2torch", options: Options = Options()
          ) -> list[planning.Task]:
    sources: dict[files.Found, files.Source | None] = {}
    for name in names:
        found = files.Found(folder / name, Path(name))
        sources[found] = files.read(found.path) if found.path.exists() else None
    return planning.tasks(sources, direction, lambda path: options, project.imports)


def groups(folder: Path, *names: str) -> list[list[str]]:
    return [[str(found.relative) for found in task.wanted] for task in tasks(folder, *names)]


def test_files_tied_by_imports_are_one_group(tmp_path: Path) -> None:
    put(tmp_path, {"net/__init__.py": "", "net/blocks.py": A, "net/model.py": "from net.mid import f\nimport keras\n",
                   "net/mid.py": "from .blocks import f\n", "net/alone.py": "import keras\n", "net/bad.py": "def f(:\n",
                   "x.py": ""})
    names = ("net/alone.py", "net/blocks.py", "net/bad.py", "net/model.py", "x.py", "gone.py")
    assert groups(tmp_path, *names) == [["net/alone.py"], ["net/blocks.py", "net/model.py"], ["net/bad.py"],
                                        ["x.py"], ["gone.py"]]


def test_what_has_nothing_of_the_framework_ties_nothing(tmp_path: Path) -> None:
    put(tmp_path, {"log.py": "import os\n", "a.py": "import log\n" + A, "b.py": "import log\n" + A})
    assert groups(tmp_path, "a.py", "b.py", "log.py") == [["a.py"], ["b.py"], ["log.py"]]
    assert [task.idle for task in tasks(tmp_path, "a.py", "b.py", "log.py")] == [False, False, True]


def test_what_only_hands_on_is_not_read_though_the_name_of_its_package_holds_that_of_pytorch(tmp_path: Path) -> None:
    put(tmp_path, {"my_torch/__init__.py": "from my_torch.vit import f\n",
                   "my_torch/vit.py": "import torch\nf = torch.abs\n",
                   "my_torch/own.py": "from my_torch.vit import f\nimport torch.nn\n"})
    made = tasks(tmp_path, "my_torch/__init__.py", "my_torch/own.py", direction="torch2tf")
    assert [task.idle for task in made] == [True, False]


def test_files_with_other_settings_see_each_other(tmp_path: Path) -> None:
    put(tmp_path, {"a.py": A, "b.py": "from a import f\n" + A})
    found = [files.Found(tmp_path / name, Path(name)) for name in ("a.py", "b.py")]
    chosen = {found[0].path: Options(), found[1].path: Options(init="framework")}
    made = planning.tasks({f: files.read(f.path) for f in found}, "tf2torch", chosen.__getitem__, project.imports)
    assert [(t.found, t.wanted, t.options.init) for t in made] == [(tuple(found), (found[0],), "keep"),
                                                                   (tuple(found), (found[1],), "framework")]


def _edit(folder: Path, case: str) -> None:
    if case == "the file":
        put(folder, {"pkg/a.py": A + "# more\n"})
    elif case == "a file that it reads, and that is not named":
        put(folder, {"pkg/b.py": A + "# more\n"})
    elif case == "a file behind that":
        put(folder, {"pkg/c.py": "SIZE = 4\n"})
    elif case == "an import leads elsewhere":
        (folder / "pkg/b.py").unlink()
        put(folder, {"pkg/b/__init__.py": A + "from .c import SIZE\n", "pkg/b/c.py": "SIZE = 3\n"})
    elif case == "an import leads somewhere now":
        put(folder, {"pkg/later.py": "x = 1\n"})


@pytest.mark.parametrize("direction", ["tf2torch", "torch2tf"])
@pytest.mark.parametrize("case", ["nothing", "the file", "a file that it reads, and that is not named",
                                  "a file behind that", "an import leads elsewhere", "an import leads somewhere now"])
def test_a_key_speaks_of_all_that_is_read(tmp_path: Path, direction: str, case: str) -> None:
    put(tmp_path, {"pkg/__init__.py": "", "pkg/a.py": "import torch\nfrom .b import f\nfrom . import later\n" + A,
                   "pkg/b.py": A + "from .c import SIZE\n", "pkg/c.py": "SIZE = 3\n"})
    before = tasks(tmp_path, "pkg/a.py", direction=direction)[0].key
    _edit(tmp_path, case)
    assert before and (tasks(tmp_path, "pkg/a.py", direction=direction)[0].key == before) == (case == "nothing")


def test_a_key_speaks_of_settings_direction_and_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {"a.py": "import torch\n" + A})
    keys = [tasks(tmp_path, "a.py")[0].key, tasks(tmp_path, "a.py", direction="torch2tf")[0].key,
            tasks(tmp_path, "a.py", options=Options(init="framework"))[0].key]
    monkeypatch.setattr(planning, "release", lambda: "another")
    assert len({*keys, tasks(tmp_path, "a.py")[0].key}) == 4


# ---------------------------------------------------------------- runs

@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """The names of files that were really translated, run by run."""
    from port import translate

    seen: list[list[str]] = []
    real = translate.translate_together

    def noted(texts: dict[str, str], *rest: object) -> object:
        seen.append(sorted(Path(name).name for name in texts))
        return real(texts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(translate, "translate_together", noted)
    monkeypatch.chdir(tmp_path)
    yield seen


def items(*names: str, folder: Path | None = Path()) -> list[batch.Item]:
    found = [files.Found(Path(name), Path(name)) for name in names]
    return list(batch.run(found, "tf2torch", lambda path: Options(), 1, cache.opened(folder)))


def test_a_second_run_translates_what_changed(tmp_path: Path, runs: list[list[str]]) -> None:
    put(tmp_path, {"a.py": A, "b.py": "from a import f\n" + A, "c.py": A + "y = tf.foo(1)  # port: ignore[P201]\n",
                   "d.py": "import os\n"})
    first = items("a.py", "b.py", "c.py", "d.py")
    assert runs == [["a.py", "b.py"], ["c.py"]]
    assert items("a.py", "b.py", "c.py", "d.py") == first and len(runs) == 2
    assert len(first[2].report.accepted) == 1
    put(tmp_path, {"a.py": A + "# more\n"})
    items("a.py", "b.py", "c.py", "d.py")
    assert runs[2:] == [["a.py", "b.py"]]


def test_no_cache(tmp_path: Path, runs: list[list[str]]) -> None:
    put(tmp_path, {"a.py": A})
    assert items("a.py", folder=None) == items("a.py", folder=None)
    assert len(runs) == 2 and not (tmp_path / cache.NAME).exists()


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, runs: list[list[str]]) -> None:
    put(tmp_path, {f"m{i}.py": A for i in range(5)})
    found = [files.Found(Path(f"m{i}.py"), Path(f"m{i}.py")) for i in range(5)]
    stopped = batch.run(found, "tf2torch", lambda path: Options(), 1, cache.opened(tmp_path))
    next(stopped), next(stopped)
    stopped.close()
    before = len(runs)
    items(*(f"m{i}.py" for i in range(5)), folder=tmp_path)
    assert before in (2, 3) and len(runs) == 5


def test_the_folder_is_one_that_tools_know(tmp_path: Path, runs: list[list[str]]) -> None:
    put(tmp_path, {"a.py": A})
    items("a.py")
    folder = tmp_path / cache.NAME
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")
    assert (folder / ".gitignore").read_text() == "*\n"
    assert [found.path.name for found in files.find([tmp_path])] == ["a.py"]


@pytest.mark.parametrize("content", ["", "[", "[1]", "[]", '[{"text": null}]', '{"text": 1}', json.dumps(
    [{"text": "x = 1\n", "findings": [{"line": 1, "column": 0, "code": "P999", "message": ""}], "lines": [],
      "edits": []}])])
def test_a_damaged_entry_is_none(tmp_path: Path, runs: list[list[str]], content: str) -> None:
    put(tmp_path, {"a.py": A})
    first = items("a.py")
    for path in (tmp_path / cache.NAME).glob("**/*.json"):
        path.write_text(content)
    assert items("a.py") == first and len(runs) == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path: Path, runs: list[list[str]]) -> None:
    put(tmp_path, {"a.py": A})
    tmp_path.chmod(0o555)
    try:
        assert items("a.py") == items("a.py")
    finally:
        tmp_path.chmod(0o755)


def test_a_file_that_changes_while_it_is_translated_is_not_remembered(tmp_path: Path, runs: list[list[str]],
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    from port import translate

    put(tmp_path, {"a.py": A})
    noted = translate.translate_together

    def changing(texts: dict[str, str], *rest: object) -> object:
        put(tmp_path, {"a.py": A + "# meanwhile\n"})
        return noted(texts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(translate, "translate_together", changing)
    items("a.py")
    monkeypatch.setattr(translate, "translate_together", noted)
    put(tmp_path, {"a.py": A})
    items("a.py")
    assert len(runs) == 2


@pytest.mark.parametrize(("terminal", "total", "shown"), [(True, 20, True), (False, 20, False), (True, 3, False)])
def test_a_bar_is_shown_on_terminals_only(terminal: bool, total: int, shown: bool) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=80)
    assert list(bar.watched(range(total), total, console)) == list(range(total))
    assert ("translating" in stream.getvalue()) == shown
    assert shown or not stream.getvalue()
