"""Permutes where tensors enter a public body that works channels first."""

from __future__ import annotations

from typing import Any

import libcst as cst

from port.build import build, statement
from port.tf2torch.emit import TO_FIRST, TO_LAST, Emitter
from port.tf2torch.infer.values import Function

NCHW = "  # NHWC -> NCHW"


def entry_lines(em: Emitter, function: Function, tensors: list[str]) -> list[Any]:
    made = []
    for name in tensors:
        if name in function.flipped:
            fact = function.tensors.get(name)
            rank = fact.rank if fact is not None and fact.rank is not None else em.it.ranks.get((function, name))
            line = permute_line(name, name, rank or 4)
            default = function.defaults.get(name)
            if default is not None and em.fact(default).literal(...) is None:
                line = cst.If(build(f"{name} is not None"), cst.IndentedBlock([line]))
            made.append(line)
    return made


def permute_line(target: str, source: str, rank: int) -> Any:
    """To channels first; to channels last for a negative rank."""
    if rank == -3:
        return statement(f"{target} = {source}.transpose(1, 2)  # (N, C, L) -> (N, L, C)")
    if rank < 0:
        names = "  # NCDHW -> NDHWC" if rank == -5 else "  # NCHW -> NHWC"
        return statement(f"{target} = {source}.permute{TO_LAST[-rank]}{names}")
    if rank == 3:
        return statement(f"{target} = {source}.transpose(1, 2)  # (N, L, C) -> (N, C, L)")
    if rank == 5:
        return statement(f"{target} = {source}.permute{TO_FIRST[5]}  # NDHWC -> NCDHW")
    return statement(f"{target} = {source}.permute{TO_FIRST.get(rank, TO_FIRST[4])}{NCHW}")


def relayouts(em: Emitter, place: Any) -> list[Any]:
    """Permutes where paths of different layouts meet: lines behind a place, or before it."""
    return [permute_line(name, name, rank) for name, rank in em.it.relayout.get(place, {}).items()]
