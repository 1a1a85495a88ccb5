"""The proof that a port has the numbers of its source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from port.verify.parent import Case, Settings, verify


def agree(folder: Path, source: str, port: str, direction: str, cases: Sequence[Case]) -> None:
    """Fails unless outputs, gradients and buffers of all cases are equal in float64."""
    before, after = folder / "source.py", folder / "port.py"
    before.write_text(source)
    after.write_text(port)
    found = verify(before, after, direction, list(cases), Settings(dtypes=("float64",)))
    assert [v.status for v in found] == ["verified"] * len(cases), [v.message for v in found]
