"""Every row the other way: each torch snippet is translated to TF and to keras.ops, run on both sides, and compared."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
import row_prover
import torch_row_cases
import torch_snippets
from row_cases import Case, function_rows

from port.findings import Outcome
from port.result import Options
from port.translate import translate

# Arrays of NumPy, devices that are not here, a dtype that NumPy lacks: `test_text` holds what is written.
ELSEWHERE = {"torch_from_numpy", "torch_places", "torch_bfloat16", "torch_get_default_dtype",
             "torch_autocast_enabled"}
ROWS = sorted({(row.file, row.name) for row in torch_row_cases.torch_rows() if row.name not in ELSEWHERE})
PYTHON = ("number", "size", "plain")  # results that are numbers of Python: they have no width


@dataclass
class Proof:
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ran: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def translated(case: Case, target: str) -> tuple[str, str]:
    """The text in TF, or why there is none."""
    try:
        result = translate(case.source, "torch2tf", Options(target=target), params=case.facts)
    except Exception as error:  # a fault of one row must not hide the others
        return "", f"translate raises {type(error).__name__}: {error}"
    bad = [f for f in result.findings if f.outcome in (Outcome.REFUSED, Outcome.INTERNAL)]
    return result.text, "; ".join(f"{f.code} {f.message}" for f in bad)


def prove(cases: list[Any], target: str, folder: Any, refusals: bool) -> Proof:
    found = Proof()
    texts: dict[str, str] = {}
    for case in cases:
        text, fault = translated(case, target)
        if not fault:
            texts[case.id] = text
        elif refusals or "translate raises" in fault:
            found.faults[case.row.name].append(f"{case.id}: {fault}\n    {last_line(case.source)}")
    ran = [case for case in cases if case.id in texts]
    done = row_prover.run_both(ran, {"tf": texts, "torch": {c.id: c.source for c in ran}}, folder, {})
    for case in ran:
        found.ran[case.row.name] += 1
        for dtype in case.row.dtypes or row_prover.DTYPES:
            if fault := row_prover.compare(case, dtype, done["tf"], done["torch"], case.row.returns not in PYTHON):
                lines = f"    {last_line(case.source)}\n    {last_line(texts[case.id])}"
                found.faults[case.row.name].append(f"{case.id} in {dtype}: {fault}\n{lines}")
                break
    return found


def last_line(source: str) -> str:
    return source.strip().splitlines()[-1].strip()


@pytest.fixture(scope="session")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return prove(list(torch_row_cases.cases()), "tf", tmp_path_factory.mktemp("torch_rows"), refusals=True)


@pytest.mark.parametrize(("file", "name"), ROWS, ids=[name for _, name in ROWS])
def test_row(proof: Proof, file: str, name: str) -> None:
    if faults := proof.faults.get(name):
        pytest.fail(f"{file}: {name}\n" + "\n".join(faults), pytrace=False)
    assert proof.ran.get(name), f"{file}: {name} has no sample: unproven"


@pytest.fixture(scope="session")
def proof_backwards(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return prove(list(torch_row_cases.backwards()), "tf", tmp_path_factory.mktemp("backwards"), refusals=False)


BACKWARDS = sorted({(row.file, row.name) for row in function_rows() if row.tf and row.file.startswith(
    torch_row_cases.READ_BACK)})


@pytest.mark.parametrize(("file", "name"), BACKWARDS, ids=[name for _, name in BACKWARDS])
def test_backwards(proof_backwards: Proof, file: str, name: str) -> None:
    """What a row writes for torch is not always read back, but never to other numbers."""
    if faults := proof_backwards.faults.get(name):
        pytest.fail(f"{file}: {name}\n" + "\n".join(faults), pytrace=False)


@pytest.fixture(scope="session")
def proof_keras(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    every = [c for c in torch_row_cases.cases() if c.row.name not in ELSEWHERE]
    return prove(every, "keras", tmp_path_factory.mktemp("keras"), refusals=False)


@pytest.mark.parametrize(("file", "name"), ROWS, ids=[name for _, name in ROWS])
def test_keras(proof_keras: Proof, file: str, name: str) -> None:
    """keras.ops lacks some functions, and then says so; what it has computes the same."""
    if faults := proof_keras.faults.get(name):
        pytest.fail(f"{file}: {name}\n" + "\n".join(faults), pytrace=False)


@pytest.mark.parametrize("target", ["tf", "keras"])
def test_snippets(tmp_path_factory: pytest.TempPathFactory, target: str) -> None:
    """Operators, indices, writes, layouts, loss objects."""
    found = prove(list(torch_snippets.snippets()), target, tmp_path_factory.mktemp(target), refusals=target == "tf")
    if faults := found.faults.get("snippets"):
        pytest.fail("\n".join(faults), pytrace=False)


TEXTS = {"torch.from_numpy(a)": "tf.convert_to_tensor(a)", "x.cuda()": "x", "x.bfloat16()": "tf.cast(x, tf.bfloat16)",
         "torch.get_default_dtype()": "tf.float32", "torch.is_autocast_enabled()": "False",
         "torch.nn.MSELoss()": "lambda input, target: tf.reduce_mean(tf.square(input - target))",
         "torch.nn.functional.cross_entropy": "cross_entropy"}


@pytest.mark.parametrize("text", TEXTS)
def test_text(text: str) -> None:
    from port.facts import tensor

    source = f"import torch\n\n\ndef f(x, a):\n    return {text}\n"
    result = translate(source, "torch2tf", params={"x": tensor((2, 3), "float")})
    assert last_line(result.text) == f"return {TEXTS[text]}"
