"""The state of a migration: uses of a framework, the baseline, `port status`, and the hooks of pre-commit."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from port import cache, cli, project
from port.sites import sites

ROOT = Path(__file__).resolve().parents[1]
TF = "import tensorflow as tf\n\n\ndef f(x):\n    return tf.nn.relu(tf.abs(x))\n"
PLAIN = "import os\n\n\ndef g(x):\n    return os.path.join(x, 'tensor')\n"


def command(*arguments: object) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("text", "direction", "found"), [
    (TF, "tf2torch", ["tf.nn.relu", "tf.abs"]),
    (TF, "torch2tf", []),
    ("from tensorflow.keras import layers as L\nx = L.Dense(3)\n", "tf2torch", ["keras.layers.Dense"]),
    ("from keras.layers import Dense as D, Conv2D\nx = [D, Conv2D]\n", "tf2torch",
     ["keras.layers.Dense", "keras.layers.Conv2D"]),
    ("import tensorflow as tf\nL = tf.keras.layers\nx = L.Dense(3)\n", "tf2torch",
     ["keras.layers", "keras.layers.Dense"]),
    ("import torch\nfrom torch import nn\nx: nn.Module = torch.abs(1)\n", "torch2tf", ["torch.nn.Module", "torch.abs"]),
    ("# tensorflow\nimport numpy as tf\nx = tf.abs(1)\n", "tf2torch", []),
    ("import tensorflow as tf\ntf = 3\n", "tf2torch", []),
    ("import os\n", "tf2torch", []),
])
def test_uses_of_a_framework(text: str, direction: str, found: list[str]) -> None:
    here = sites(text, direction)
    assert here is not None and [site.symbol for site in here] == found


def test_uses_in_what_is_not_python() -> None:
    assert sites("import tensorflow\ndef f(:\n", "tf2torch") is None


# ---------------------------------------------------------------- baseline

def test_only_new_code_is_reported(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pkg").mkdir()
    (here / "pkg/a.py").write_text(TF)
    assert command("tf2torch", "pkg", "--check") == 1
    assert command("tf2torch", "pkg", "--baseline", "base.json", "--update-baseline") == 0
    assert "2 uses on record" in capsys.readouterr().err
    check = ("tf2torch", "pkg", "--check", "--baseline", "base.json")
    assert command(*check) == 0
    (here / "pkg/a.py").write_text("# moved\n" + TF)
    assert command(*check) == 0
    (here / "pkg/a.py").write_text(TF + "\n\ndef g(x):\n    return tf.abs(x)\n")
    capsys.readouterr()
    assert command(*check, "--format", "json") == 1
    found = [f for f in json.loads(capsys.readouterr().out)["files"][0]["findings"] if not f["accepted"]]
    assert [(f["code"], f["line"], f["symbol"]) for f in found] == [("P301", 9, "tf.abs")]
    (here / "pkg/a.py").write_text(TF)
    (here / "pkg/b.py").write_text(TF)
    assert command(*check) == 1
    assert command("tf2torch", "pkg/b.py", "--baseline", "base.json", "--update-baseline") == 0
    assert command(*check) == 0
    assert sorted(json.loads((here / "base.json").read_text())["files"]) == ["pkg/a.py", "pkg/b.py"]


@pytest.mark.parametrize(("content", "word"), [
    (None, "--update-baseline records it"), ("{", "is not a baseline"), ("[]", "is not a baseline"),
    ('{"version": 9, "direction": "tf2torch", "files": {}}', "version 9"),
    ('{"version": 1, "direction": "torch2tf", "files": {}}', "recorded for torch2tf"),
    ('{"version": 1, "direction": "tf2torch", "files": {"a.py": 3}}', "is not a baseline"),
])
def test_a_baseline_that_does_not_serve_is_wrong_usage(here: Path, capsys: pytest.CaptureFixture[str],
                                                       content: str | None, word: str) -> None:
    (here / "a.py").write_text(TF)
    if content is not None:
        (here / "base.json").write_text(content)
    assert command("tf2torch", "a.py", "--check", "--baseline", "base.json") == 2
    assert word in capsys.readouterr().err


def test_a_baseline_does_not_write(here: Path) -> None:
    (here / "a.py").write_text(TF)
    assert command("tf2torch", "a.py", "--write", "--baseline", "base.json") == 2
    assert (here / "a.py").read_text() == TF


def test_a_file_that_cannot_be_read_fails_the_check(here: Path) -> None:
    (here / "base.json").write_text('{"version": 1, "direction": "tf2torch", "files": {}}')
    (here / "a.py").write_text("import tensorflow\ndef f(:\n")
    assert command("tf2torch", "a.py", "--check", "--baseline", "base.json") == 2


# ---------------------------------------------------------------- status

def test_status(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"a.py": TF, "b.py": TF.replace("tf.abs(x)", "x") + "import torch\ny = torch.ones(3)\n",
                       "c.py": "import torch\ny = torch.ones(3)\n", "d.py": PLAIN, "e.py": "keras = (\n"}.items():
        (here / name).write_text(text)
    (here / "pyproject.toml").write_text('[[tool.port.cases]]\nfile = "a.py"\ncall = "f(1)"\n'
                                         '[[tool.port.cases]]\nfile = "c.py"\ncall = "h()"\n')
    state = project.state(here / "a.py")
    cache.opened(here).note({"a.py: f(1)": {"status": "verified", "source": state, "ported": "x"}})
    assert command("status", "--format", "json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["files"] == {"source": 1, "mixed": 1, "ported": 1, "plain": 1, "unreadable": 1}
    assert found["sites"] == {"left": 3, "ported": 2}
    assert found["symbols"] == {"tf.nn.relu": 2, "tf.abs": 1}
    assert [m["status"] for m in found["models"]] == ["verified", "never verified"]
    (here / "a.py").write_text(TF + "\n")
    assert command("status") == 0
    text = capsys.readouterr().out
    assert "5 files: 1 TensorFlow/Keras only, 1 both, 1 PyTorch only, 1 neither, 1 not readable" in text
    assert "3 uses of TensorFlow/Keras left, 2 of PyTorch (40 % ported)" in text
    assert "0 of 2 configured cases verified" in text and "changed since: a.py: f(1)" in text


def test_the_state_of_a_file_is_that_of_what_it_imports(tmp_path: Path) -> None:
    for name, text in {"p/__init__.py": "", "p/a.py": "from .b import x\n", "p/b.py": "x = 1\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copytree(tmp_path / "p", tmp_path / "elsewhere" / "p")
    first = project.state(tmp_path / "p/a.py")
    assert project.state(tmp_path / "elsewhere/p/a.py") == first
    (tmp_path / "p/b.py").write_text("x = 2\n")
    assert project.state(tmp_path / "p/a.py") != first
    assert project.state(tmp_path / "p") != project.state(tmp_path / "elsewhere/p")


# ---------------------------------------------------------------- pre-commit

def test_files_without_a_framework_cost_next_to_nothing(here: Path) -> None:
    """Under 5 ms each after start-up: this process' own time, with margin for a machine under load."""
    text = (ROOT / "src/port/files.py").read_text()  # 170 lines
    for i in range(100):
        (here / f"m{i:03}.py").write_text(f"# {i}\n{text}")
    assert command("tf2torch", "m000.py") == 0  # what is loaded once
    gc.collect()
    gc.freeze()  # what other tests left is not gone through again and again
    try:
        start = time.process_time()
        assert command("tf2torch", ".", "--jobs", "1", "--no-cache") == 0
        assert (time.process_time() - start) / 100 < 0.005
    finally:
        gc.unfreeze()


