"""Runs of masked recurrent layers that pass packed sequences on (golden: rnn_masking)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from port.facts import UNKNOWN
from port.tf2torch.adapt.settings import settings
from port.tf2torch.calls.layers import layer_job
from port.tf2torch.emit import Emitter, Refused
from port.tf2torch.infer.values import LayerCall, tensors_in


def mark(em: Emitter) -> None:
    """Find the runs in chains of layers; once per file."""
    if em.it.packed:
        return
    em.it.packed = True
    for chain in getattr(em.it.names, "chains", []):
        run: list[LayerCall] = []
        for node in chain:
            layer = em.it.layers.get(node)
            kind = _kind(em, layer, first=not run) if layer is not None else ""
            if kind == "last" and run:
                _flag([*run, layer])  # type: ignore[list-item]
            run = [*run, layer] if kind == "sequences" else []  # type: ignore[list-item]


def _flag(run: list[Any]) -> None:
    for before, after in pairwise(run):
        before.gives_packed = after.gets_packed = True


def _kind(em: Emitter, layer: LayerCall, first: bool) -> str:
    """'sequences' or 'last' for a layer that torch's own module can be, on packed steps."""
    inputs = [t for f in layer.inputs for t in tensors_in(f)]
    if not inputs or any(t.mask is None for t in inputs):
        return ""
    try:
        job = layer_job(em, layer, layer.inputs[-1])
        inner = job
        if job.row.via == "bidirectional":
            held = em.fact(job.bound.args["layer"]).payload
            if job.given("backward_layer") or not isinstance(held, LayerCall):
                return ""
            inner = layer_job(em, held, UNKNOWN)
        if inner.row.via != "rnn":
            return ""
        s = settings(inner)
    except Refused:
        return ""
    dropout = inner.literal("dropout", 0) not in (0, 0.0)
    if not s.plain or s.state or s.backwards or s.sequences is None or (dropout and not first):
        return ""
    if s.sequences and inner is not job and job.literal("merge_mode") != "concat":
        return ""
    return "sequences" if s.sequences else "last"
