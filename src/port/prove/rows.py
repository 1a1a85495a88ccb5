"""The proof of a project's own rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from port import table
from port.findings import Outcome
from port.prove import numbers
from port.prove.cases import Case, tf_cases
from port.result import Options
from port.translate import translate


@dataclass(frozen=True)
class Proof:
    """What the samples of one row have shown."""

    name: str
    ran: int  # samples that ran in both frameworks
    faults: tuple[str, ...]

    @property
    def text(self) -> str:
        if self.faults:
            return "\n    ".join((f"wrong   {self.name}", *self.faults))
        if not self.ran:
            return f"open    {self.name}  no sample that can run"
        return f"proven  {self.name}  {self.ran} sample{'s' * (self.ran > 1)}"


def prove(texts: table.Texts, wanted: Sequence[str], tell: Callable[[str], None], root: Path) -> list[Proof]:
    """Every row of the files `wanted`; `root` is where the project's own modules are imported from."""
    with table.added(texts):
        rows = [row for group in table.load().values() for row in group if row.file in wanted and not row.none]
        cases = [case for case in tf_cases() if case.row.file in wanted]
    sources, faults = _translated(cases, Options(mappings=texts))
    ran = [case for case in cases if case.id in sources]
    if ran:
        tell(f"running {len(ran)} samples in both frameworks, in child processes")
        faults += _compared(ran, sources, root)
    names = dict.fromkeys(row.name for row in rows)
    return [Proof(name, sum(case.row.name == name for case in ran), tuple(f for n, f in faults if n == name))
            for name in names]


def _translated(cases: Sequence[Case], options: Options) -> tuple[dict[str, str], list[tuple[str, str]]]:
    sources: dict[str, str] = {}
    faults = []
    for case in cases:
        result = translate(case.source, "tf2torch", options, params=case.facts)
        bad = [f for f in result.findings if f.outcome in (Outcome.REFUSED, Outcome.INTERNAL)]
        if bad:
            faults.append((case.row.name, f"{_last(case.source)}: {bad[0].code} {bad[0].message}"))
        else:
            sources[case.id] = result.text
    return sources, faults


def _compared(cases: Sequence[Case], sources: dict[str, str], root: Path) -> Iterator[tuple[str, str]]:
    texts = {"tf": {case.id: case.source for case in cases}, "torch": sources}
    with tempfile.TemporaryDirectory(prefix="port-prove-") as folder:
        done = numbers.run_both(list(cases), texts, Path(folder), {}, root)
    for case in cases:
        for dtype in case.row.dtypes or numbers.DTYPES:
            fault = numbers.compare(case, dtype, done["tf"], done["torch"])
            if fault:
                yield case.row.name, f"{_last(case.source)} as {_last(sources[case.id])}: in {dtype}: {fault}"


def _last(source: str) -> str:
    return source.strip().splitlines()[-1].strip().removeprefix("return ")