def test_files_without_a_framework_load_no_parser(here: Path) -> None:
    (here / "a.py").write_text(PLAIN)
    code = "import sys\nfrom port.cli import main\nmain(['tf2torch', 'a.py'])\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert not {"libcst", "numpy", "yaml"} & set(done.stderr.split())


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    settings = ("-c", "user.name=port", "-c", "user.email=port@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *settings, *arguments], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def _precommit() -> None:
    pytest.importorskip("pre_commit", reason="needs pre-commit, of the extra `test`")
    if not shutil.which("git"):
        pytest.skip("needs git")


def test_the_hooks_are_as_pre_commit_wants_them() -> None:
    _precommit()
    from pre_commit.clientlib import load_manifest

    hooks = {hook["id"]: hook for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))}
    assert hooks.keys() == {"port-check", "port-fix"}
    assert all(hook["entry"] == "port" and hook["require_serial"] for hook in hooks.values())


@pytest.mark.parametrize(("hook", "text", "passes", "after"), [
    ("port-check", PLAIN, True, PLAIN),
    ("port-check", TF, False, TF),
    ("port-fix", PLAIN, True, PLAIN),
    ("port-fix", TF, False, "import torch\nimport torch.nn.functional as F\n\n\ndef f(x):\n"
                            "    return F.relu(torch.abs(x))\n"),
])
def test_a_commit_with_the_real_pre_commit(here: Path, hook: str, text: str, passes: bool, after: str) -> None:
    """The hooks as they are shipped, but run from this checkout: building an environment needs the network."""
    _precommit()
    hooks = [h for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()) if h["id"] == hook]
    hooks = [h | {"language": "system", "entry": f"{sys.executable} -m port.cli"} for h in hooks]
    (here / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    (here / "a.py").write_text(text)
    assert _git("init", "-q", ".").returncode == 0
    installed = subprocess.run([sys.executable, "-m", "pre_commit", "install"], capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    _git("add", ".pre-commit-config.yaml", "a.py")
    done = _git("commit", "-qm", "a")
    assert (done.returncode == 0) == passes, done.stdout + done.stderr
    assert (here / "a.py").read_text() == after
    if hook == "port-fix" and not passes:  # what it wrote is staged, and the commit goes through
        _git("add", "a.py")
        assert _git("commit", "-qm", "a").returncode == 0
