"""Run cases in both frameworks, each in a child process of its own, and compare what comes out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from port import verify
from port.prove.cases import Case

CHILD = Path(verify.__file__).with_name("row_child.py")
DTYPES = ("float64", "float32")
TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "float16": 1e-2}
RESIDUE = 1e-6  # rows that say why


class Outcome:
    """Arrays and errors by `case|dtype|what` of one framework."""

    def __init__(self, path: Path):
        with np.load(path, allow_pickle=False) as stored:
            self.errors: dict[str, str] = json.loads(str(stored["errors"]))
            self.arrays: dict[str, dict[str, np.ndarray]] = {}
            for name in stored.files:
                if name != "errors":
                    run, _, what = name.rpartition("|")
                    self.arrays.setdefault(run, {})[what] = stored[name]


def run_both(cases: list[Case], sources: dict[str, dict[str, str]], folder: Path,
             signatures: dict[str, list[Any]], root: Path | None = None, once: bool = False) -> dict[str, Outcome]:
    """Each case in each framework: `sources` holds its text by framework and id; `root`: of the project's modules;
    `once`: in the first dtype alone."""
    np.savez(folder / "in.npz", **{f"{c.id}|{n}": a for c in cases for n, a in c.arrays().items()})  # type: ignore
    children = {}
    for side, texts in sources.items():
        jobs = [{"id": c.id, "source": texts[c.id], "inputs": list(c.inputs), "grad": c.row.grad,
                 "dtypes": (c.row.dtypes or DTYPES)[:1 if once else None]}
                for c in cases if c.id in texts]
        (folder / f"{side}.json").write_text(json.dumps({"run": jobs, "signatures": signatures.get(side, [])}))
        paths = (str(folder / name) for name in (f"{side}.json", "in.npz", f"{side}.npz"))
        argv = [sys.executable, "-P", str(CHILD), side, *paths]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        if root is not None:
            environment["PYTHONPATH"] = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
        with open(folder / f"{side}.log", "wb") as log:
            children[side] = subprocess.Popen(argv, env=environment, stderr=log)
    for side, child in children.items():
        if child.wait(timeout=900):
            raise RuntimeError((folder / f"{side}.log").read_text()[-2000:])
    return {side: Outcome(folder / f"{side}.npz") for side in children}


def compare(case: Case, dtype: str, tf: Outcome, torch: Outcome, widths: bool = False, results: bool = False) -> str:
    """What is wrong, or an empty string. `widths`: whole numbers must agree in their width as well; `results`: they
    alone count, not gradients."""
    run = f"{case.id}|{dtype}"
    for side, outcome in (("tf", tf), ("torch", torch)):
        if run in outcome.errors:
            return f"{side} raises {outcome.errors[run]}"
    ours, theirs = tf.arrays.get(run, {}), torch.arrays.get(run, {})
    if ours.keys() != theirs.keys():
        return f"tf returns {', '.join(ours)}; torch {', '.join(theirs)}"
    if not ours and not case.row.draws:
        return "nothing was returned"
    worst = min((a.dtype.name for a in ours.values() if a.dtype.kind == "f"), default=dtype)
    tolerance = max(TOLERANCE.get(worst, 0), RESIDUE if case.row.residue else 0)
    for what in ours:
        if results and what.startswith("gradient"):
            continue
        if widths and ours[what].dtype != theirs[what].dtype:
            return f"{what}: {ours[what].dtype} is {theirs[what].dtype} in torch"
        if fault := difference(ours[what], theirs[what], tolerance, case.row.draws):
            return f"{what}: {fault}"
    return ""


def difference(a: np.ndarray, b: np.ndarray, tolerance: float, draws: bool) -> str:
    if a.shape != b.shape:
        return f"shape {list(a.shape)} is {list(b.shape)} in torch"
    kinds = [{"u": "i"}.get(x.dtype.kind, x.dtype.kind) for x in (a, b)]
    if kinds[0] != kinds[1] or (kinds[0] == "f" and a.dtype != b.dtype):
        return f"{a.dtype} is {b.dtype} in torch"
    if draws:
        return ""
    if kinds[0] not in "fc":
        return "" if np.array_equal(a, b) else f"{a.ravel()[:5]} is {b.ravel()[:5]} in torch"
    finite = np.isfinite(a)
    if not np.array_equal(np.where(finite, 0, a), np.where(np.isfinite(b), 0, b), equal_nan=True):
        return "not finite at different places"
    scale = 1 + np.max(np.abs(a[finite]), initial=0)
    error = np.max(np.abs(a[finite] - b[finite]), initial=0) / scale
    return f"differs by {error:.1e}" if error > tolerance else ""
