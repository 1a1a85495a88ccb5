"""The command line on real files, with a translator of three lines in place of the real one."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import libcst as cst
import pytest

from port import checking, cli, comments, table
from port.findings import CATALOGUE, Finding
from port.report.model import CaseVerdict
from port.result import Options, Result
from port.rowtext import RowError
from port.verify import verdict

TF = "import tensorflow as tf\n\nx = tf.abs(1)\n"
TORCH = "import torch\n\nx = torch.abs(1)\n"
PLAIN = b"import os\r\nprint(os.name)\r\n"
Port = Callable[..., int]


def fake(text: str, direction: str, options: Options = Options(), path: str = "") -> Result:
    """`tf` becomes `torch`; `refuse`, `assume` and `crash` in a line do what they say."""
    try:
        ast.parse(text)
    except SyntaxError as error:
        return Result(text, text, (Finding(error.lineno or 1, 0, "P902", error.msg),))
    if "crash" in text:
        raise ZeroDivisionError("crash")
    if "unparsed" in text:
        cst.parse_expression("")
    lines = text.splitlines()
    codes = {"refuse": "P203", "assume": "P103", "differs": "P101"}
    findings = [Finding(i, 4, code, f"{word}: 100%, of it", i, 9) for i, line in enumerate(lines, 1)
                for word, code in codes.items() if word in line]
    new = text.replace("import tensorflow as tf", "import torch").replace("tf.", "torch.")
    new = new.replace("broken", "(") if "broken" in text else new
    return Result(text, new, tuple(findings))


def command(*arguments: object) -> int:
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Port:
    """The command, in an empty folder."""
    monkeypatch.setattr("port.translate.translate_together", lambda texts, direction, options, *_: {
        path: fake(text, direction, options, path) for path, text in texts.items()})
    monkeypatch.chdir(tmp_path)
    return command


def put(name: str, content: str | bytes = TF) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_prints_a_diff_and_writes_nothing(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    path = put("m.py")
    assert port("tf2torch", path) == 0
    out = capsys.readouterr().out
    assert "--- m.py\n+++ m.py\n" in out and "-x = tf.abs(1)\n+x = torch.abs(1)\n" in out
    assert "1 file: 1 would change" in out
    assert path.read_text() == TF


@pytest.mark.skipif(not shutil.which("patch"), reason="needs the patch program")
@pytest.mark.parametrize("text", [TF, TF.rstrip(), TF + "y = '" + "long " * 60 + "[bold]'  # refuse [red]\n"])
def test_the_diff_is_one_that_patch_reads(port: Port, capsys: pytest.CaptureFixture[str], text: str) -> None:
    path = put("m.py", text)
    port("tf2torch", path)
    subprocess.run(["patch", "-p0", "-s"], input=capsys.readouterr().out, text=True, check=True)
    assert path.read_text() == fake(text, "tf2torch").text


def test_write_replaces_changed_files_only(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    changed, plain = put("a.py"), put("b.py", PLAIN)
    before = plain.stat()
    assert port("tf2torch", ".", "--write") == 0
    assert changed.read_text() == TORCH
    assert plain.read_bytes() == PLAIN and plain.stat().st_ino == before.st_ino
    assert "wrote a.py" in capsys.readouterr().out
    assert port("tf2torch", ".", "--check") == 0


def test_write_keeps_encoding_and_newlines(port: Port) -> None:
    text = "# coding: latin-1\r\n" + TF.replace("\n", "\r\n") + "# é\r\n"
    path, mark = put("a.py", text.encode("latin-1")), put("b.py", b"\xef\xbb\xbf" + TF.encode())
    assert port("tf2torch", path, mark, "--write") == 0
    assert path.read_bytes() == text.replace("tensorflow as tf", "torch").replace("tf.", "torch.").encode("latin-1")
    assert mark.read_bytes() == b"\xef\xbb\xbf" + TORCH.encode()


def test_check(port: Port) -> None:
    put("a.py")
    assert port("tf2torch", "a.py", "--check") == 1
    assert Path("a.py").read_text() == TF


def test_output_file_and_folder(port: Port) -> None:
    put("pkg/a.py")
    put("pkg/deep/b.py", PLAIN)
    assert port("tf2torch", "pkg/a.py", "-o", "one.py") == 0
    assert Path("one.py").read_text() == TORCH
    assert port("tf2torch", "pkg", "-o", "out") == 0
    assert Path("out/a.py").read_text() == TORCH and Path("out/deep/b.py").read_bytes() == PLAIN
    assert Path("pkg/a.py").read_text() == TF
    assert port("tf2torch", "pkg/a.py", "-o", "out") == 0


def test_output_that_would_lose_a_file_is_wrong_usage(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    put("a/m.py"), put("b/m.py")
    assert port("tf2torch", "a/m.py", "b/m.py", "-o", "out") == 2
    assert port("tf2torch", "a/m.py", "-o", "a/m.py") == 2
    assert "Traceback" not in capsys.readouterr().err and not Path("out").exists()


def test_a_bad_file_is_named_and_the_others_go_on(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    good, broken = put("good.py"), put("broken.py", "import tensorflow as tf\ndef f(:\n")
    put("undecodable.py", b"x = '\xff'\n")
    put("book.ipynb", "{}")
    assert port("tf2torch", ".", "missing.py", "book.ipynb", "--write") == 2
    streams = capsys.readouterr()
    assert good.read_text() == TORCH
    assert broken.read_text() == "import tensorflow as tf\ndef f(:\n"
    assert "2:1 P902" in streams.out
    for name in ("missing.py", "undecodable.py", "book.ipynb"):
        assert f"port: {name}: " in streams.err
    assert "Traceback" not in streams.err + streams.out


def test_a_fault_of_ours_is_a_finding_and_leaves_the_file(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    crash, unparsable = put("crash.py", TF + "crash = 1\n"), put("bad.py", TF + "broken\n")
    assert port("tf2torch", ".", "--write") == 1
    out = capsys.readouterr().out
    assert "P901" in out and "ZeroDivisionError" in out and "does not parse" in out
    assert crash.read_text() == TF + "crash = 1\n" and unparsable.read_text() == TF + "broken\n"


def test_a_fault_that_has_no_text_is_a_finding(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    """What libcst raises for an empty expression raises an IndexError of its own when it is printed."""
    put("net.py", TF + "unparsed\n")
    assert port("tf2torch", ".") == 1
    streams = capsys.readouterr()
    assert "P901" in streams.out and "ParserSyntaxError" in streams.out and "Traceback" not in streams.err


@pytest.mark.parametrize(("line", "code"), [
    ("refuse = 1", 1),
    ("assume = 1", 0),
    ("differs = 1", 0),
    ("refuse = 1  # port: ignore[P203]", 0),
    ("refuse = 1  # why not; port: ignore[P203]", 1),
    ("refuse = 1  #port:ignore[P101, P203] agreed", 0),
    ("refuse = 1  # port: ignore[P204]", 1),
    ("refuse = '# port: ignore[P203]'", 1),
])
def test_what_needs_a_person(port: Port, line: str, code: int) -> None:
    put("a.py", TF + line + "\n")
    assert port("tf2torch", "a.py") == code


def test_suppression_on_the_last_line_of_a_call() -> None:
    findings = (Finding(1, 0, "P203", "m", 3, 1),)
    assert comments.accept(findings, "f(\n    1,\n)  # port: ignore[P203]\n") == ((), findings)
    assert comments.accept(findings, "f(\n    1,  # port: ignore[P203]\n)\n") == (findings, ())


@pytest.mark.parametrize("arguments", [
    [], ["tf2torch"], ["nonsense"], ["tf2torch", "a.py", "--write", "--check"], ["tf2torch", "a.py", "--jobs", "0"],
    ["tf2torch", "a.py", "--layout", "odd"], ["tf2torch", "a.py", "--call", "f()"], ["explain", "P000"],
    ["verify", "missing.py", "a.py"], ["verify", "a.py", "plain.py"],
    ["verify", "a.py", "a.py", "--backend", "odd"], ["tf2torch", "a.py", "--verify", "--input", "f32[2]"],
    ["tf2torch", "a.py", "--verify", "--call", "f("], ["tf2torch", "a.py", "--verify", "--call", "f", "--input", "f["],
])
def test_wrong_usage(port: Port, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    put("a.py")
    put("plain.py", "n = 1\n")
    assert port(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_torch2tf_prints_the_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    put("a.py", "from torch import nn\n\nnet = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU())\n")
    assert command("torch2tf", "a.py") == 0
    out = capsys.readouterr().out
    assert "+net = keras.Sequential([layers.Dense(5, use_bias=False, **default_init(3)), layers.ReLU()])" in out
    assert "-from torch import nn" in out


def test_torch2tf_leaves_what_it_cannot_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    put("a.py", "import torch\n\n\ndef save(model):\n    torch.save(model.state_dict(), \"model.pt\")\n")
    assert command("torch2tf", "a.py") == 1
    out = capsys.readouterr().out
    assert "P207" in out and "+    import torch" in out


def test_configuration_and_the_command_line_over_it(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Options] = []

    def record(texts: dict[str, str], direction: str, options: Options) -> dict[str, Result]:
        seen.append(options)
        return {path: Result(text, text) for path, text in texts.items()}

    monkeypatch.setattr("port.translate.translate_together", record)
    put("pyproject.toml", '[tool.port]\ntarget = "keras"\nexclude = ["old"]\n')
    put("src/a.py"), put("src/old/b.py")
    port("tf2torch", "src")
    port("tf2torch", "src/a.py", "--target", "tf", "--init", "framework")
    assert seen == [Options(target="keras"), Options(target="tf", init="framework")]


@pytest.mark.parametrize(("config", "flags"), [("", ["--layout", "native"]), ('layout = "native"', [])])
def test_a_setting_that_a_direction_does_not_follow_is_wrong_usage(port: Port, capsys: pytest.CaptureFixture[str],
                                                                   config: str, flags: list[str]) -> None:
    put("pyproject.toml", f"[tool.port]\n{config}\n")
    put("a.py")
    assert port("tf2torch", "a.py", *flags) == 2
    assert "layout = native is for torch2tf alone" in capsys.readouterr().err
    assert port("torch2tf", "a.py", *flags) == 0


def test_faulty_configuration_is_wrong_usage(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    put("pyproject.toml", "[tool.port]\nlayuot = 'native'")
    put("a.py")
    assert port("tf2torch", "a.py") == 2
    assert "did you mean 'layout'" in capsys.readouterr().err


def test_many_files_through_a_pool(port: Port) -> None:
    for i in range(20):
        put(f"pkg/m{i:02}.py")
    assert port("tf2torch", "pkg", "--write", "--jobs", "2") == 0
    assert all(path.read_text() == TORCH for path in Path("pkg").iterdir())


def test_a_killed_worker_is_told(port: Port, monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("port.translate.translate_together", lambda *_: os._exit(9))
    for i in range(20):
        put(f"pkg/m{i:02}.py")
    assert port("tf2torch", "pkg", "--jobs", "2") == 2
    assert "a worker process was killed" in capsys.readouterr().err


def test_faulty_rows_are_named(port: Port, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def faulty() -> None:
        raise RowError("a.yaml: relu: no signature")

    monkeypatch.setattr(table, "load", faulty)
    assert port("ops") == 2
    assert "a.yaml: relu" in capsys.readouterr().err


@pytest.mark.parametrize(("form", "start"), [("json", "{"), ("sarif", "{"), ("github", "::notice file=a.py")])
def test_formats(port: Port, capsys: pytest.CaptureFixture[str], form: str, start: str) -> None:
    put("a.py")
    assert port("tf2torch", "a.py", "--format", form) == 0
    out = capsys.readouterr().out
    assert out.startswith(start) and (form == "github" or json.loads(out))


@pytest.mark.parametrize(("status", "code", "written"), [("verified", 0, TORCH), ("not verified", 1, TORCH),
                                                         ("mismatch", 1, TF)])
def test_verify_after_translating(port: Port, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                                  status: str, code: int, written: str) -> None:
    """Both versions are at hand, siblings included, and a proven mismatch is never written over its source."""
    seen: list[Any] = []

    def verify_pair(source: Path, ported: Path, direction: str, cases: list[Any], settings: Any) -> Any:
        siblings = [path.name for path in sorted(ported.parent.iterdir())]
        seen.append((source.read_text(), ported.read_text(), direction, siblings, cases))
        return (CaseVerdict("f()", status, "worst 1e-3"),)

    monkeypatch.setattr(checking, "verify_pair", verify_pair)
    put("pkg/__init__.py", ""), put("pkg/a.py"), put("pkg/b.py", PLAIN)
    put("pyproject.toml", '[[tool.port.cases]]\nfile = "pkg/a.py"\ncall = "f()"\ninput = "f32[2,3]"\n')
    assert port("tf2torch", "pkg", "--verify", "--write") == code
    streams = capsys.readouterr()
    assert "runs your code" in streams.err and f"{status}  f()" in streams.out and "worst 1e-3" in streams.out
    assert Path("pkg/a.py").read_text() == written
    source, ported, direction, siblings, cases = seen[0]
    assert (source, ported, direction) == (TF, TORCH, "tf2torch") and len(seen) == 1
    assert siblings == ["__init__.py", "a.py", "b.py"]
    assert [(case.call, case.inputs) for case in cases] == [("f()", ("f32[2,3]",))]


@pytest.mark.parametrize(("status", "code", "said"), [("verified", 0, 1), ("mismatch", 1, 2)])
def test_a_file_that_a_verified_model_uses_needs_no_case(port: Port, monkeypatch: pytest.MonkeyPatch, status: str,
                                                         code: int, said: int) -> None:
    """Nothing can be built from helpers alone; whether they agree shows where models use them."""
    def verify_pair(source: Path, *more: Any) -> Any:
        empty = CaseVerdict("", "not verified", verdict.NOTHING)
        return (CaseVerdict("f()", status, "") if source.name == "model.py" else empty,)

    monkeypatch.setattr(checking, "verify_pair", verify_pair)
    put("pkg/__init__.py", "from .helper import f\n"), put("pkg/helper.py")
    put("pkg/model.py", f"from . import f as helper\n{TF}")
    assert port("tf2torch", "pkg", "--verify", "--report", "out.html") == code
    assert Path("out.html").read_text().count('class="case ') == said
    put("pkg/alone.py")
    assert port("tf2torch", "pkg", "--verify") == 1


@pytest.mark.parametrize(("arguments", "told"), [
    (["tf2torch", "pkg", "-o", "a.py"], "-o a.py is a file; several files, or those of a folder, go into a folder"),
    (["tf2torch", "a.py", "b.py", "-o", "c.py"], "-o c.py is a file"), (["tf2torch", "-"], "- is not read from"),
])
def test_a_wrong_place_is_told_in_a_line(port: Port, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
                                         ) -> None:
    """It was told once for every file."""
    put("a.py"), put("b.py"), put("c.py"), put("pkg/a.py"), put("pkg/b.py")
    assert port(*arguments) == 2
    streams = capsys.readouterr()
    assert told in streams.err and streams.err.count("\n") <= 2 and not streams.out
    assert Path("a.py").read_text() == Path("c.py").read_text() == TF


def test_verify_case_of_the_command_line(port: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def verify_pair(*arguments: Any) -> Any:
        seen.append(arguments)
        return (CaseVerdict("f()", "verified", ""),)

    monkeypatch.setattr(checking, "verify_pair", verify_pair)
    put("a.py"), put("b.py", TORCH)
    options = ["--call", "f()", "--call", "f(2)", "--input", "f32[2]", "--input", "i32[2]<5", "--dtype", "float32"]
    options += ["--steps", "3"]
    assert port("verify", "b.py", "a.py", *options) == 0
    source, ported, direction, cases, settings = seen[0]
    assert (str(source), str(ported), direction) == ("b.py", "a.py", "torch2tf")
    assert [(case.call, case.inputs) for case in cases] == [(call, ("f32[2]", "i32[2]<5")) for call in ("f()", "f(2)")]
    assert settings.dtypes == ("float32",) and settings.steps == 3 and settings.seed == 0


def test_explain(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    assert port("explain", "p203") == 0
    assert "What to do" in capsys.readouterr().out
    assert port("explain") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(CATALOGUE)


def test_ops(port: Port, capsys: pytest.CaptureFixture[str]) -> None:
    assert port("ops", "reduce_sum") == 0
    assert "torch.sum" in capsys.readouterr().out
    assert port("ops", "no.such.symbol") == 1


def test_help_imports_nothing_heavy() -> None:
    """`port --help` must answer within twice `import rich`: the clock is not asked here, the imports are."""
    code = ("import sys\nfrom port.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
            "print(*sys.modules, file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert "tf2torch" in done.stdout
    heavy = {"libcst", "numpy", "rich", "yaml", "dataclasses", "pathlib", "concurrent.futures"}
    assert not heavy & set(done.stderr.split())


def test_output_that_cannot_be_shown_is_escaped(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "port.cli", "tf2torch", str(tmp_path / "ж.py")], capture_output=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == 2 and b"Traceback" not in done.stderr and b"\\u0436.py" in done.stderr
