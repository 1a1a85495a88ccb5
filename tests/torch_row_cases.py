"""Rows to snippets of PyTorch: each sample of a row that only torch has, and what other rows give forwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from port import table
from port.findings import Outcome
from port.prove.cases import TorchCase, tf_cases, torch_cases
from port.prove.cases import backwards as read_back
from port.translate import translate

READ_BACK = ("ops_", "activations")


def torch_rows() -> list[table.Row]:
    return [row for rows in table.load().values() for row in rows
            if row.file.startswith("torch_") and not row.none and row.torch]


def cases() -> Iterator[TorchCase]:
    return torch_cases(torch_rows())


def backwards() -> Iterator[TorchCase]:
    """What the other rows give for their own samples, as PyTorch code to be read backwards."""
    for case_ in tf_cases():
        if not case_.row.file.startswith(READ_BACK) or f"/{case_.row.tf[0].name}/" not in case_.id:
            continue
        result = translate(case_.source, "tf2torch", params=case_.facts)
        if not any(f.outcome in (Outcome.REFUSED, Outcome.INTERNAL) for f in result.findings):
            yield replace(read_back(case_, result.text), id=case_.id)
