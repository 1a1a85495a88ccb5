"""Rows to runnable snippets: one case for each sample of a row, and one for each other spelling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from port import sample as samples
from port import table
from port.facts import Fact, Kind, tensor
from port.samplecode import fits, render, render_torch, snippet

HEAD = "import torch\nimport torch.nn.functional as F\n"


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


def numbered(rows: list[table.Row]) -> Iterator[tuple[str, table.Row]]:
    """Each row as `name/number`, counted within its name: what a sample draws must not depend on unrelated rows."""
    seen: Counter[str] = Counter()
    for row in rows:
        yield f"{row.name}/{seen[row.name]}", row
        seen[row.name] += 1


def tf_cases() -> Iterator[Case]:
    for row_name, row in numbered(function_rows()):
        for signature in row.tf:
            first = signature is row.tf[0]
            usable = [sample for sample in row.sample if fits(signature, sample)]
            for at, sample in enumerate(usable if first else usable[:1]):
                name = f"{row_name}/{signature.name}/{at}"
                inputs: dict[str, samples.Spec] = {}
                call = render(signature, sample, inputs)
                yield Case(name, row, snippet(signature.name, call, inputs), inputs)


# ---------------------------------------------------------------- from PyTorch
@dataclass(frozen=True)
class TorchCase(Case):
    """Whole numbers are int64 on both sides, as in torch code."""

    @property
    def facts(self) -> dict[str, Fact]:
        return {name: tensor(spec.shape, "float" if spec.floating else {"int32": "int64"}.get(spec.dtype, spec.dtype))
                for name, spec in self.inputs.items()}

    def arrays(self) -> dict[str, Any]:
        return {name: a.astype(np.int64) if a.dtype == np.int32 else a for name, a in super().arrays().items()}


def torch_cases(rows: list[table.Row]) -> Iterator[TorchCase]:
    """Each sample as the first torch signature that takes it has it; and the first for each other spelling."""
    for row_name, row in numbered(rows):
        done: set[str] = set()
        for at, sample in enumerate(row.sample):
            signature = next((s for s in row.torch if fits(s, sample)), None)
            if signature is None:
                raise ValueError(f"{row.file}: {row.name}: no signature takes {sample}")
            done.add(signature.name)
            yield _torch_case(f"{row_name}/{at}", row, signature, sample)
        for signature in row.torch:
            usable = next((s for s in row.sample if fits(signature, s)), None)
            if signature.name not in done and usable is not None:
                yield _torch_case(f"{row_name}/{signature.name}", row, signature, usable)


def _torch_case(name: str, row: table.Row, signature: table.Signature, sample: dict[str, Any]) -> TorchCase:
    inputs: dict[str, samples.Spec] = {}
    call = render_torch(signature, sample, inputs)
    if signature.name.endswith("_"):  # in place: of a copy, which is returned
        receiver, _, rest = call.partition(".")
        text = f"y = {receiver}.clone()\n    y.{rest}\n    return y"
    else:
        text = f"return {call}"
    head = HEAD
    if signature.name.partition(".")[0] not in ("torch", "tensor"):  # a function of the user's project
        module, _, own = signature.name.rpartition(".")
        head, text = f"{HEAD}from {module} import {own}\n", text.replace(f"{module}.{own}(", f"{own}(")
    return TorchCase(name, row, f"{head}\n\ndef f({', '.join(inputs)}):\n    {text}\n", inputs)


def backwards(case: Case, text: str) -> TorchCase:
    """What a row gives for its own sample, as PyTorch code to be read backwards."""
    text = text if "import torch" in text else f"import torch\n\n\n{text.lstrip()}"
    return TorchCase(f"{case.id}/back", case.row, text, case.inputs)
