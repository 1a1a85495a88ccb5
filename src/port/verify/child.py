"""Entry of both children: `main('tf' | 'torch')` with the path of a job as the last argument.

A backend (`child_keras`, `child_torch`) offers setup, dtype, load, evaluate, kind, free, specs, pads, packs, start,
units, assign, read, forward, gradients, graph, calibrate, record, describe, discover and localise.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from . import attribute, keras_version, rounding, source, store, target


def main(name: str) -> None:
    """The job names role, path, cases and the folder to write to."""
    sys.dont_write_bytecode = True  # what changes within a second, its size the same, would be read from there
    job = json.loads(Path(sys.argv[-1]).read_text())
    folder = Path(job["folder"])
    try:
        if name == "tf":
            keras_version.choose(Path(job["path"]), is_port=job["role"] == "target")
        backend = importlib.import_module({"tf": ".child_keras", "torch": ".child_torch"}[name], __package__)
        backend.setup(job)
        if job.get("widen"):
            backend.widen()
    except ImportError as fault:
        text = f"{job.get('backend') or name} cannot be imported: {fault}"
        store.write(folder / f"{job['name']}.npz", {"fatal": text}, {})
        return
    roles = {"source": source, "target": target, "attribute": attribute, "rounding": rounding}
    roles[job["role"]].run(backend, job, folder)
