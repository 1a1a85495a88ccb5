"""Function rows at the edges: where both frameworks give something, it agrees, or the row says that it does not."""

from __future__ import annotations

from collections import defaultdict

import pytest
from test_rows import last_line, torch_text

from port.prove import numbers
from port.prove.edges import KINDS, edge_cases


@pytest.fixture(scope="session")
def apart(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """By kind: cases that differ, of rows that declare nothing. Where one side raises, nothing is wrong in silence."""
    sources = {}
    cases = []
    for kind, case in edge_cases():
        text, fault = torch_text(case)
        if not fault:
            sources[case.id] = text
            cases.append((kind, case))
    texts = {"tf": {case.id: case.source for _, case in cases}, "torch": sources}
    done = numbers.run_both([case for _, case in cases], texts, tmp_path_factory.mktemp("edges"), {}, once=True)
    found: dict[str, list[str]] = defaultdict(list)
    for kind, case in cases:
        dtype = (case.row.dtypes or numbers.DTYPES)[0]
        if any(f"{case.id}|{dtype}" in outcome.errors for outcome in done.values()):
            continue
        fault = numbers.compare(case, dtype, done["tf"], done["torch"], results=kind == "infinite")
        if fault and not (case.row.note or case.row.differs) and "nothing was returned" not in fault:
            found[kind].append(f"{case.id}: {fault}\n    {last_line(case.source)}\n    {last_line(sources[case.id])}")
    found["ran"] = [case.id for _, case in cases]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_edges(apart: dict[str, list[str]], kind: str) -> None:
    if apart.get(kind):
        pytest.fail("\n".join(apart[kind]), pytrace=False)


def test_edges_are_tried(apart: dict[str, list[str]]) -> None:
    assert len(apart["ran"]) > 1500
