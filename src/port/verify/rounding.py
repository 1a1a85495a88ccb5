"""What gradients of the source may lose to rounding: more runs of it, each rounded otherwise (see `compare`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import compare, inputs, passes, store, user

Arrays = dict[str, np.ndarray]
RUNS = {"float32": 16, "float64": 4}
ULP = {"float32": 2.0**-23, "float64": 2.0**-52}


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    """The wanted cases into a file of the job's name."""
    _, sources = store.unbundle(folder / "source.npz")
    found: dict[str, Any] = {str(i): {} for i in job["wanted"]}
    for dtype in job["rounded"]:
        module = backend.load(job, dtype)
        for i in job["wanted"]:
            meta, given = sources[i]
            try:
                backend.dtype(dtype)
                obj = backend.evaluate(module, meta["call"])
                backend.start(obj, inputs.feed(meta, given, 0), False)
                found[str(i)] |= sample(backend, obj, backend.units(obj)[1], meta, given, dtype)
            except Exception as fault:  # the verdict stays as it was
                found[str(i)] = {"failed": user.explain(fault, job["path"])}
    store.write(folder / f"{job['name']}.npz", {"found": found}, {})


def sample(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str
           ) -> dict[str, float]:
    """{'dtype/group/variant/mode/name': largest loss}"""
    worst: dict[str, float] = {}
    for number in range(RUNS[dtype]):
        again: Arrays = {}
        moved = _moved(given, number, ULP[dtype])
        backend.assign(handles, store.under(moved, "w"))
        passes.every(backend, obj, handles, meta, moved, dtype, int(dtype == "float32"), again)
        for name, lost in compare.losses(given, again).items():
            if np.isfinite(lost):
                worst[name] = max(worst.get(name, 0.0), lost)
    return worst


def _moved(given: Arrays, number: int, ulp: float) -> Arrays:
    """Weights and inputs, off by up to one ulp."""
    rng = np.random.default_rng([number, 11])
    kept = {k: v for k, v in given.items() if not k.startswith(("float", "act/"))}
    moved = [k for k, v in kept.items() if v.dtype.kind == "f" and k.startswith(("w/", "in/x/"))]
    return {**kept, **{k: kept[k] * (1 + ulp * rng.uniform(-1, 1, kept[k].shape)) for k in moved}}
