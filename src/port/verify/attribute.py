"""A third child: run the source again without the rounding of Python constants that only TensorFlow does.

A Keras source runs with exact constants, a torch source with constants rounded as TensorFlow rounds them. Only where
the residue is then gone, in every array, is it attributed to these constants. A Keras source then runs once more with
the same constants off by one float32 ulp: what that changes bounds what their rounding may have changed. With a
recording alone there is no Keras to ask: then the port's own child rounds the constants of the port, which cannot tell
apart two that round to the same float32.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import carry, compare, inputs, passes, store, user

Part = tuple[dict[str, Any], dict[str, Any]]


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    _, sources = store.unbundle(folder / "source.npz")
    _, targets = store.unbundle(folder / f"{job['target']}.npz")
    backend.prepare_attribution()
    module = backend.load(job, "float64")
    found: dict[str, Any] = {}
    for i in job["wanted"]:
        try:
            found[str(i)] = _one(backend, module, sources[i], targets[i])
        except Exception as fault:  # the verdict stays as it was
            found[str(i)] = {"names": [], "failed": user.explain(fault, job["path"])}
    store.write(folder / f"{job['name']}.npz", {"found": found}, {})


def _one(backend: Any, module: Any, source: Part, target: Part) -> dict[str, Any]:
    meta, given = source
    pairs = carry.unpack(target[0]["pairing"])
    meta = {**meta, "floor": target[0].get("floor") or meta.get("floor", {})}
    backend.dtype("float64")
    held = {k: v for k, v in given.items() if not k.startswith("float64/")}  # float32: what the limits go by
    again: dict[str, Any] = {}

    def against(arrays: dict[str, Any]) -> list[compare.Row]:
        return [r for r in compare.rows(meta, arrays, target[1], pairs) if r.dtype == "float64"]

    def build() -> Callable[[], list[compare.Row]]:
        obj = backend.evaluate(module, meta["call"])
        backend.start(obj, inputs.feed(meta, given, 0), False)
        _, handles = backend.units(obj)
        backend.assign(handles, store.under(given, "w"))
        return lambda: rerun(obj, handles)

    def rerun(obj: Any, handles: Any) -> list[compare.Row]:
        again.clear()
        again.update(held)
        passes.whole(backend, obj, handles, meta, held, "float64", 0, again)
        return against(again)

    found = backend.attribute(build)
    return {"before": compare.worst(against(given)), **found}
