"""What gradients of the source may lose to rounding: more runs of it, each rounded otherwise (see `compare`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import compare, inputs, passes, store, user

Arrays = dict[str, np.ndarray]
RUNS = {"float32": 16, "float64": 4}
ULP = {"float32": 2.0**-23, "float64": 2.0**-52}


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    """The wanted passes of cases into a file of the job's name: as far as it came, where time runs out."""
    _, sources = store.unbundle(folder / "source.npz")
    wanted: dict[str, list[tuple[str, int, str]]] = job["rounded"]  # case -> dtype, variant and mode of what is off
    found: dict[str, Any] = {i: {} for i in wanted}
    for dtype in sorted({dtype for passed in wanted.values() for dtype, *_ in passed}):
        module = backend.load(job, dtype)
        for i, passed in wanted.items():
            meta, given = sources[int(i)]
            before, which = found[i], [(variant, mode) for name, variant, mode in passed if name == dtype]
            if not which:  # of this case, another dtype is off
                continue
            try:
                backend.dtype(dtype)
                obj = backend.evaluate(module, meta["call"])
                backend.start(obj, inputs.feed(meta, given, 0), False)
                for worst in samples(backend, obj, backend.units(obj)[1], meta, given, dtype, which):
                    found[i] = before | worst
                    store.write(folder / f"{job['name']}.npz", {"found": found}, {})
            except Exception as fault:  # the verdict stays as it was
                found[i] = {"failed": user.explain(fault, job["path"])}
    store.write(folder / f"{job['name']}.npz", {"found": found}, {})


def samples(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, dtype: str,
            which: Sequence[tuple[int, str]] = ()) -> Iterator[dict[str, float]]:
    """{'dtype/group/variant/mode/name': largest loss so far} after each run; `which`: else all variants and modes."""
    worst: dict[str, float] = {}
    number = int(dtype == "float32")
    for draw in range(RUNS[dtype]):
        again: Arrays = {}
        moved = _moved(given, draw, ULP[dtype])
        backend.assign(handles, store.under(moved, "w"))
        for variant, mode in which or passes.planned(meta, number):
            passes.run(backend, obj, handles, meta, moved, (dtype, variant, mode), number, again)
        for name, lost in compare.losses(given, again).items():
            if np.isfinite(lost):
                worst[name] = max(worst.get(name, 0.0), lost)
        yield worst


def _moved(given: Arrays, number: int, ulp: float) -> Arrays:
    """Weights and inputs, off by up to one ulp."""
    rng = np.random.default_rng([number, 11])
    kept = {k: v for k, v in given.items() if not k.startswith(("float", "act/"))}
    moved = [k for k, v in kept.items() if v.dtype.kind == "f" and k.startswith(("w/", "in/x/"))]
    return {**kept, **{k: kept[k] * (1 + ulp * rng.uniform(-1, 1, kept[k].shape)) for k in moved}}
