"""How a layer with several inputs is called, at each place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst

from port.facts import UNKNOWN, Kind
from port.tf2torch import masking
from port.tf2torch.adapt import packing
from port.tf2torch.calls.job import Job

PARAMETERS = ("x", "initial_state", "mask", "training")  # of a call in Keras 3


@dataclass
class Use:
    """One application: `args` by the names of Keras' call; `masked`: a mask arrives, perhaps None at times."""

    node: cst.Call
    args: dict[str, cst.BaseExpression]
    masked: bool
    optional: bool = False

    def given(self, em: Any, name: str) -> cst.BaseExpression | None:
        node = self.args.get(name)
        return None if node is None or em.fact(node).literal(...) is None else node


def bound_call(node: cst.Call, args: list[cst.Arg], names: tuple[str, ...]) -> dict[str, cst.BaseExpression]:
    found: dict[str, cst.BaseExpression] = {}
    for i, arg in enumerate(args):
        name = arg.keyword.value if arg.keyword is not None else names[i] if i < len(names) else f"#{i}"
        found[{"sequences": "x", "inputs": "x", "sequence": "x"}.get(name, name)] = arg.value
    return found


def uses(job: Job, names: tuple[str, ...] = PARAMETERS) -> list[Use]:
    packing.mark(job.em)
    em, layer = job.em, job.em.it.layers[job.node]
    out = []
    for node, (callee, _) in em.it.applications.items():
        if callee.payload is not layer:
            continue
        if node is layer.node:  # inside a Sequential
            out.append(Use(node, {}, masking.of_call(em, node, layer) is not None))
            continue
        args = bound_call(node, list(node.args), names)
        explicit = args.get("mask")
        fact = em.fact(explicit) if explicit is not None else UNKNOWN
        maybe = explicit is not None and fact.literal(...) is not None and (
            fact.kind is not Kind.TENSOR or fact.symbol == "?")
        out.append(Use(node, args, masking.of_call(em, node, layer) is not None, maybe))
    return out
