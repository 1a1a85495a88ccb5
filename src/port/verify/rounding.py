"""What float32 gradients of the source may lose: more runs of it, each rounded otherwise (see `compare`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import compare, inputs, passes, store, user

Arrays = dict[str, np.ndarray]
RUNS = 16
ULP = 2.0**-23


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    """The wanted cases into a file of the job's name."""
    _, sources = store.unbundle(folder / "source.npz")
    module = backend.load(job, "float32")
    found: dict[str, Any] = {}
    for i in job["wanted"]:
        meta, given = sources[i]
        try:
            backend.dtype("float32")
            obj = backend.evaluate(module, meta["call"])
            backend.start(obj, inputs.feed(meta, given, 0), False)
            found[str(i)] = sample(backend, obj, backend.units(obj)[1], meta, given)
        except Exception as fault:  # the verdict stays as it was
            found[str(i)] = {"failed": user.explain(fault, job["path"])}
    store.write(folder / f"{job['name']}.npz", {"found": found}, {})


def sample(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays) -> dict[str, float]:
    """{'group/variant/mode/name': largest loss}"""
    worst: dict[str, float] = {}
    for number in range(RUNS):
        again: Arrays = {}
        passes.whole(backend, obj, handles, meta, _moved(given, number), "float32", 1, again)
        for name, lost in compare.losses(given, again).items():
            if np.isfinite(lost):
                worst[name] = max(worst.get(name, 0.0), lost)
    return worst


def _moved(given: Arrays, number: int) -> Arrays:
    """Weights and inputs, off by up to one float32 ulp."""
    rng = np.random.default_rng([number, 11])
    kept = {k: v for k, v in given.items() if not k.startswith(("float", "act/"))}
    moved = [k for k, v in kept.items() if v.dtype.kind == "f" and k.startswith(("w/", "in/x/"))]
    return {**kept, **{k: kept[k] * (1 + ULP * rng.uniform(-1, 1, kept[k].shape)) for k in moved}}
