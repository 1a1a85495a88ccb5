"""The proof of a project's own rows: both directions, function rows call by call and layer rows as models."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from port import table
from port.findings import Outcome
from port.prove import layers, numbers
from port.prove.cases import Case, TorchCase, backwards, tf_cases, torch_cases
from port.result import Options, Result
from port.translate import translate

PYTHON = ("number", "size", "plain")  # results that are numbers of Python: they have no width


@dataclass(frozen=True)
class Proof:
    """What the samples of one row have shown: how many ran from TensorFlow to PyTorch, and how many backwards."""

    name: str
    there: int
    back: int
    faults: tuple[str, ...]

    @property
    def ran(self) -> int:
        return self.there + self.back

    @property
    def text(self) -> str:
        if self.faults:
            return "\n    ".join((f"wrong   {self.name}", *self.faults))
        if not self.ran:
            return f"open    {self.name}  no sample that can run"
        ways = [f"{number} sample{'s' * (number > 1)} {way}" for number, way in (
            (self.there, "to PyTorch"), (self.back, "to TensorFlow")) if number]
        one = "" if self.there and self.back else "; the other way it is not used"
        return f"proven  {self.name}  {', '.join(ways)}{one}"


@dataclass(frozen=True)
class Run:
    """One comparison: a snippet of either framework, its translation, and the row's name and direction."""

    case: Case
    tf: str
    torch: str
    back: bool


def prove(texts: table.Texts, wanted: Sequence[str], tell: Callable[[str], None], root: Path) -> list[Proof]:
    """Every row of the files `wanted`; `root` is where the project's own modules are imported from."""
    with table.added(texts):
        rows = [row for group in table.load().values() for row in group if row.file in wanted and not row.none]
        forward = [case for case in tf_cases() if case.row.file in wanted]
        only_torch = list(torch_cases([row for row in rows if row.torch and not row.tf and row.kind != "layer"]))
        models = list(layers.layer_cases(rows))
    options = Options(mappings=texts)
    runs, faults = _forward(forward, options)
    more, others = _from_torch(only_torch, options)
    runs, faults = [*runs, *more], [*faults, *others]
    if runs or models:
        tell(f"running {len(runs) + len(models)} samples in both frameworks, in child processes")
    if runs:
        faults += _compared(runs, root)
    there, back, bad = layers.proven(models, options, root) if models else ([], [], [])
    faults += bad
    there += [run.case.row.name for run in runs if not run.back]
    back += [run.case.row.name for run in runs if run.back]
    return [Proof(name, there.count(name), back.count(name), tuple(f for n, f in faults if n == name))
            for name in dict.fromkeys(row.name for row in rows)]


def _forward(cases: Sequence[Case], options: Options) -> tuple[list[Run], list[tuple[str, str]]]:
    """Each sample to PyTorch, and what came out back again where that takes the same row."""
    runs, faults = [], []
    for case in cases:
        made = translate(case.source, "tf2torch", options, params=case.facts)
        if bad := _bad(made):
            faults.append((case.row.name, f"{_last(case.source)}: {bad}"))
            continue
        runs += [Run(case, case.source, made.text, back=False)] if _by(case, made) else []
        other = backwards(case, made.text)
        again = translate(other.source, "torch2tf", options, params=other.facts)
        if _by(case, again) and not _bad(again):
            runs.append(Run(other, again.text, other.source, back=True))
    return runs, faults


def _from_torch(cases: Sequence[TorchCase], options: Options) -> tuple[list[Run], list[tuple[str, str]]]:
    runs, faults = [], []
    for case in cases:
        made = translate(case.source, "torch2tf", options, params=case.facts)
        if bad := _bad(made):
            faults.append((case.row.name, f"{_last(case.source)}: {bad}"))
        elif _by(case, made):
            runs.append(Run(case, made.text, case.source, back=True))
    return runs, faults


def _by(case: Case, result: Result) -> bool:
    """Has the row written this? Code that it is not asked about is equal by itself, and proves nothing."""
    return f"row {case.row.name}" in {edit.by for edit in result.edits}


def _bad(result: Result) -> str:
    return next((f"{f.code} {f.message}" for f in result.findings
                 if f.outcome in (Outcome.REFUSED, Outcome.INTERNAL)), "")


def _compared(runs: Sequence[Run], root: Path) -> Iterator[tuple[str, str]]:
    texts = {"tf": {run.case.id: run.tf for run in runs}, "torch": {run.case.id: run.torch for run in runs}}
    with tempfile.TemporaryDirectory(prefix="port-prove-") as folder:
        done = numbers.run_both([run.case for run in runs], texts, Path(folder), {}, root)
    for run in runs:
        first, second = (run.torch, run.tf) if run.back else (run.tf, run.torch)
        for dtype in run.case.row.dtypes or numbers.DTYPES:
            fault = numbers.compare(run.case, dtype, done["tf"], done["torch"],
                                    run.back and run.case.row.returns not in PYTHON)
            if fault:
                yield run.case.row.name, f"{_last(first)} as {_last(second)}: in {dtype}: {fault}"


def _last(source: str) -> str:
    return source.strip().splitlines()[-1].strip().removeprefix("return ")
