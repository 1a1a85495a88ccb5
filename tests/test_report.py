"""Formats, exit codes, verdicts in words, and `port verify` once for real."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from port import cli
from port.findings import CATALOGUE, Finding
from port.report import github, jsonout, lookup, sarif, terminal, verdicts
from port.report.model import CaseVerdict, FileReport, Report
from port.result import Edit, Result
from port.verify.cases import Case
from port.verify.compare import Row
from port.verify.verdict import ERROR, MISMATCH, UNVERIFIED, VERIFIED, PairLine, Place, Verdict

CASE = Case("f(3)", ("f32[2,3]",))
ROOT = Path(__file__).resolve().parents[1]
GOLDEN = Path(__file__).parent / "golden" / "tf2torch" / "functional_resnet"
FRAMEWORKS = all(find_spec(name) for name in ("tensorflow", "torch"))


def test_a_mismatch_names_the_place() -> None:
    place = Place("", "stem/conv", "self.conv", (7, 31), ())
    said = verdicts.of(Verdict(CASE, MISMATCH, "numeric", "outputs differ", math.inf, where=place))
    assert not said.ok and said.case == "f(3)" and said.text == "outputs differ (source line 7)"
    report = Report("tf2torch", (FileReport("a.py", verdicts=(said,)),))
    assert json.loads(jsonout.render(report))["files"][0]["verdicts"][0]["worst"] == "inf"


def test_a_verdict_on_a_terminal() -> None:
    rows = (Row("float64", "y", 0, "inference", "0", 2e-15, 1e-9, 1.0),)
    said = verdicts.of(Verdict(CASE, VERIFIED, "numeric", "", 2e-15, rows))
    stream = StringIO()
    terminal.show(Report("tf2torch", (FileReport("a.py", verdicts=(said,)),)), Console(file=stream, width=120), False)
    out = stream.getvalue()
    assert "verified  f(3)  f32[2,3]" in out and "2.0e-15" in out and out.endswith("1 of 1 case verified\n")


def test_a_verdict_is_brief_unless_verbose() -> None:
    rows = tuple(Row(dtype, "y", 0, "infer", "0", error, 1e-5, 1.0)
                 for dtype, error in (("float64", 2e-15), ("float32", 3e-7)))
    pairs = tuple(PairLine(f"dense_{i}", f"fc{i}", "kernel -> weight", "name") for i in range(20))

    def shown(status: str, verbose: bool) -> list[str]:
        notes = ("dropout switched off in A",)
        said = verdicts.of(Verdict(CASE, status, "numeric", "", 2e-15, rows, pairs, notes=notes))
        stream = StringIO()
        report = Report("tf2torch", (FileReport("a.py", verdicts=(said,)),))
        terminal.show(report, Console(file=stream, width=120), False, verbose)
        return stream.getvalue().splitlines()[1:-1]

    assert shown(VERIFIED, False) == [
        "verified  f(3)  f32[2,3]",
        "  float64: 1 array, worst 2.0e-15; float32: 1 array, worst 3.0e-07; 20 layers paired: 20 by name"]
    brief = "\n".join(shown(MISMATCH, False))
    assert "dense_7" in brief and "dense_8" not in brief and "12 more pairs (--verbose shows all)" in brief
    for status in (VERIFIED, MISMATCH):
        assert "dense_19" in "\n".join(shown(status, True))


@pytest.mark.parametrize(("status", "message", "code"), [
    (VERIFIED, "", 0), (UNVERIFIED, "recorded; compare it with --against", 0), (UNVERIFIED, "timed out", 1),
    (MISMATCH, "", 1), (ERROR, "", 1)])
def test_exit_code_of_a_verdict(status: str, message: str, code: int) -> None:
    said = verdicts.of(Verdict(CASE, status, "load", message))
    assert Report("tf2torch", (FileReport("a.py", verdicts=(said,)),)).exit_code == code


def test_exit_codes_of_a_run() -> None:
    same, changed = Result("a", "a"), Result("a", "b")
    refused, parse = (Finding(1, 0, "P203", "m"),), (Finding(1, 0, "P902", "m"),)

    def code(*files: FileReport, check: bool = False) -> int:
        return Report("tf2torch", files, check).exit_code

    assert code() == code(FileReport("a", same)) == code(FileReport("a", changed)) == 0
    assert code(FileReport("a", changed), check=True) == code(FileReport("a", changed, refused)) == 1
    assert code(FileReport("a", changed, (), refused)) == 0
    assert code(FileReport("a", same, parse), FileReport("b", changed, refused)) == 2
    assert code(FileReport("a", error="gone")) == 2
    assert code(FileReport("a", changed, verdicts=(CaseVerdict("f()", "not verified", ""),))) == 1


REFUSED = Finding(4, 4, "P203", "refuse: 100%, of it", 4, 9)
ACCEPTED = Finding(5, 4, "P103", "assume")
DIFFERS = Finding(6, 4, "P101", "differs")
MIXED = Report("tf2torch", (
    FileReport("dir/a b.py", Result("x = tf\n", "x = torch\n"), (REFUSED, DIFFERS), (ACCEPTED,)),
    FileReport("dir/c.py", Result("def", "def"), (Finding(1, 0, "P902", "invalid syntax"),)),
    FileReport("missing.py", error="No such file"),
    FileReport("wrong.py", Result("a", "a"), verdicts=(CaseVerdict("f()", "mismatch", "worst 1e-3\nthere"),)),
))


def test_json() -> None:
    document = json.loads(jsonout.render(MIXED))
    assert document["exit_code"] == 2 and document["direction"] == "tf2torch"
    assert document["counts"] == {"refused": 1, "differs": 1, "internal": 1}
    first, _, missing, wrong = document["files"]
    assert first["changed"] and "-x = tf\n+x = torch" in first["diff"] and not first["error"]
    assert [(f["code"], f["line"], f["accepted"]) for f in first["findings"]] == [
        ("P203", 4, False), ("P103", 5, True), ("P101", 6, False)]
    assert missing["error"] == "No such file" and wrong["verdicts"][0]["status"] == "mismatch"


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {k for v in value.values() for k in _keys(v)}
    return {k for v in value for k in _keys(v)} if isinstance(value, list) else set()


def test_json_is_documented() -> None:
    row = Row("float64", "y", 0, "inference", "0", 2e-15, 1e-9, 1.0)
    verdict = Verdict(CASE, VERIFIED, "numeric", "", 2e-15, (row,), (PairLine("a", "b", "c", "name"),),
                      Place("", "stem", "self.conv", (7,), (3,)))
    report = Report("tf2torch", (*MIXED.files, FileReport("e.py", DIFF),
                                 FileReport("v.py", verdicts=(verdicts.of(verdict),))))
    document = json.loads(jsonout.render(report))
    del document["counts"]  # its keys are outcomes
    text = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    assert document["schema"] == jsonout.SCHEMA and f"version {jsonout.SCHEMA} of this description" in text
    assert not {key for key in _keys(document) if f"`{key}`" not in text}


def test_the_page_of_findings_is_current() -> None:
    """`port explain --page > docs/findings.md` writes it anew."""
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == lookup.page()


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_finding_is_explained(code: str) -> None:
    entry = CATALOGUE[code]
    assert entry.id == code and min(len(entry.title), len(entry.what), len(entry.do)) > 3
    assert {entry.title, entry.what, entry.do} <= set(lookup.explain(code).replace(
        f"{code} ", "\n").replace(f" ({entry.outcome.value})", "").replace("What to do: ", "").split("\n"))


@pytest.mark.parametrize("report", [MIXED, Report("torch2tf", ()), Report("tf2torch", (FileReport(
    "/abs/ü.py", findings=(Finding(0, 0, "P301", "m", symbol="tf.abs"),)),))])
def test_sarif_holds_its_schema(report: Report) -> None:
    """The schema is the one of SchemaStore, as the npm package @microsoft/jest-sarif 1.0.0-beta.0 ships it."""
    schema = json.loads((ROOT / "tests" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    checker = jsonschema.Draft4Validator(schema)
    document = json.loads(sarif.render(report))
    assert [error.message for error in checker.iter_errors(document)] == []
    document["runs"][0]["invocations"][0]["exitCode"] = "2"
    assert not checker.is_valid(document)


def test_sarif_has_the_2_1_0_shape() -> None:
    document = json.loads(sarif.render(MIXED))
    assert document["version"] == "2.1.0" and len(document["runs"]) == 1
    run = document["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CATALOGUE)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("note", "warning", "error") and result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] in ("dir/a%20b.py", "dir/c.py")
        assert place["region"]["startLine"] >= 1 and place["region"]["startColumn"] >= 1
    assert run["results"][0]["level"] == "warning"
    assert [r["ruleId"] for r in run["results"] if r.get("suppressions") == [{"kind": "inSource"}]] == ["P103"]
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    told = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert told == ["missing.py: No such file", "wrong.py: mismatch: f(): worst 1e-3\nthere"]


def test_github_annotations() -> None:
    assert github.render(MIXED).splitlines() == [
        "::warning file=dir/a b.py,line=4,col=5,endLine=4,title=P203 no equivalent::refuse: 100%25, of it",
        "::notice file=dir/a b.py,line=6,col=5,title=P101 declared divergence::differs",
        "::notice file=dir/a b.py,line=1,title=port::would change",
        "::error file=dir/c.py,line=1,col=1,title=P902 file not parsed::invalid syntax",
        "::error file=missing.py,line=1,title=port::No such file",
        "::error file=wrong.py,line=1,title=port::mismatch: f(): worst 1e-3%0Athere",
    ]


@pytest.mark.skipif(not FRAMEWORKS, reason="needs both frameworks")
def test_port_verify_on_a_pair_written_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    pair = [str(GOLDEN / "tf_version.py"), str(GOLDEN / "torch_version.py")]
    case = ["--call", "build_resnet(input_shape=(24, 20, 3), num_classes=5)", "--input", "f32[2,24,20,3]"]
    assert cli.main(["verify", *pair, *case, "--dtype", "float64", "--format", "json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)["files"][0]["verdicts"]
    assert verdict["status"] == "verified" and verdict["worst"] < 1e-9 and len(verdict["rows"]) > 100


DIFF = Result("import tensorflow as tf\n" + "x = 1\n" * 20 + "y = tf.abs(x)\n", "import torch\n" + "x = 1\n" * 20
              + "y = torch.abs(x)\n", (), (), (Edit(1, 1, "rule imports"), Edit(22, 22, "row abs")))


def shown(report: Report, **console: Any) -> str:
    stream = StringIO()
    terminal.show(report, Console(file=stream, width=120, **console), True)
    return stream.getvalue()


def test_a_hunk_carries_its_findings_and_what_is_behind_it() -> None:
    findings = (Finding(10, 0, "P203", "between"), Finding(22, 4, "P101", "the abs"))
    report = Report("tf2torch", (FileReport("a.py", DIFF, findings),))
    lines = [line.rstrip() for line in shown(report, force_terminal=True, color_system=None).splitlines()]
    assert lines[2] == "@@ -1,4 +1,4 @@ rule imports" and "@@ -19,4 +19,4 @@ row abs" in lines
    new = lines.index("+y = torch.abs(x)")
    assert lines[new + 1].strip().startswith("22:5 P101 differs") and lines[new + 2] == "a.py"
    assert lines[new + 3].strip().startswith("10:1 P203 refused")


def test_colour_only_where_it_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report("tf2torch", (FileReport("a.py", DIFF),))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[32m+import torch" in shown(report, force_terminal=True)
    assert "\x1b" not in shown(report)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in shown(report, force_terminal=True)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_git_applies_what_is_piped(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(DIFF.source)
    report = Report("tf2torch", (FileReport("a.py", DIFF, (Finding(1, 0, "P101", "first"),)),))
    subprocess.run(["git", "apply", "-p0", "-"], input=shown(report), text=True, check=True, cwd=tmp_path)
    assert (tmp_path / "a.py").read_text() == DIFF.text


def test_a_form_feed_ends_no_line() -> None:
    found = FileReport("a.py", Result("x = 1\n\x0c\ny = 'a\x0cb'\n", "x = 1\n\x0c\ny = 'c\x0cb'\n")).diff()
    assert found[2:] == ["@@ -1,3 +1,3 @@", " x = 1", " \x0c", "-y = 'a\x0cb'", "+y = 'c\x0cb'"]
