"""A third child, for torch2tf: run the torch source again with constants rounded as TensorFlow rounds them.

In the other direction the port's own child does this; here the numbers of the port exist only once both are done.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import carry, compare, passes, store

Part = tuple[dict[str, Any], dict[str, Any]]


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    _, sources = store.unbundle(folder / "source.npz")
    _, targets = store.unbundle(folder / "target.npz")
    module = backend.load(Path(job["path"]), "float64")
    found = {str(i): _one(backend, module, sources[i], targets[i]) for i in job["wanted"]}
    store.write(folder / "attribute.npz", {"found": found}, {})


def _one(backend: Any, module: Any, source: Part, target: Part) -> dict[str, Any]:
    meta, given = source
    pairs = carry.unpack(target[0]["pairing"])
    backend.dtype("float64")
    obj = backend.evaluate(module, meta["call"])
    backend.start(obj, passes.inputs(given, 0, len(meta["specs"][0])))
    _, handles = backend.units(obj)
    backend.assign(handles, store.under(given, "w"))
    held = {k: v for k, v in given.items() if k.startswith(("in/", "w/"))}
    again: dict[str, Any] = {}

    def rerun() -> list[compare.Row]:
        again.clear()
        again.update(held)
        passes.whole(backend, obj, handles, meta, held, "float64", 0, again)
        return [r for r in compare.rows(meta, again, target[1], pairs) if r.dtype == "float64"]

    return backend.attribute(rerun)
