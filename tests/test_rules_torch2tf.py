"""PyTorch modules: every fixture below tests/rules/torch2tf is translated and compared with PyTorch in numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_rules_layers import RULES, cases_of

from port.findings import CATALOGUE, Outcome
from port.translate import translate
from port.verify.parent import Case, Settings, verify

FIXTURES = sorted((RULES / "torch2tf").glob("*/torch_version.py"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda p: p.parts[-2])
def test_numbers(path: Path, tmp_path: Path) -> None:
    result = translate(path.read_text(), "torch2tf", path=str(path))
    assert not [f for f in result.findings if CATALOGUE[f.code].outcome is Outcome.REFUSED]
    out = tmp_path / "ported.py"
    out.write_text(result.text)
    asked = [Case(call, tuple(inputs)) for call, inputs in cases_of(path).items()]
    found = verify(path, out, "torch2tf", asked, Settings(dtypes=("float64",)))
    wrong = [f"{case.call}: {v.status} {v.message}" for case, v in zip(asked, found, strict=True)
             if v.status != "verified"]
    assert not wrong, "\n".join(wrong)
