"""Every row the other way: each torch snippet is translated to TF and to keras.ops, run on both sides, and compared."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch_row_cases
import torch_snippets

from port import table
from port.facts import tensor
from port.findings import Outcome
from port.prove import numbers as row_prover
from port.prove.cases import HEAD, Case, function_rows
from port.result import Options
from port.translate import translate

# Arrays of NumPy, devices that are not here, a dtype that NumPy lacks: `test_text` holds what is written.
ELSEWHERE = {"torch_from_numpy", "torch_places", "torch_bfloat16",
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


def test_a_dtype_that_is_passed_stays_a_parameter() -> None:
    source = "import torch\n\n\ndef f(x, dtype=torch.float32):\n    return (x * 2).type(dtype)\n"
    result = translate(source, "torch2tf", params={"x": tensor((2, 3), "float")})
    assert last_line(result.text) == "return tf.cast(x * 2, dtype)"


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


def test_positions_are_those_of_torch() -> None:
    """A row may leave parameters out, but not before one that can be given by position, in either direction."""
    index = table.by_torch_name()
    read = {name: [s for row in index[name] if row.kind == "function" and row.tf for s in row.torch if s.name == name]
            for name in index if name.startswith("torch.")}
    child = Path(__file__).with_name("torch_positions.py")
    done = subprocess.run([sys.executable, str(child)], input=json.dumps(list(read)), capture_output=True, text=True,
                          check=True)
    wrong = []
    for name, (real, every) in json.loads(done.stdout).items():
        for signature in read[name]:
            ours = [p.name for p in signature.params if not p.keyword_only and not p.star]
            known = [n if n in every else r for n, r in zip(ours, real, strict=False)]  # other names for one place
            if real and known not in (real[:len(known)], ["end"]):  # torch.arange(end)
                wrong.append(f"{name}: {ours}, in torch {real}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("target", ["tf", "keras"])
def test_snippets(tmp_path_factory: pytest.TempPathFactory, target: str) -> None:
    """Operators, indices, writes, layouts, loss objects."""
    found = prove(list(torch_snippets.snippets()), target, tmp_path_factory.mktemp(target), refusals=target == "tf")
    if faults := found.faults.get("snippets"):
        pytest.fail("\n".join(faults), pytrace=False)


REFUSED = {  # statements of which the numbers would be others
    "y = F.relu(x, inplace=True); return x + y": "P203",
    "y = x.add_(1); return x * y": "P203",
    "F.relu_(x); return x": "P203",
    "x[:, 0] = 1; return x": "P203",
    "return torch.add(x, x, out=x)": "P203",
    "return F.normalize(x, p=unknown)": "",
    "return torch.max(x, unknown)": "P208",
    "return unknown.view(2, 3)": "",
    "return torch.var_mean(g(x), dim=1)": "P206",
    "return x.sum(unknown).stride()": "P203",
    "return x.new((2, 3)).uniform_()": "P208",  # these are its values
    "return x.resize_(2, 3).uniform_()": "P208",
    "torch.nn.GELU.forward = g; return x": "P206",
    "F.gelu = g; return x": "P206",
    "torch.backends.cudnn.benchmark = True; return x": "P203",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    body = "\n    ".join(s.strip() for s in text.split(";"))
    source = f"{HEAD}\n\ndef f(x, g, unknown):\n    {body}\n"
    result = translate(source, "torch2tf", params={"x": tensor((2, 3, 5), "float")})
    codes = [f.code for f in result.findings if f.outcome is Outcome.REFUSED]
    assert codes == ([REFUSED[text]] if REFUSED[text] else []), result.findings


TEXTS = {"torch.from_numpy(a)": "tf.convert_to_tensor(a)", "x.cuda()": "x", "x.bfloat16()": "tf.cast(x, tf.bfloat16)",
         "torch.get_default_dtype()": "keras.config.floatx()",
         # floats that a function makes: torch's default dtype is Keras' floatx
         "torch.zeros(2, 3)": "tf.zeros((2, 3), keras.config.floatx())",
         "torch.arange(4) / 3": "tf.range(4, dtype=keras.config.floatx()) / 3",
         "torch.meshgrid(*a)": "tf.meshgrid(*a, indexing='ij')",
         "torch.meshgrid(x[0], *a, indexing='xy')": "tf.meshgrid(x[0], *a, indexing='xy')",
         # random numbers drawn into a new tensor
         "torch.zeros(2, 3).uniform_(0, 1)": "tf.random.uniform((2, 3), 0, 1, dtype=keras.config.floatx())",
         "torch.zeros((2, 3), device=x.device).float().normal_()":
             "tf.random.normal((2, 3), dtype=keras.config.floatx())",
         "torch.empty(4, dtype=torch.float64).uniform_(2.0, 3.0)":
             "tf.random.uniform((4,), 2.0, 3.0, dtype=tf.float64)",
         "torch.zeros_like(x).uniform_()": "tf.random.uniform(tf.shape(x), dtype=x.dtype)",
         "torch.empty(2, dtype=x.dtype).uniform_()": "tf.random.uniform((2,), dtype=x.dtype)",
         "x.new_empty((len(x), 1)).bernoulli_(0.9)":
            "tf.cast(tf.random.uniform((keras.ops.shape(x)[0], 1)) < 0.9, x.dtype)",
         "x.new_zeros(2, 3).bernoulli_(1 - 0.1)": "tf.cast(tf.random.uniform((2, 3)) < (1 - 0.1), x.dtype)",
         "torch.empty(4).bernoulli_(0.5)": "tf.cast(tf.random.uniform((4,)) < 0.5, keras.config.floatx())",
         "x.new().resize_((len(x), 1)).bernoulli_(0.9)":
            "tf.cast(tf.random.uniform((keras.ops.shape(x)[0], 1)) < 0.9, x.dtype)",
         "x.new().resize_(2, 3).normal_()": "tf.random.normal((2, 3), dtype=x.dtype)",
         "x.new(len(x), 1).uniform_()": "tf.random.uniform((keras.ops.shape(x)[0], 1), dtype=x.dtype)",
         "x.new_empty(2).normal_()": "tf.random.normal((2,), dtype=x.dtype)",
         "torch.tensor([2 * len(a) - 1, 1])": "tf.constant([2 * len(a) - 1, 1], tf.int64)",
         "torch.FloatTensor((5, 7)).uniform_()": "tf.random.uniform((2,), dtype=keras.config.floatx())",
         "x * (torch.arange(3) / 2)": "x * (tf.range(3, dtype=keras.config.floatx()) / 2)",
         "torch.is_autocast_enabled()": "False",
         "torch.nn.MSELoss()": "lambda input, target: tf.reduce_mean(tf.square(input - target))",
         "torch.nn.functional.cross_entropy": "cross_entropy"}


@pytest.mark.parametrize("text", TEXTS)
def test_text(text: str) -> None:
    source = f"import torch\n\n\ndef f(x, a):\n    return {text}\n"
    result = translate(source, "torch2tf", params={"x": tensor((2, 3), "float")})
    assert last_line(result.text) == f"return {TEXTS[text]}"


def test_indices_of_other_sizes_are_brought_together() -> None:
    source = "\n    ".join(("import torch\n\n\ndef f(x: torch.Tensor, keep: torch.Tensor):", "b, n, d = x.shape",
                           "batch = torch.arange(b)[:, None]", "y = x[torch.arange(b), torch.arange(b)]",
                           "return x[batch, keep] + y[:, None]\n"))
    text = translate(source, "torch2tf").text
    assert "places([batch, keep])" in text
    assert "tf.stack([tf.range(b" in text


@pytest.mark.parametrize("p", ["0", "-1", "-math.inf", "float('-inf')", "'nuc'"])
def test_a_norm_that_is_no_power_is_refused(p: str) -> None:
    """What `sum(abs(x) ** p) ** (1 / p)` gives there is another number, or none."""
    source = f"import math\n\nimport torch\n\n\ndef f(x: torch.Tensor):\n    return x.norm(p={p}, dim=1)\n"
    result = translate(source, "torch2tf")
    assert [f.code for f in result.findings] in (["P202"], ["P208"]) and f"x.norm(p={p}, dim=1)" in result.text
