"""Samples at the edges: one element, none, ties and zeros, whole numbers, large and not finite ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from port import sample as samples
from port import table
from port.prove.cases import Case, function_rows, numbered
from port.samplecode import fits, render, snippet

KINDS = ("one", "empty", "ties", "whole", "large", "infinite")
# of floats without a sign, and of positive ones
VALUES = {"ties": ("f32=", ""), "whole": ("i32(-5,6)", "i32(1,6)"), "large": ("f32(-1e4,1e4)", "f32(1e3,1e5)"),
          "infinite": ("f32?", "")}


def edge_cases(kinds: tuple[str, ...] = KINDS) -> Iterator[tuple[str, Case]]:
    """(kind, case) of the first sample of each function row, where it has tensors that can be changed so."""
    for name, row in numbered(function_rows()):
        given = next((s for s in row.sample if row.tf and fits(row.tf[0], s)), None)
        if given is None or row.draws:
            continue
        for kind in kinds:
            if case := _case(row, given, kind, name):
                yield kind, case


def _case(row: table.Row, given: dict[str, Any], kind: str, name: str) -> Case | None:
    changed = {name: _changed(value, kind) for name, value in given.items()}
    if changed == given:
        return None
    inputs: dict[str, samples.Spec] = {}
    call = render(row.tf[0], changed, inputs)
    return Case(f"{name}/{kind}", row, snippet(row.tf[0].name, call, inputs), inputs)


def _changed(value: Any, kind: str) -> Any:
    if isinstance(value, list):
        return [_changed(v, kind) for v in value]
    spec = samples.parse(value)
    if spec is None or spec.how == "#" or not spec.shape:
        return value
    head, _, tail = value.partition("[")
    sizes, behind = ",".join(map(str, spec.shape)), tail.partition("]")[2]
    if kind in ("one", "empty"):
        sizes = ",".join("1" for _ in spec.shape) if kind == "one" else ",".join(map(str, (0, *spec.shape[1:])))
    elif spec.kind != "f32" or spec.how not in ("", "+", "="):
        return value
    else:
        head = VALUES[kind][spec.how == "+"] or head
    return f"{head}[{sizes}]{behind}"
