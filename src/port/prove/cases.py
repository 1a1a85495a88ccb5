"""Rows to runnable snippets: one case for each sample of a function row, and one for each other spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from port import sample as samples
from port import table
from port.facts import Fact, Kind, tensor
from port.samplecode import fits, render, snippet


@dataclass(frozen=True)
class Case:
    """`source` defines `f`; its parameters are the tensors of the sample."""

    id: str
    row: table.Row
    source: str
    inputs: dict[str, samples.Spec] = field(default_factory=dict)

    @property
    def facts(self) -> dict[str, Fact]:
        return {name: tensor(spec.shape, "float" if spec.floating else spec.dtype).but(kind=Kind.TENSOR)
                for name, spec in self.inputs.items()}

    def arrays(self) -> dict[str, Any]:
        return {name: samples.array(spec, f"{self.id}/{name}") for name, spec in self.inputs.items()}


def function_rows() -> list[table.Row]:
    return [row for rows in table.load().values() for row in rows if row.kind == "function" and not row.none]


def tf_cases() -> Iterator[Case]:
    for number, row in enumerate(function_rows()):
        for signature in row.tf:
            first = signature is row.tf[0]
            usable = [sample for sample in row.sample if fits(signature, sample)]
            for at, sample in enumerate(usable if first else usable[:1]):
                name = f"{row.name}/{number}/{signature.name}/{at}"
                inputs: dict[str, samples.Spec] = {}
                call = render(signature, sample, inputs)
                yield Case(name, row, snippet(signature.name, call, inputs), inputs)
