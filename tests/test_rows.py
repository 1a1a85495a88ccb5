"""Every function row: each sample is translated, run in both frameworks, and compared, gradients too."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pytest

from port import table
from port.findings import Outcome
from port.prove import numbers as row_prover
from port.prove.cases import Case, function_rows, tf_cases
from port.translate import translate

PLAIN = "applications.yaml"  # functions of plain values: tests/test_application_rows.py proves them
ROWS = sorted({(row.file, row.name) for row in function_rows() if row.tf and row.file != PLAIN})


@dataclass
class Proof:
    """What is wrong with each row, and how many of its cases ran; signatures that the frameworks do not have."""

    faults: dict[str, list[str]]
    ran: dict[str, int]
    signatures: list[str]


@pytest.fixture(scope="session")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    cases = list(tf_cases())
    faults: dict[str, list[str]] = defaultdict(list)
    sources = {}
    for case in cases:
        text, fault = torch_text(case)
        if fault:
            faults[case.row.name].append(f"{case.id}: {fault}\n    {last_line(case.source)}")
        else:
            sources[case.id] = text
    ran = [case for case in cases if case.id in sources]
    texts = {"tf": {c.id: c.source for c in ran}, "torch": sources}
    done = row_prover.run_both(ran, texts, tmp_path_factory.mktemp("rows"), signatures())
    for case in ran:
        for dtype in case.row.dtypes or row_prover.DTYPES:
            if fault := row_prover.compare(case, dtype, done["tf"], done["torch"]):
                lines = f"    {last_line(case.source)}\n    {last_line(sources[case.id])}"
                faults[case.row.name].append(f"{case.id} in {dtype}: {fault}\n{lines}")
                break
    counts: dict[str, int] = defaultdict(int)
    for case in ran:
        counts[case.row.name] += 1
    wrong = [f"{side}: {name} {message}" for side, outcome in done.items()
             for name, message in outcome.errors.items() if name.startswith("signature ")]
    return Proof(faults, counts, wrong)


def torch_text(case: Case) -> tuple[str, str]:
    """The translation of a case, or why there is none."""
    try:
        result = translate(case.source, "tf2torch", params=case.facts)
    except Exception as error:  # a fault of one row must not hide the others
        return "", f"translate raises {type(error).__name__}: {error}"
    bad = [f for f in result.findings if f.outcome in (Outcome.REFUSED, Outcome.INTERNAL)]
    return result.text, "; ".join(f"{f.code} {f.message}" for f in bad)


def last_line(source: str) -> str:
    return source.strip().splitlines()[-1].strip()


def signatures() -> dict[str, list[tuple[str, list[str]]]]:
    """Names with parameters for TF; for torch, where most cannot be inspected, the names alone."""
    rows = [row for rows in table.load().values() for row in rows
            if row.file.startswith(("ops_", "torch_")) and not row.none]
    return {"tf": [(s.name, [p.name for p in s.params]) for row in rows for s in row.tf if row.kind == "function"],
            "torch": [(s.name, []) for row in rows for s in row.torch]}


@pytest.mark.parametrize(("file", "name"), ROWS, ids=[name for _, name in ROWS])
def test_row(proof: Proof, file: str, name: str) -> None:
    if faults := proof.faults.get(name):
        pytest.fail(f"{file}: {name}\n" + "\n".join(faults), pytrace=False)
    assert proof.ran.get(name), f"{file}: {name} has no sample: unproven"


def test_every_variant_has_a_sample() -> None:
    without = [f"{row.file}: {row.name} ({row.tf[0].name})" for row in function_rows()
               if row.tf and not row.sample and row.file != PLAIN]
    assert not without


def test_signatures_are_those_of_the_frameworks(proof: Proof) -> None:
    if proof.signatures:
        pytest.fail("\n".join(proof.signatures), pytrace=False)
