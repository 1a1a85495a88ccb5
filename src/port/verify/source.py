"""What a child does, whichever framework it has: run the cases as the source, or as the port of a source.

A backend (`child_tf`, `child_torch`) offers: setup, load, kind, specs, start, units, assign, read, forward,
calibrate, record, and localise. Arrays are keyed 'dtype/group/variant/mode/name', weights 'unit/name'.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from . import cases, store, user, values

MODES = ("infer", "train")
Arrays = dict[str, np.ndarray]


def run_source(backend: Any, job: dict[str, Any], case: cases.Case, module: Any) -> tuple[dict[str, Any], Arrays]:
    """Everything a port is compared with: inputs, cotangents, weights, outputs, gradients, buffers, activations."""
    meta: dict[str, Any] = {"call": case.call, "ported_call": case.ported_call or case.call, "name": case.name,
                            "notes": [], "side": backend.SIDE, "dtypes": []}
    arrays: Arrays = {}
    for number, dtype in enumerate(job["dtypes"]):
        try:
            if number or dtype != module.port_dtype:
                module = backend.load(Path(job["path"]), dtype)
            backend.dtype(dtype)
            _one_dtype(backend, job, case, module, dtype, meta, arrays)
            meta["dtypes"].append(dtype)
        except Exception as fault:
            if number == len(job["dtypes"]) - 1 and not meta["dtypes"]:
                raise
            meta["notes"].append(f"the source cannot run in {dtype}: {user.explain(fault, job['path'])}")
    return meta, arrays


def _one_dtype(backend: Any, job: dict[str, Any], case: cases.Case, module: Any, dtype: str, meta: dict[str, Any],
               arrays: Arrays) -> None:
    obj = backend.evaluate(module, case.call)
    meta["kind"] = backend.kind(obj)
    specs = [cases.parse(t) for t in case.inputs] or backend.specs(obj)
    if not specs:
        raise LookupError("no input shape is known here; say --input 'f32[2,7,3]'")
    first = not meta["dtypes"]
    if first:
        meta["specs"] = [list(map(str, s)) for s in _variants(backend, obj, specs, meta["kind"])]
        _draw(job, meta, arrays, backend.pads(obj))
    xs = _inputs(arrays, 0, len(specs))
    meta["notes"] += [n for n in backend.start(obj, xs) if n not in meta["notes"]]
    units, handles = backend.units(obj)
    if first:
        meta["units"] = units
        weights = values.random(units, np.random.default_rng([job["seed"], 99]))
        backend.assign(handles, weights)
        _calibrate(backend, obj, handles, xs, job["seed"])
        arrays.update({f"w/{k}": v for k, v in backend.read(handles).items()})
    _modes(backend, obj, handles, meta, arrays, dtype, len(specs), first)
    if first:
        backend.assign(handles, store.under(arrays, "w"))
        meta["calls"] = {}
        for mode in MODES if meta["kind"] == "model" else ():
            meta["calls"][mode], kept = backend.record(obj, handles, xs, mode == "train")
            arrays.update({f"act/{mode}/{k}": v for k, v in kept.items()})
            backend.assign(handles, store.under(arrays, "w"))
        backend.describe(units, handles)


def _variants(backend: Any, obj: Any, specs: list[cases.Spec], kind: str) -> list[list[cases.Spec]]:
    if kind != "model":
        return [specs]
    free = backend.free(obj) or [None] * len(specs)
    return [specs, [cases.grown(s, f) for s, f in zip(specs, free, strict=False)]]


def _draw(job: dict[str, Any], meta: dict[str, Any], arrays: Arrays, pads: bool) -> None:
    for variant, texts in enumerate(meta["specs"]):
        rng = np.random.default_rng([job["seed"], variant])
        padding = "end" if variant == 0 or not pads else "start"
        for i, text in enumerate(texts):
            arrays[f"in/x/{variant}/{i}"] = cases.draw(cases.parse(text), rng, padding)


def _inputs(arrays: Arrays, variant: int, count: int) -> list[np.ndarray]:
    return [arrays[f"in/x/{variant}/{i}"] for i in range(count)]


def _calibrate(backend: Any, obj: Any, handles: Any, xs: list[np.ndarray], seed: int) -> None:
    """Moving statistics from a batch, disturbed: else activations of deep networks leave all bounds."""
    if backend.calibrate(obj, xs):
        held = {k: v for k, v in backend.read(handles).items() if k.rsplit("/", 1)[-1] in values.STATISTICS}
        backend.assign(handles, values.disturb(held, np.random.default_rng([seed, 98])))


def _modes(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], arrays: Arrays, dtype: str, count: int,
           first: bool) -> None:
    """Outputs, gradients and buffers of every variant and mode; later dtypes only run the first variant."""
    for variant in range(len(meta["specs"]) if first else 1):
        xs = _inputs(arrays, variant, count)
        for mode in MODES if meta["kind"] == "model" else MODES[:1]:
            try:
                run_mode(backend, obj, handles, meta, arrays, (dtype, variant, mode), xs, arrays)
            except Exception as fault:
                if variant == 0:
                    raise
                meta["notes"].append(f"inputs {meta['specs'][1]} were left out: {user.explain(fault, meta['path'])}"
                                     if "path" in meta else f"inputs {meta['specs'][1]} were left out: {fault}"[:300])
                meta["specs"] = meta["specs"][:1]
                for key in [k for k in arrays if k.startswith((f"in/x/{variant}/", f"in/c/{variant}/"))
                            or k.split("/")[2:3] == [str(variant)] and not k.startswith(("w/", "act/"))]:
                    del arrays[key]
                return


def run_mode(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], given: Arrays, which: tuple[str, int, str],
             xs: list[np.ndarray], out: Arrays) -> None:
    """One forward and backward pass; the source also draws the cotangents and looks for random draws."""
    dtype, variant, mode = which
    weights = store.under(given, "w")
    ys, structure = backend.forward(obj, xs, mode == "train")
    meta.setdefault("structure", structure)
    if f"in/c/{variant}/0" not in given:
        rng = np.random.default_rng([variant, 7])
        for i, y in enumerate(ys):
            given[f"in/c/{variant}/{i}"] = rng.normal(size=y.shape).astype("float32").astype("float64")
    if mode == "train" and meta.get("random") is None and "units" in meta:
        backend.assign(handles, weights)
        again, _ = backend.forward(obj, xs, True)
        meta["random"] = any(not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
                             for a, b in zip(ys, again, strict=True))
        if meta["random"]:
            meta["notes"].append("training mode still draws random numbers: it was not compared")
    if mode == "train" and meta.get("random"):
        return
    backend.assign(handles, weights)
    cs = [given[f"in/c/{variant}/{i}"] for i in range(len(ys))]
    result = backend.gradients(obj, handles, xs, cs, mode == "train")
    key = f"{dtype}/{{}}/{variant}/{mode}/"
    for group, held in result.items():
        out.update({key.format(group) + str(name): value for name, value in held.items()})
    backend.assign(handles, weights)


def main(backend: Any) -> None:
    """`child JOB.json`: the job names role, path, cases and where to write."""
    job = json.loads(Path(sys.argv[-1]).read_text())
    folder = Path(job["folder"])
    try:
        backend.setup(job)
    except ImportError as fault:
        store.write(folder / f"{job['role']}.npz", {"fatal": f"{backend.SIDE} cannot be imported: {fault}"}, {})
        return
    if job["role"] == "source":
        _source(backend, job, folder)
    else:
        from . import target
        target.run(backend, job, folder)


def _source(backend: Any, job: dict[str, Any], folder: Path) -> None:
    try:
        module = backend.load(Path(job["path"]), job["dtypes"][0])
    except Exception as fault:
        store.write(folder / "source.npz", {"fatal": user.explain(fault, job["path"])}, {})
        return
    todo = [cases.Case(c["call"], tuple(c["inputs"]), c["name"], c["ported_call"]) for c in job["cases"]]
    todo = todo or [cases.Case(text) for text in backend.discover(module)]
    parts: list[tuple[dict[str, Any], Arrays]] = []
    for case in todo:
        try:
            parts.append(run_source(backend, job, case, module))
        except Exception as fault:
            parts.append(({"call": case.call, "name": case.name, "error": user.explain(fault, job["path"]),
                           "missing_input": isinstance(fault, LookupError), "notes": []}, {}))
    store.bundle(folder / "source.npz", parts, {"path": job["path"], "side": backend.SIDE, "dtypes": job["dtypes"]})
