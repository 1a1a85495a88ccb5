"""Whole layers: every fixture below tests/rules is translated and compared with Keras in numbers."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case, Settings, Verdict, verify

RULES = Path(__file__).parent / "rules"
FOLDERS = ("recurrent", "bidirectional", "attention", "masking", "special", "sequential_class", "builders")
FIXTURES = sorted(p for f in FOLDERS for p in (RULES / f).glob("*/tf_version.py"))


def cases_of(path: Path) -> dict[str, list[str]]:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "CASES":
            return ast.literal_eval(node.value)
    return {}


@cache
def ported(path: Path) -> str:
    result = translate(path.read_text(), "tf2torch", path=str(path))
    refused = [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    assert not refused, refused
    return result.text


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: f"{p.parts[-3]}/{p.parts[-2]}")
def test_numbers(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "ported.py"
    out.write_text(ported(path))
    asked = [Case(call, tuple(inputs)) for call, inputs in cases_of(path).items()]
    found: list[Verdict] = verify(path, out, "tf2torch", asked, Settings(dtypes=("float64",)))
    wrong = [f"{case.call}: {v.status} {v.message}" for case, v in zip(asked, found, strict=True)
             if v.status != "verified"]
    assert not wrong, "\n".join(wrong)
