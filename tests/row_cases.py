"""Rows to runnable snippets: one case for each sample of a function row, and one for each other spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from port import sample as samples
from port import table
from port.facts import Fact, Kind, tensor

HEADS = {"tf": "import tensorflow as tf", "keras": "import keras", "torch": "import torch"}


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
            usable = [sample for sample in row.sample if _fits(signature, sample)]
            for at, sample in enumerate(usable if first else usable[:1]):
                name = f"{row.name}/{number}/{signature.name}/{at}"
                inputs: dict[str, samples.Spec] = {}
                call = render(signature, sample, inputs)
                yield Case(name, row, snippet(signature.name, call, inputs), inputs)


def _fits(signature: table.Signature, sample: dict[str, Any]) -> bool:
    required = {p.name for p in signature.params if p.default is None and not p.star}
    return required <= sample.keys() <= {p.name for p in signature.params}


def snippet(name: str, call: str, inputs: dict[str, Any]) -> str:
    heads = {HEADS[name.partition(".")[0]]} | ({HEADS["tf"]} if re.search(r"\btf\.", call) else set())
    return "\n".join(sorted(heads)) + f"\n\n\ndef f({', '.join(inputs)}):\n    return {call}\n"


def render(signature: table.Signature, sample: dict[str, Any], inputs: dict[str, samples.Spec]) -> str:
    """The call with the values of a sample; its tensors become entries of `inputs`."""
    parts, positional = [], True
    for param in signature.params:
        if param.name not in sample:
            positional = False
            continue
        text = literal(param.name, sample[param.name], inputs)
        if param.star:
            parts.extend(literal(f"{param.name}_{i}", v, inputs) for i, v in enumerate(sample[param.name]))
        elif positional and param.default is None and not param.keyword_only:
            parts.append(text)
        else:
            parts.append(f"{param.name}={text}")
    return f"{signature.name}({', '.join(parts)})"


def literal(name: str, value: Any, inputs: dict[str, samples.Spec]) -> str:
    """Source text of a sample value."""
    if spec := samples.parse(value):
        inputs[name] = spec
        return name
    if isinstance(value, list):
        return f"[{', '.join(literal(f'{name}_{i}', v, inputs) for i, v in enumerate(value))}]"
    if isinstance(value, str) and re.fullmatch(r"(tf|keras|torch)(\.\w+)+", value):
        return value
    return repr(value)
