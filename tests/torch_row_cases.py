"""Rows to snippets of PyTorch: each sample of a row that only torch has, and what other rows give forwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from port import sample as samples
from port import table
from port.facts import Fact, tensor
from port.findings import Outcome
from port.prove.cases import Case, tf_cases
from port.samplecode import fits, render_torch
from port.translate import translate

READ_BACK = ("ops_", "activations")
HEAD = "import torch\nimport torch.nn.functional as F\n"


@dataclass(frozen=True)
class TorchCase(Case):
    """Whole numbers are int64 on both sides, as in torch code."""

    @property
    def facts(self) -> dict[str, Fact]:
        return {name: tensor(spec.shape, "float" if spec.floating else _wide(spec.dtype))
                for name, spec in self.inputs.items()}

    def arrays(self) -> dict[str, Any]:
        return {name: a.astype(np.int64) if a.dtype == np.int32 else a for name, a in super().arrays().items()}


def _wide(dtype: str) -> str:
    return "int64" if dtype == "int32" else dtype


def torch_rows() -> list[table.Row]:
    return [row for rows in table.load().values() for row in rows
            if row.file.startswith("torch_") and not row.none and row.torch]


def cases() -> Iterator[TorchCase]:
    for number, row in enumerate(torch_rows()):
        done: set[str] = set()
        for at, sample in enumerate(row.sample):
            signature = next((s for s in row.torch if fits(s, sample)), None)
            if signature is None:
                raise ValueError(f"{row.file}: {row.name}: no signature takes {sample}")
            done.add(signature.name)
            yield case(f"{row.name}/{number}/{at}", row, signature, sample)
        for signature in row.torch:  # other spellings, with the first sample that they take
            usable = next((s for s in row.sample if fits(signature, s)), None)
            if signature.name not in done and usable is not None:
                yield case(f"{row.name}/{number}/{signature.name}", row, signature, usable)


def backwards() -> Iterator[TorchCase]:
    """What the other rows give for their own samples, as PyTorch code to be read backwards."""
    for case_ in tf_cases():
        if not case_.row.file.startswith(READ_BACK) or f"/{case_.row.tf[0].name}/" not in case_.id:
            continue
        result = translate(case_.source, "tf2torch", params=case_.facts)
        if not any(f.outcome in (Outcome.REFUSED, Outcome.INTERNAL) for f in result.findings):
            text = result.text if "import torch" in result.text else f"import torch\n\n\n{result.text.lstrip()}"
            yield TorchCase(case_.id, case_.row, text, case_.inputs)


def case(name: str, row: table.Row, signature: table.Signature, sample: dict[str, Any]) -> TorchCase:
    inputs: dict[str, samples.Spec] = {}
    call = render_torch(signature, sample, inputs)
    if signature.name.endswith("_"):  # in place: of a copy, which is returned
        receiver, _, rest = call.partition(".")
        text = f"y = {receiver}.clone()\n    y.{rest}\n    return y"
    else:
        text = f"return {call}"
    return TorchCase(name, row, f"{HEAD}\n\ndef f({', '.join(inputs)}):\n    {text}\n", inputs)
