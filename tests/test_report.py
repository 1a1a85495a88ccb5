"""Verdicts in words, and `port verify` once for real."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path

import pytest

from port import cli
from port.findings import Finding
from port.report import verdicts
from port.report.model import CaseVerdict, FileReport, Report
from port.result import Result
from port.verify.cases import Case
from port.verify.compare import Row
from port.verify.verdict import ERROR, MISMATCH, UNVERIFIED, VERIFIED, PairLine, Place, Verdict

CASE = Case("f(3)", ("f32[2,3]",))
GOLDEN = Path(__file__).parent / "golden" / "tf2torch" / "functional_resnet"
FRAMEWORKS = all(find_spec(name) for name in ("tensorflow", "torch"))


def row(dtype: str, group: str, error: float) -> Row:
    return Row(dtype, group, 0, "inference", "0", error, 1e-9, 1.0)


def test_a_verified_case_shows_each_dtype_and_what_was_compared() -> None:
    rows = (row("float64", "y", 2e-15), row("float64", "y", 1e-15), row("float64", "dw", 3e-12), row("float32", "y", 0))
    said = verdicts.of(Verdict(CASE, VERIFIED, "numeric", "", 3e-12, rows, (PairLine("a", "b", "", ""),)))
    assert said.ok and said.case == "f(3) <- f32[2,3]"
    assert said.text.splitlines() == ["float64: outputs 2e-15, gradients of weights 3e-12 (3 arrays)",
                                      "float32: outputs 0e+00 (1 array)",
                                      "1 layer paired; stage reached: numeric"]


def test_a_mismatch_names_the_place_and_never_hides_what_has_no_number() -> None:
    rows = (row("float64", "y", math.nan), row("float64", "dx", math.inf))
    place = Place("", "stem/conv", "self.conv", (7, 31), ())
    said = verdicts.of(Verdict(CASE, MISMATCH, "numeric", "outputs differ", math.inf, rows, where=place))
    assert not said.ok
    assert "first differs at stem/conv (line 7, 31), in the port self.conv (line ?)" in said.text
    assert "outputs inf, gradients of inputs inf" in said.text
    json.dumps(said.data, allow_nan=False)


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


@pytest.mark.skipif(not FRAMEWORKS, reason="needs both frameworks")
def test_port_verify_on_a_pair_written_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    pair = [str(GOLDEN / "tf_version.py"), str(GOLDEN / "torch_version.py")]
    case = ["--call", "build_resnet(input_shape=(24, 20, 3), num_classes=5)", "--input", "f32[2,24,20,3]"]
    assert cli.main(["verify", *pair, *case, "--dtype", "float64", "--format", "json"]) == 0
    (verdict,) = json.loads(capsys.readouterr().out)["files"][0]["verdicts"]
    assert verdict["status"] == "verified" and verdict["worst"] < 1e-9 and len(verdict["rows"]) > 100
