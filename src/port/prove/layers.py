"""Layer rows, proven by `port.verify`: a model of the one layer for each sample, with all its weights and gradients."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from port import laying, table
from port import sample as samples
from port.findings import Outcome
from port.result import Options
from port.translate import translate
from port.verify.cases import Case as VerifyCase
from port.verify.parent import verify
from port.verify.verdict import VERIFIED

NAME = "port_proof_{}.py"
Faults = list[tuple[str, str]]  # name of a row, what is wrong


@dataclass(frozen=True)
class LayerCase:
    """One sample: a function that builds the model, and what it is fed."""

    name: str
    row: table.Row
    source: str
    inputs: tuple[str, ...]


def layer_cases(rows: Sequence[table.Row]) -> Iterator[LayerCase]:
    """The samples that say with what the layer is called."""
    found = [(row, sample) for row in rows if row.kind == "layer" and row.tf for sample in row.sample]
    for number, (row, sample) in enumerate(found):
        given = sample.get("call", [])
        texts = [text for text in (given if isinstance(given, list) else [given]) if isinstance(text, str)]
        specs = [spec for text in texts if (spec := samples.parse(text)) is not None]
        if specs:
            name = f"sample_{number}"
            yield LayerCase(name, row, _builder(name, row, sample, specs), tuple(texts))


def _builder(name: str, row: table.Row, sample: dict[str, Any], specs: Sequence[samples.Spec]) -> str:
    names = [f"x{i}" for i in range(len(specs))]
    several = f"[{', '.join(names)}]" if len(names) > 1 else names[0]
    settings = ", ".join(f"{k}={v!r}" for k, v in sample.items() if k not in ("call", "training", "build"))
    inputs = "".join(f"    {n} = keras.Input({spec.shape[1:]}, dtype='{spec.dtype}')\n" if not spec.floating
                     else f"    {n} = keras.Input({spec.shape[1:]})\n" for n, spec in zip(names, specs, strict=True))
    layer = row.tf[0].name.rpartition(".")[2] if not row.tf[0].name.startswith("keras.") else row.tf[0].name
    return f"\n\ndef {name}():\n{inputs}    return keras.Model({several}, {layer}({settings})({several}))\n"


def proven(cases: Sequence[LayerCase], options: Options, root: Path) -> tuple[list[str], list[str], Faults]:
    """Names of the rows, one for each sample that was equal from TensorFlow to PyTorch; backwards; what is wrong."""
    faults: Faults = []
    taken = []
    for case in cases:
        bad = [f for f in translate(_module([case]), "tf2torch", options).findings
               if f.outcome in (Outcome.REFUSED, Outcome.INTERNAL)]
        faults += [(case.row.name, f"{_call(case)}: {f.code} {f.message}") for f in bad[:1]]
        taken += [] if bad else [case]
    if not taken:
        return [], [], faults
    source = _module(taken)
    made = translate(source, "tf2torch", options)
    there, more = _compared(taken, source, made.text, "tf2torch", root)
    again = translate(made.text, "torch2tf", options)
    own = {edit.by.removeprefix("row ") for edit in again.edits}
    read = [case for case in taken if case.row.name in own and case.row.name in there]
    back, others = _compared(read, made.text, again.text, "torch2tf", root) if read else ([], [])
    return there, back, [*faults, *more, *others]


def _module(cases: Sequence[LayerCase]) -> str:
    modules = sorted({case.row.tf[0].name for case in cases if not case.row.tf[0].name.startswith("keras.")})
    imports = "".join("from {} import {}\n".format(*name.rsplit(".", 1)) for name in modules)
    return "import keras\n" + imports + "".join(case.source for case in cases)


def _compared(cases: Sequence[LayerCase], source: str, ported: str, direction: str, root: Path
              ) -> tuple[list[str], Faults]:
    with tempfile.TemporaryDirectory(prefix="port-prove-") as name:
        places = []
        for side, text in (("source", source), ("ported", ported)):
            path = root / NAME.format(side)  # nothing is written there: so the project's own modules are found
            places.append(laying.lay_out({path: laying.Laid(text, text.encode())}, Path(name, side))[path])
        verdicts = verify(places[0], places[1], direction, [VerifyCase(f"{c.name}()", c.inputs) for c in cases])
    faults = [(case.row.name, f"{direction}: {_call(case)}: {verdict.status}: {verdict.message}")
              for case, verdict in zip(cases, verdicts, strict=True) if verdict.status != VERIFIED]
    return [c.row.name for c, v in zip(cases, verdicts, strict=True) if v.status == VERIFIED], faults


def _call(case: LayerCase) -> str:
    return case.source.strip().splitlines()[-1].strip().removeprefix("return ")
