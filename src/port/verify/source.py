"""The source's side: run the cases and write everything that a port is compared with.

Arrays are keyed 'dtype/group/variant/mode/name', weights 'unit/name'; a backend is `child_tf` or `child_torch`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from . import cases, fill, inputs, passes, rounding, sizes, store, user, values, widened
from .passes import MODES

Arrays = dict[str, np.ndarray]
WIDENED = "where the source says no dtype, TensorFlow's float32 was float64 in the float64 run"
WRITTEN = "where the files write float32, it was float64 in the float64 run"


def run_source(backend: Any, job: dict[str, Any], case: cases.Case, module: Any) -> tuple[dict[str, Any], Arrays]:
    """Everything a port is compared with: inputs, cotangents, weights, outputs, gradients, buffers, activations."""
    meta: dict[str, Any] = {"call": case.call, "ported_call": case.ported_call or case.call, "name": case.name,
                            "notes": user.stopped(module, "source"), "side": backend.SIDE, "dtypes": [],
                            "path": job["path"], "asked": job["dtypes"]}
    arrays: Arrays = {}
    for number, dtype in enumerate(job["dtypes"]):
        for again in (False, True):
            try:
                if number or again or dtype != module.port_dtype:
                    module = backend.load(job, dtype)
                backend.dtype(dtype)
                _one_dtype(backend, job, case, module, dtype, meta, arrays)
                meta["dtypes"].append(dtype)
                meta["notes"] += [WIDENED] if again else []
                meta["notes"] += [WRITTEN] if dtype == widened.WIDE and widened.CHANGED else []
                break
            except Exception as fault:
                if not again and dtype == "float64" and backend.widen():
                    continue
                if number == len(job["dtypes"]) - 1 and not meta["dtypes"]:
                    raise
                meta["notes"].append(f"the source cannot run in {dtype}: {user.explain(fault, job['path'])}")
                break
    return meta, arrays


def _one_dtype(backend: Any, job: dict[str, Any], case: cases.Case, module: Any, dtype: str, meta: dict[str, Any],
               arrays: Arrays) -> None:
    obj = backend.evaluate(module, case.call)
    meta["kind"] = backend.kind(obj)
    first = not meta["dtypes"]
    if first:
        given, meta["structure"], notes = _begin(backend, job, case, obj, meta, arrays)
    else:
        given = inputs.feed(meta, arrays, 0)
        meta["structure"], notes, _ = backend.start(obj, given, False)
    meta["notes"] += [n for n in notes if n not in meta["notes"]]
    units, handles = backend.units(obj)
    if first:
        meta["fill"] = None if case.ported_call else fill.described(module, case.call, obj)
        meta["units"] = units
        weights = values.random(units, np.random.default_rng([job["seed"], 99]))
        backend.assign(handles, weights)
        backend.calibrate(obj, given, values.near(np.random.default_rng([job["seed"], 98])))
        arrays.update({f"w/{k}": v for k, v in backend.read(handles).items()})
    backend.assign(handles, store.under(arrays, "w"))
    _modes(backend, obj, handles, meta, arrays, dtype, first)
    if job.get("sampled") and dtype == "float32" and not first:
        *_, meta["sampled"] = rounding.samples(backend, obj, handles, meta, arrays, dtype)
    if first:
        if backend.resized() and dtype == "float64":
            meta["floor"] = passes.disturbed(backend, obj, handles, meta, arrays, dtype, arrays)
        backend.assign(handles, store.under(arrays, "w"))
        meta["steps"] = job.get("steps", 0)
        meta["rate"] = passes.steps(backend, obj, handles, meta, arrays, dtype, arrays)
        if meta["steps"] and meta["rate"]:
            meta["growth"] = passes.growth(backend, obj, handles, meta, arrays, dtype, arrays)
        backend.assign(handles, store.under(arrays, "w"))
        meta["calls"] = {}
        for mode in MODES if meta["kind"] == "model" else ():
            meta["calls"][mode], kept = backend.record(obj, handles, given, mode == "train")
            arrays.update({f"act/{mode}/{k}": v for k, v in kept.items()})
            backend.assign(handles, store.under(arrays, "w"))
        backend.describe(units, handles)


def _begin(backend: Any, job: dict[str, Any], case: cases.Case, obj: Any, meta: dict[str, Any], arrays: Arrays
           ) -> tuple[inputs.Feed, Any, list[str]]:
    """(inputs, structure of the result, notes) with the sizes that were asked for, or the first guess that works."""
    specs, form = inputs.read(case.inputs)
    guesses = [specs] if case.inputs else backend.specs(obj)
    if not guesses:
        raise LookupError("no input shape is known here; say --input 'f32[2,7,3]'")
    for number, guess in enumerate(guesses):
        meta["form"] = form if case.inputs else None
        meta["specs"] = [list(map(str, guess))]
        _draw(job, meta, arrays, 0, guess, backend.pads(obj))
        given = inputs.feed(meta, arrays, 0)
        try:
            structure, notes, meta["draws"] = backend.start(obj, given, True)
            break
        except Exception:
            if number == len(guesses) - 1:
                raise
    meta["packed"] = backend.packs(obj, given)
    meta["inputs"] = inputs.write(guess, meta["form"])
    if meta["kind"] == "model":
        other = sizes.second(backend, obj, guess, meta["form"])
        meta["specs"].append(list(map(str, other)))
        _draw(job, meta, arrays, 1, other, backend.pads(obj))
    return given, structure, notes


def _draw(job: dict[str, Any], meta: dict[str, Any], arrays: Arrays, variant: int, specs: list[cases.Spec],
          pads: bool) -> None:
    rng = np.random.default_rng([job["seed"], variant])
    padding = "end" if variant == 0 or not pads else "start"
    for i, spec in enumerate(specs):
        arrays[f"in/x/{variant}/{i}"] = cases.draw(spec, rng, padding)


def _modes(backend: Any, obj: Any, handles: Any, meta: dict[str, Any], arrays: Arrays, dtype: str,
           first: bool) -> None:
    """Outputs, gradients and buffers of every variant and mode; later dtypes only run the first variant."""
    for variant in range(len(meta["specs"]) if first else 1):
        for mode in MODES if meta["kind"] == "model" else MODES[:1]:
            try:
                passes.run(backend, obj, handles, meta, arrays, (dtype, variant, mode), 0 if first else 1, arrays)
            except Exception as fault:
                if variant == 0:
                    raise
                text = ", ".join(meta["specs"][variant])
                meta["notes"].append(f"inputs {text} were left out: {user.explain(fault, meta['path'])}")
                meta["specs"] = meta["specs"][:1]
                _forget(arrays, variant)
                return


def _forget(arrays: Arrays, variant: int) -> None:
    for key in [k for k in arrays if not k.startswith(("w/", "act/")) and k.split("/")[2] == str(variant)]:
        del arrays[key]


def run(backend: Any, job: dict[str, Any], folder: Path) -> None:
    """All cases into `source.npz`."""
    try:
        module = backend.load(job, job["dtypes"][0])
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
            if isinstance(fault, TypeError) and not job["cases"] and str(fault).startswith("the call gives a"):
                continue  # a function that was found here, and builds something else
            parts.append(({"call": case.call, "name": case.name, "error": user.explain(fault, job["path"]),
                           "missing_input": isinstance(fault, LookupError),
                           "notes": user.stopped(module, "source")}, {}))
    store.bundle(folder / "source.npz", parts, {"path": job["path"], "side": backend.SIDE, "dtypes": job["dtypes"]})
